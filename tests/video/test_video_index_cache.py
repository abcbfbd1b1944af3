"""Indices are kept on this machine, and are never believed blindly."""

import os
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from made_clips import make_clip, number_of

from posenb.video import index_cache, open_video, opening
from posenb.video.index import FrameIndex
from posenb.video.index_cache import cache_path, load_index, save_index
from posenb.video.scan import scan


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return make_clip(tmp_path / "clip.mkv", b_frames=2)


@pytest.fixture
def scans(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """URLs that were scanned."""
    seen: list[str] = []

    def counted(file: object, url: str) -> FrameIndex:
        seen.append(url)
        return scan(file, url)

    monkeypatch.setattr(opening, "scan", counted)
    return seen


def check(clip: Path) -> None:
    with open_video(clip) as video:
        assert [number_of(video[i]) for i in (39, 4, 21)] == [39, 4, 21]


def test_a_video_is_scanned_once(clip: Path, scans: list[str], index_folder: Path):
    check(clip)
    check(clip)
    assert scans == [str(clip)]
    assert len(list(index_folder.iterdir())) == 1


def test_a_changed_video_is_scanned_again(clip: Path, scans: list[str]):
    check(clip)
    make_clip(clip, 50)
    with open_video(clip) as video:
        assert len(video) == 50
        assert number_of(video[49]) == 49
    assert len(scans) == 2


def test_an_index_survives_being_kept(clip: Path, tmp_path: Path):
    with clip.open("rb") as file:
        made = scan(file, str(clip))
    path = tmp_path / "index.npz"
    save_index(path, made)
    kept = load_index(path)
    assert kept is not None
    for field in fields(FrameIndex):
        before, after = getattr(made, field.name), getattr(kept, field.name)
        assert np.array_equal(before, after)
        assert type(before) is type(after)


@pytest.mark.parametrize("damage", ["empty", "noise", "half", "flipped", "foreign"])
def test_a_damaged_index_is_made_anew(
    clip: Path, scans: list[str], index_folder: Path, damage: str
):
    check(clip)
    (path,) = index_folder.iterdir()
    data = path.read_bytes()
    middle = len(data) // 2
    path.write_bytes(
        {
            "empty": b"",
            "noise": os.urandom(500),
            "half": data[:middle],
            "flipped": bytes(value ^ 90 if i % 7 == 3 else value for i, value in enumerate(data)),
            "foreign": b"{}",
        }[damage]
    )
    check(clip)
    assert len(scans) == 2
    check(clip)
    assert len(scans) == 2


@pytest.mark.parametrize("name", ["ranks", "times", "entries", "positions", "timestamps"])
def test_an_index_whose_columns_do_not_fit_is_made_anew(
    clip: Path, scans: list[str], index_folder: Path, name: str
):
    check(clip)
    (path,) = index_folder.iterdir()
    with np.load(path) as kept:
        values = dict(kept)
    values[name] = values[name][1:]
    np.savez(path, **values)
    check(clip)
    assert len(scans) == 2


def test_a_pickle_in_the_cache_is_never_loaded(clip: Path, scans: list[str], index_folder: Path):
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(index_folder / "sprung"),)

    check(clip)
    (path,) = index_folder.iterdir()
    np.savez(path, ranks=np.array([Trap()], dtype=object), allow_pickle=True)
    check(clip)
    assert not (index_folder / "sprung").exists()
    assert len(scans) == 2


def test_a_cache_that_can_not_be_written_costs_only_time(
    clip: Path, scans: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    blocker = tmp_path / "file"
    blocker.write_text("no folder")
    monkeypatch.setenv("POSENB_CACHE", str(blocker))
    check(clip)
    check(clip)
    assert len(scans) == 2


def test_the_place_depends_on_the_url_the_content_and_the_library(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    places = {cache_path(str(clip))}
    twin = tmp_path / "twin.mkv"
    twin.write_bytes(clip.read_bytes())
    places.add(cache_path(str(twin)))
    clip.write_bytes(clip.read_bytes() + b"x")
    places.add(cache_path(str(clip)))
    monkeypatch.setattr(index_cache.av, "__version__", "0")
    places.add(cache_path(str(clip)))
    assert len(places) == 4
