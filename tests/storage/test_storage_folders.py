import json
import subprocess
import time
from pathlib import Path
from typing import Self

import pytest
from storage_processes import script
from storage_servers import FaultyProxy

from posenb import storage
from posenb._progress import ProgressBar, silent_progress
from posenb.errors import InvalidInputError, StorageError
from posenb.storage import folders

FILES = {f"labeled-data/m3v{index % 3}/img{index:03d}.png": b"%d" % index for index in range(12)}
COPY = """
    import sys
    from posenb.storage import copy_folder
    copy_folder(sys.argv[1], sys.argv[2])
"""


@pytest.fixture
def source(tmp_path: Path) -> str:
    """A folder of small files."""
    folder = str(tmp_path / "source")
    for path, data in FILES.items():
        storage.write_bytes(storage.join(folder, path), data)
    return folder


@pytest.fixture(params=["local", "memory", "gs", "s3"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an absent folder in each storage."""
    if request.param == "local":
        return str(tmp_path / "target")
    if request.param == "memory":
        return f"memory://{tmp_path.name}-{id(request)}"
    return str(request.getfixturevalue(f"{request.param}_bucket"))


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that copy_folder really sends."""
    names: list[str] = []

    def spy(source: str, goal: str) -> None:
        names.append(storage.name(source))
        storage.copy(source, goal)

    monkeypatch.setattr(folders, "copy", spy)
    return names


def content(folder: str) -> dict[str, bytes]:
    urls = storage.list_files(folder, recursive=True)
    return {storage.relative(url, folder) or "": storage.read_bytes(url) for url in urls}


def test_a_folder_arrives_with_all_that_is_in_it(source: str, target: str):
    storage.copy_folder(source, target)
    assert content(target) == FILES
    assert content(source) == FILES
    assert storage.interrupted_copy(target) is None


def test_a_folder_comes_back_from_afar(source: str, target: str, tmp_path: Path):
    storage.copy_folder(source, target)
    storage.copy_folder(target, tmp_path / "back")
    assert content(str(tmp_path / "back")) == FILES


def test_what_has_arrived_is_not_sent_again(source: str, target: str, sent: list[str]):
    storage.copy_folder(source, target)
    assert len(sent) == len(FILES)
    storage.write_bytes(storage.join(source, "new.txt"), b"new")
    storage.write_bytes(storage.join(source, "labeled-data/m3v0/img000.png"), b"changed")
    sent.clear()
    storage.copy_folder(source, target)
    assert sorted(sent) == ["img000.png", "new.txt"]
    assert content(target) == content(source)


def test_what_was_spoilt_at_the_target_is_sent_again(source: str, target: str, sent: list[str]):
    storage.copy_folder(source, target)
    sent.clear()
    storage.write_bytes(storage.join(target, "labeled-data/m3v1/img001.png"), b"?")
    storage.remove(storage.join(target, "labeled-data/m3v2/img002.png"))
    storage.copy_folder(source, target)
    assert sorted(sent) == ["img001.png", "img002.png"]
    assert content(target) == FILES


def test_equal_files_without_a_record_are_told_by_their_content(
    source: str, target: str, sent: list[str]
):
    for path, data in FILES.items():
        storage.write_bytes(storage.join(target, path), data)
    storage.copy_folder(source, target)
    assert sent == []


def test_the_record_spares_reading_what_has_arrived(
    source: str, target: str, monkeypatch: pytest.MonkeyPatch
):
    storage.copy_folder(source, target)

    def refuse(url: str) -> str:
        pytest.fail(f"{url} was read again")

    monkeypatch.setattr(folders, "digest", refuse)
    storage.copy_folder(source, target)


def test_what_only_the_target_has_stays(source: str, target: str):
    storage.write_bytes(storage.join(target, "mine.txt"), b"mine")
    storage.copy_folder(source, target)
    assert content(target) == {**FILES, "mine.txt": b"mine"}


def test_a_failing_file_stops_the_copy_which_then_goes_on(
    source: str, target: str, monkeypatch: pytest.MonkeyPatch
):
    def fail(origin: str, goal: str) -> None:
        if origin.endswith("img005.png"):
            raise StorageError("the network is gone")
        storage.copy(origin, goal)

    with monkeypatch.context() as patch:
        patch.setattr(folders, "copy", fail)
        with pytest.raises(StorageError, match="the network is gone"):
            storage.copy_folder(source, target)
    assert storage.interrupted_copy(target) == source
    assert "labeled-data/m3v2/img005.png" not in content(target)
    storage.copy_folder(source, target)
    assert storage.interrupted_copy(target) is None
    assert content(target) == FILES


def test_a_record_of_another_source_says_nothing(
    source: str, target: str, sent: list[str], tmp_path: Path
):
    storage.copy_folder(source, target)
    other = str(tmp_path / "other")
    for path, data in FILES.items():
        storage.write_bytes(storage.join(other, path), data[::-1])
    storage.copy_folder(other, target)
    assert content(target) == content(other)


def test_records_are_no_part_of_what_is_copied(source: str, tmp_path: Path):
    storage.copy_folder(source, tmp_path / "one")
    storage.copy_folder(tmp_path / "one", tmp_path / "two")
    record = json.loads((tmp_path / "two" / folders._RECORD).read_text())
    assert record["source"] == str(tmp_path / "one")
    assert sorted(record["files"]) == sorted(FILES)


def test_the_record_is_kept_while_the_copy_goes_on(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(folders, "_SAVE_EVERY", 0.0)
    seen: list[int] = []

    class Bar:
        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            return None

        def advance(self, count: int = 1, **figures: str) -> None:
            record = json.loads((tmp_path / "target" / folders._RECORD).read_text())
            assert not record["finished"]
            seen.append(len(record["files"]))

    def progress(total: int | None, description: str, unit: str = "it") -> ProgressBar:
        assert (total, description, unit) == (len(FILES), "Copying", "file")
        return Bar()

    storage.copy_folder(source, tmp_path / "target", progress=progress)
    assert seen == list(range(len(FILES)))


@pytest.mark.slow
@pytest.mark.parametrize("bucket", ["local", "gs_bucket", "s3_bucket"])
def test_a_copy_killed_anywhere_leaves_only_whole_files_and_goes_on(
    tmp_path: Path, bucket: str, request: pytest.FixtureRequest
):
    source = tmp_path / "source"
    whole = {f"{index:03d}.bin": bytes([index + 32]) * 500_000 for index in range(60)}
    for name, data in whole.items():
        storage.write_bytes(source / name, data)
    target = str(tmp_path / "target") if bucket == "local" else str(request.getfixturevalue(bucket))
    process = subprocess.Popen(script(COPY, str(source), target))
    while process.poll() is None and len(storage.list_files(target)) < 5:
        time.sleep(0.002)
    process.kill()
    process.wait()
    arrived = content(target)
    assert len(arrived) >= 5
    assert arrived.items() <= whole.items()
    if process.returncode != 0:
        assert storage.interrupted_copy(target) == str(source)
    storage.copy_folder(source, target)
    assert content(target) == whole
    assert storage.interrupted_copy(target) is None


@pytest.mark.slow
def test_a_copy_goes_through_a_failing_network(
    source: str, gs_server: FaultyProxy, gs_bucket: str, s3_server: FaultyProxy, s3_bucket: str
):
    with gs_server.failing(every=10), s3_server.failing(every=10):
        storage.copy_folder(source, gs_bucket)
        storage.copy_folder(gs_bucket, s3_bucket)
        assert gs_server.faults > 1
        assert s3_server.faults > 1
    assert content(s3_bucket) == FILES


@pytest.mark.parametrize("inner", ["", "sub", "sub/sub"])
def test_a_folder_is_not_copied_into_itself(tmp_path: Path, inner: str):
    storage.write_bytes(tmp_path / "a/b", b"")
    outer = str(tmp_path / "a")
    for pair in ((outer, storage.join(outer, inner)), (storage.join(outer, inner), outer)):
        with pytest.raises(InvalidInputError, match="cannot be copied into itself"):
            storage.copy_folder(*pair)


def test_what_is_no_folder_is_not_copied(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"")
    for absent in ("absent", "file"):
        with pytest.raises(StorageError, match=r"Copying .* name a folder"):
            storage.copy_folder(tmp_path / absent, tmp_path / "target", progress=silent_progress)
    assert not (tmp_path / "target").exists()


def test_an_empty_folder_is_copied_at_once(tmp_path: Path):
    (tmp_path / "empty").mkdir()
    storage.copy_folder(tmp_path / "empty", tmp_path / "target")
    assert storage.list_files(tmp_path / "target", recursive=True) == []


def test_a_folder_without_a_record_was_not_interrupted(tmp_path: Path):
    assert storage.interrupted_copy(tmp_path) is None
