import multiprocessing
from pathlib import Path

import numpy as np
import pytest
import yaml

from posenb import storage
from posenb._progress import silent_progress
from posenb.errors import ConfigError, ProjectError, StorageError, VideoError, VideoWarning
from posenb.project import add_videos, create_project, open_project
from posenb.video import write_video


@pytest.fixture(scope="session")
def clip(tmp_path_factory):
    """Bytes of a tiny video."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    frames = np.random.default_rng(0).integers(0, 255, (4, 32, 48, 3), dtype=np.uint8)
    write_video(path, frames, fps=10)
    return path.read_bytes()


@pytest.fixture
def raw(tmp_path, clip):
    """A folder of videos outside the project."""
    for name in ("m1.mp4", "m2.mp4", "day1/m3.mp4", "day1/am/m4.mp4", "day1/m5.avi"):
        storage.write_bytes(tmp_path / "raw" / name, clip)
    return tmp_path / "raw"


@pytest.fixture
def project(tmp_path):
    return create_project(tmp_path / "reach", keypoints=["nose"])


def add(project, urls, **options):
    return add_videos(project, urls, progress=silent_progress, **options)


def test_a_video_outside_the_project_stays_where_it_is(project, raw):
    added = add(project, raw / "m1.mp4")
    assert added.videos == {"m1": "../raw/m1.mp4"}
    assert added.video_url("m1") == str(raw / "m1.mp4")
    assert added == open_project(project.url)
    assert project.videos == {}


def test_a_video_within_the_project_is_stored_relative_to_it(project, tmp_path, clip):
    storage.write_bytes(tmp_path / "reach" / "clips" / "m1.mp4", clip)
    assert add(project, tmp_path / "reach" / "clips" / "m1.mp4").videos == {"m1": "clips/m1.mp4"}


def test_relative_paths_are_those_of_the_notebook(project, raw, monkeypatch):
    monkeypatch.chdir(raw)
    assert add(project, "m1.mp4").video_url("m1") == str(raw / "m1.mp4")


def test_several_videos_are_added_at_once_and_later_ones_join_them(project, raw):
    added = add(project, [raw / "m1.mp4", str(raw / "m2.mp4")])
    added = add(added, raw / "day1" / "m3.mp4")
    assert list(added.videos) == ["m1", "m2", "m3"]


@pytest.mark.parametrize(
    ("pattern", "stems"),
    [
        ("*.mp4", ["m1", "m2"]),
        ("m[12].mp4", ["m1", "m2"]),
        ("day?/m3.*", ["m3"]),
        ("*/*.mp4", ["m3"]),
        ("**/*.mp4", ["m1", "m2", "m3", "m4"]),
        ("day1/**/m*.mp4", ["m3", "m4"]),
    ],
)
def test_patterns_find_videos(project, raw, pattern, stems):
    assert sorted(add(project, f"{raw}/{pattern}").videos) == stems


def test_patterns_find_videos_in_the_cloud(project, clip):
    for name in ("a/m1.mp4", "a/m2.mp4", "b/m3.mp4", "b/notes.txt"):
        storage.write_bytes(f"memory://raw-patterns/{name}", clip)
    added = add(project, "memory://raw-patterns/*/m*.mp4")
    assert added.videos["m3"] == "memory://raw-patterns/b/m3.mp4"
    assert len(added.videos) == 3


def test_a_file_whose_name_looks_like_a_pattern_is_itself(project, tmp_path, clip):
    storage.write_bytes(tmp_path / "m[1].mp4", clip)
    assert add(project, tmp_path / "m[1].mp4").videos == {"m[1]": "../m[1].mp4"}


def test_a_pattern_that_matches_nothing_is_reported(project, raw):
    with pytest.raises(ProjectError, match=r"No video matches the pattern .*\*\.mov"):
        add(project, [raw / "m1.mp4", f"{raw}/*.mov"])
    assert project.reload().videos == {}


def test_two_videos_of_one_name_are_refused(project, raw, tmp_path, clip):
    storage.write_bytes(tmp_path / "other" / "m1.mov", clip)
    with pytest.raises(ProjectError, match="a name of its own"):
        add(project, [raw / "m1.mp4", tmp_path / "other" / "m1.mov"])
    added = add(project, raw / "m1.mp4")
    with pytest.raises(ProjectError, match=r"'m1' is .*raw.*m1\.mp4 and cannot be .*m1\.mov too"):
        add(added, tmp_path / "other" / "m1.mov")
    assert project.reload().videos == added.videos


def test_a_video_added_by_another_meanwhile_is_not_overruled(project, raw, tmp_path, clip):
    storage.write_bytes(tmp_path / "other" / "m1.mp4", clip)
    add(project, raw / "m1.mp4")
    with pytest.raises(ProjectError, match="a name of its own"):
        add(project, tmp_path / "other" / "m1.mp4")  # `project` does not know of it yet


def test_adding_a_video_again_changes_nothing(project, raw):
    added = add(project, raw / "m1.mp4")
    before = Path(project.url, "posenb.yaml").stat().st_mtime_ns
    assert add(added, [raw / "m1.mp4", raw / "m1.mp4"]) == added
    assert Path(project.url, "posenb.yaml").stat().st_mtime_ns == before


def test_a_video_that_moved_is_added_from_where_it_is_now(project, raw):
    add(project, [raw / "m1.mp4", raw / "m2.mp4"], crop=(0, 20, 4, 30))
    (raw / "m1.mp4").rename(raw / "day1" / "m1.mp4")
    with pytest.warns(VideoWarning, match=r"raw/m1\.mp4 is gone, so .*'m1' is .*day1/m1\.mp4 now"):
        mended = add(project, raw / "day1" / "m1.mp4")  # `project` does not even know of it
    assert mended.videos == {"m1": "../raw/day1/m1.mp4", "m2": "../raw/m2.mp4"}
    assert mended.crops == {"m1": (0, 20, 4, 30), "m2": (0, 20, 4, 30)}
    assert mended == project.reload()
    (raw / "m2.mp4").unlink()
    (raw / "day1" / "m2.mp4").write_text("no video")
    with pytest.raises(VideoError, match=r"m2\.mp4"):
        add(project, raw / "day1" / "m2.mp4")
    assert project.reload() == mended


def test_a_video_that_moved_may_be_copied_and_a_lost_copy_be_made_again(project, raw, clip):
    add(project, raw / "m1.mp4")
    (raw / "m1.mp4").rename(raw / "day1" / "m1.mp4")
    with pytest.warns(VideoWarning, match="is gone"):
        mended = add(project, raw / "day1" / "m1.mp4", copy=True)
    assert mended.videos == {"m1": "videos/m1.mp4"}
    Path(mended.video_url("m1")).unlink()
    assert add(mended, raw / "day1" / "m1.mp4", copy=True) == mended
    assert storage.read_bytes(mended.video_url("m1")) == clip


def test_of_two_that_mend_a_video_otherwise_the_first_wins(project, raw, clip, monkeypatch):
    from posenb.project import adding

    added = add(project, raw / "m1.mp4")
    (raw / "m1.mp4").rename(raw / "day1" / "m1.mp4")
    storage.write_bytes(raw / "other" / "m1.mp4", clip)
    real = adding.add_entries

    def late(*inputs):
        monkeypatch.setattr(adding, "add_entries", real)
        add(added, raw / "day1" / "m1.mp4")
        real(*inputs)

    monkeypatch.setattr(adding, "add_entries", late)
    with (
        pytest.warns(VideoWarning, match="day1"),
        pytest.raises(ProjectError, match=r"'m1' is \.\./raw/day1/m1\.mp4 and cannot be .*other"),
    ):
        add(added, raw / "other" / "m1.mp4")
    assert project.reload().videos == {"m1": "../raw/day1/m1.mp4"}


def test_a_project_and_its_videos_move_as_one(project, raw, tmp_path, clip):
    add(project, [raw / "m1.mp4", raw / "day1" / "m3.mp4"])
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "reach").rename(tmp_path / "elsewhere" / "reach")
    raw.rename(tmp_path / "elsewhere" / "raw")
    moved = open_project(tmp_path / "elsewhere" / "reach")
    assert storage.read_bytes(moved.video_url("m3")) == clip
    again = add(moved, tmp_path / "elsewhere" / "raw" / "m1.mp4")
    assert again == moved


def test_a_project_that_names_its_videos_in_full_goes_on_as_it_is(project, raw):
    path = Path(project.url, "posenb.yaml")
    facts = yaml.safe_load(path.read_text())
    facts["videos"] = {"m1": {"path": str(raw / "m1.mp4")}}
    path.write_text(yaml.safe_dump(facts))
    before = path.read_bytes()
    assert add(project, raw / "m1.mp4").videos == {"m1": str(raw / "m1.mp4")}
    assert path.read_bytes() == before


def test_what_is_no_video_is_refused_and_none_is_added(project, raw):
    (raw / "m9.mp4").write_text("no video")
    with pytest.raises(VideoError, match=r"m9\.mp4"):
        add(project, [raw / "m1.mp4", raw / "m9.mp4"])
    with pytest.raises(StorageError, match="absent"):
        add(project, [raw / "m1.mp4", raw / "absent.mp4"])
    assert project.reload().videos == {}


def test_a_copy_lies_in_the_project(project, raw, clip):
    added = add(project, [raw / "m1.mp4", raw / "day1" / "m3.mp4"], copy=True)
    assert added.videos == {"m1": "videos/m1.mp4", "m3": "videos/m3.mp4"}
    assert storage.read_bytes(added.video_url("m3")) == clip


def test_copying_goes_on_where_it_was_cut_off(project, raw, monkeypatch):
    real, copied = storage.copy, []

    def copy(source, target):
        if len(copied) == 1:
            raise KeyboardInterrupt
        copied.append(storage.name(source))
        real(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(storage, "copy", copy)
        with pytest.raises(KeyboardInterrupt):
            add(project, f"{raw}/*.mp4", copy=True)
    assert project.reload().videos == {}
    seen = []
    monkeypatch.setattr(storage, "copy", lambda s, t: (seen.append(storage.name(s)), real(s, t)))
    added = add(project, f"{raw}/*.mp4", copy=True)
    assert copied + seen == ["m1.mp4", "m2.mp4"]
    assert list(added.videos) == ["m1", "m2"]


def test_a_copy_never_replaces_another_file(project, raw):
    storage.write_bytes(f"{project.url}/videos/m1.mp4", b"another")
    with pytest.raises(ProjectError, match="where another file is"):
        add(project, raw / "m1.mp4", copy=True)
    assert storage.read_bytes(f"{project.url}/videos/m1.mp4") == b"another"


def test_a_video_added_by_reference_may_be_copied_later(project, raw):
    added = add(add(project, raw / "m1.mp4"), raw / "m1.mp4", copy=True)
    assert added.videos == {"m1": "videos/m1.mp4"}


def test_a_crop_is_kept_and_may_change(project, raw):
    added = add(project, raw / "m1.mp4", crop=(0, 20, 4, 30))
    assert added.crops == {"m1": (0, 20, 4, 30)}
    assert add(added, raw / "m1.mp4").crops == {"m1": (0, 20, 4, 30)}
    assert add(added, raw / "m1.mp4", crop=(0, 5, 0, 5)).crops == {"m1": (0, 5, 0, 5)}
    with pytest.raises(ConfigError, match="0 <= x1 < x2"):
        add(project, raw / "m2.mp4", crop=(9, 3, 0, 5))


def test_a_local_video_joins_a_project_in_the_cloud(raw, clip):
    project = create_project("memory://lab/reach-adding", keypoints=["nose"])
    assert add(project, raw / "m1.mp4").videos == {"m1": str(raw / "m1.mp4")}
    copied = add(project, raw / "m2.mp4", copy=True)
    assert copied.video_url("m2") == "memory://lab/reach-adding/videos/m2.mp4"
    assert storage.read_bytes(copied.video_url("m2")) == clip


def test_in_a_deeplabcut_folder_a_video_is_noted_beside_its_config(tmp_path, raw, clip):
    folder = tmp_path / "dlc"
    storage.write_bytes(folder / "videos" / "m0.mp4", clip)
    text = yaml.safe_dump({"scorer": "ann", "bodyparts": ["nose"], "video_sets": {"m0.mp4": {}}})
    (folder / "config.yaml").write_text(text)
    added = add(open_project(folder), raw / "m1.mp4")
    assert added.kind == "deeplabcut"
    assert added.videos == {"m0": "videos/m0.mp4", "m1": "../raw/m1.mp4"}
    assert (folder / "config.yaml").read_text() == text
    assert add(added, folder / "videos" / "m0.mp4") == added


def test_the_bar_counts_videos(project, raw):
    class Bar:
        def __enter__(self):
            return self

        def __exit__(self, *error):
            return None

        def advance(self, count=1, **figures):
            told.append(figures["video"])

    def progress(total, description, unit="it"):
        told.append(total)
        return Bar()

    told = []
    add_videos(project, f"{raw}/*.mp4", progress=progress)
    assert told == [2, "m1", "m2"]


def add_many(project_url, urls):
    """Add videos one by one to a project as it was before any was added."""
    project = open_project(project_url)
    for url in urls:
        add(project, url)


def assert_nothing_lost(project, folder, clip, count):
    jobs = []
    for worker in "ab":
        urls = [storage.join(folder, f"{worker}{n}.mp4") for n in range(count)]
        for url in urls:
            storage.write_bytes(url, clip)
        jobs.append(urls)
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=add_many, args=(project.url, urls)) for urls in jobs]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0, 0]
    assert sorted(project.reload().videos) == [f"{w}{n}" for w in "ab" for n in range(count)]


@pytest.mark.slow
def test_processes_that_add_videos_at_once_lose_nothing(project, raw, clip):
    assert_nothing_lost(project, str(raw), clip, 6)


@pytest.mark.slow
def test_processes_that_add_videos_in_the_cloud_at_once_lose_nothing(gs_bucket, clip):
    project = create_project(storage.join(gs_bucket, "reach"), keypoints=["nose"])
    assert_nothing_lost(project, storage.join(gs_bucket, "raw"), clip, 3)


def test_of_two_projects_created_at_once_one_wins(tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    def create(n):
        try:
            return create_project(tmp_path / "race", keypoints=[f"k{n}"])
        except ProjectError:
            return None

    with ThreadPoolExecutor(8) as pool:
        made = [project for project in pool.map(create, range(8)) if project]
    assert made == [open_project(tmp_path / "race")]
