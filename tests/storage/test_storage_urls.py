import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posenb.errors import InvalidInputError
from posenb.storage import is_local, join, name, parent, relative, resolve
from posenb.storage.urls import is_root, scheme

ROOTS = ["/data/project", "gs://lab/reach", "s3://lab", "memory://x", "memory://"]
posix = pytest.mark.skipif(os.name == "nt", reason="speaks of POSIX paths")


def test_a_relative_path_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert resolve("clips/a.mp4") == str(tmp_path / "clips" / "a.mp4")


def test_a_path_object_and_its_text_are_the_same_place(tmp_path: Path):
    assert resolve(tmp_path / "a.mp4") == resolve(str(tmp_path / "a.mp4"))


def test_a_tilde_is_the_home_folder():
    assert resolve("~/clips") == str(Path.home() / "clips")


def test_local_dots_are_resolved_without_following_links(tmp_path: Path):
    assert resolve(f"{tmp_path}/a/./b/../c/") == str(tmp_path / "a" / "c")


@posix
def test_a_file_url_is_a_local_path():
    assert resolve("file:///data/my%20clip.mp4") == "/data/my clip.mp4"
    assert resolve("file://localhost/data/a") == "/data/a"
    assert is_local("file:///data/a")


@pytest.mark.parametrize("url", ["file://host/data/a", "file://"])
def test_a_file_url_of_no_local_path_is_refused(url: str):
    with pytest.raises(InvalidInputError, match="file:// URL must name a path"):
        resolve(url)


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("gs://lab/a//b/./c/", "gs://lab/a/b/c"),
        ("GS://Lab/A", "gs://Lab/A"),
        ("gcs://lab/a", "gs://lab/a"),
        ("s3a://lab/a", "s3://lab/a"),
        ("s3://lab/", "s3://lab"),
        ("memory:///a/b", "memory://a/b"),
        ("memory://", "memory://"),
        ("gs://lab/run[1]/ü ?#.png", "gs://lab/run[1]/ü ?#.png"),
        ("https://host/a//b?x=http://y/", "https://host/a//b?x=http://y/"),
    ],
)
def test_a_url_has_one_normal_form(url: str, normal: str):
    assert resolve(url) == normal
    assert resolve(normal) == normal


@pytest.mark.parametrize("url", ["", "a\0b", "gs://lab/a\0"])
def test_an_impossible_path_is_refused(url: str):
    with pytest.raises(InvalidInputError, match="without null characters, and not empty"):
        resolve(url)


def test_a_url_that_climbs_is_refused():
    with pytest.raises(InvalidInputError, match=r"may not climb with '\.\.'"):
        resolve("gs://lab/a/../../other/b")


def test_a_url_without_a_bucket_is_refused():
    with pytest.raises(InvalidInputError, match="must name a bucket"):
        resolve("gs://")


def test_a_scheme_tells_remote_from_local():
    assert [scheme(url) for url in ("/a", "gs://b/c", "memory://a")] == ["", "gs", "memory"]
    assert is_local("/a")
    assert not is_local("memory://a")


def test_a_windows_drive_is_no_scheme():
    assert is_local("C:/data/clip.mp4")


@pytest.mark.parametrize("root", ROOTS)
def test_what_is_joined_lies_below(root: str):
    url = join(root, "labeled-data/m3v1", "img001.png")
    assert relative(url, root) == "labeled-data/m3v1/img001.png"
    assert name(url) == "img001.png"
    assert relative(parent(url), root) == "labeled-data/m3v1"


@pytest.mark.parametrize("root", ROOTS)
def test_joining_nothing_changes_nothing(root: str):
    assert join(root) == join(root, "") == join(root, ".") == resolve(root)


@pytest.mark.parametrize("root", ROOTS)
@pytest.mark.parametrize(
    "part", ["..", "a/../b", "../x", "/etc/passwd", "gs://other/x", "file:///etc", "a\0"]
)
def test_a_part_never_leads_out_of_its_folder(root: str, part: str):
    with pytest.raises(InvalidInputError, match="must lie below its folder"):
        join(root, part)


@given(st.sampled_from(ROOTS), st.lists(st.text(min_size=1, max_size=8), max_size=4))
def test_whatever_is_joined_stays_below_or_is_refused(root: str, parts: list[str]):
    try:
        url = join(root, *parts)
    except InvalidInputError:
        return
    below = relative(url, root)
    assert below is not None
    assert join(root, below) == url


def test_dots_inside_a_name_are_no_climbing():
    assert join("gs://lab", "a..b", "...c") == "gs://lab/a..b/...c"


@pytest.mark.parametrize(
    ("url", "above"),
    [
        ("gs://lab/a/b", "gs://lab/a"),
        ("gs://lab/a", "gs://lab"),
        ("gs://lab", "gs://lab"),
        ("memory://a/b", "memory://a"),
        ("memory://a", "memory://"),
        ("memory://", "memory://"),
    ],
)
def test_a_parent_is_one_step_up_and_stops_at_the_root(url: str, above: str):
    assert parent(url) == above


@posix
def test_the_local_root_is_its_own_parent():
    assert parent("/a") == parent("/") == "/"
    assert name("/") == ""


@pytest.mark.parametrize("url", ["gs://lab", "memory://", "s3://lab/"])
def test_a_bucket_is_a_root_without_a_name(url: str):
    assert is_root(url)
    assert name(url) == ""


@pytest.mark.parametrize("url", ["gs://lab/a", "memory://a", "/a"])
def test_what_lies_in_a_bucket_is_no_root(url: str):
    assert not is_root(url)


def test_the_name_of_a_web_address_leaves_its_query_out():
    assert name("https://host/clips/a.mp4?raw=1#t") == "a.mp4"


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("gs://lab/ab", "gs://lab/a"),
        ("gs://lab/a", "gs://lab/a/b"),
        ("gs://lab/a", "s3://lab"),
        ("/data/a", "gs://data"),
        ("/database", "/data"),
    ],
)
def test_what_lies_elsewhere_has_no_relative_path(url: str, base: str):
    assert relative(url, base) is None


def test_a_place_is_below_itself_by_nothing():
    assert relative("gs://lab/a/", "gs://lab/a") == ""
    assert relative("/a/b/../b", "/a/b") == ""
    assert relative("memory://a", "memory://") == "a"
