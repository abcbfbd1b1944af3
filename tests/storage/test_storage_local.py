"""What only files of this machine can suffer."""

import errno
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from storage_processes import running

from posenb import storage
from posenb.errors import StorageError
from posenb.storage import local, staging

HALF_WRITTEN = """
    import sys, time
    from posenb.storage import writing
    with writing(sys.argv[1]) as path:
        path.write_bytes(b"half")
        print("ready", flush=True)
        time.sleep(60)
"""
posix = pytest.mark.skipif(os.name == "nt", reason="speaks of POSIX files")
no_root = pytest.mark.skipif(
    hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write everywhere"
)


@pytest.fixture(autouse=True)
def forgetful() -> None:
    """Let each test sweep anew."""
    staging._sweep.cache_clear()


def hidden(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".posenb-")]


@pytest.mark.parametrize("where", ["local", "gs", "s3"])
def test_a_writer_killed_half_way_leaves_the_old_content(
    where: str, tmp_path: Path, request: pytest.FixtureRequest
):
    base = str(tmp_path) if where == "local" else request.getfixturevalue(f"{where}_bucket")
    url = storage.join(base, "a.bin")
    storage.write_bytes(url, b"old")
    with running(HALF_WRITTEN, url) as writer:
        writer.kill()
        writer.wait()
    assert storage.read_bytes(url) == b"old"
    assert storage.list_files(base, recursive=True) == [url]
    assert storage.list_folders(base) == []


def test_what_a_killed_writer_left_is_cleared_in_due_time(tmp_path: Path):
    with running(HALF_WRITTEN, str(tmp_path / "a.bin")) as writer:
        writer.kill()
        writer.wait()
    (leftover,) = hidden(tmp_path)
    staging._sweep.cache_clear()
    storage.write_bytes(tmp_path / "b", b"")
    assert hidden(tmp_path) == [leftover]
    old = time.time() - 2 * staging._STALE_AFTER
    for path in (tmp_path / leftover / "a.bin", tmp_path / leftover):
        os.utime(path, (old, old))
    staging._sweep.cache_clear()
    storage.write_bytes(tmp_path / "c", b"")
    assert hidden(tmp_path) == []


def test_a_long_writing_that_still_grows_is_not_cleared(tmp_path: Path):
    with storage.writing(tmp_path / "a.bin") as path:
        path.write_bytes(b"growing")
        old = time.time() - 2 * staging._STALE_AFTER
        os.utime(path.parent, (old, old))
        staging._sweep.cache_clear()
        storage.write_bytes(tmp_path / "b", b"")
    assert (tmp_path / "a.bin").read_bytes() == b"growing"


def test_a_full_disk_is_told_with_url_and_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    url = tmp_path / "a.bin"
    url.write_bytes(b"old")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(local.os, "fsync", full)
    with pytest.raises(StorageError, match=r"a\.bin.*Free some space or choose another") as got:
        storage.write_bytes(url, b"new")
    assert got.value.errno == errno.ENOSPC
    assert url.read_bytes() == b"old"
    assert hidden(tmp_path) == []


@posix
def test_a_really_full_device_is_told_too():
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")

    def overflow() -> None:
        with storage.writing("/tmp/posenb-overflow.bin") as path:
            path.write_bytes(b"")
            with Path("/dev/full").open("wb") as stream:
                stream.write(b"x")

    with pytest.raises(StorageError, match=r"posenb-overflow\.bin.*Free some space"):
        overflow()
    assert not Path("/tmp/posenb-overflow.bin").exists()


def test_another_failure_of_the_writing_code_passes_as_it_is(tmp_path: Path):
    def fail() -> None:
        with storage.writing(tmp_path / "a"):
            raise OSError(errno.EIO, "the encoder's own")

    with pytest.raises(OSError, match="the encoder's own") as got:
        fail()
    assert not isinstance(got.value, StorageError)


@posix
@no_root
def test_a_folder_that_is_not_ours_is_told_with_a_cure(tmp_path: Path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StorageError, match="Ask its owner for access"):
            storage.write_bytes(tmp_path / "a", b"x")
        with pytest.raises(StorageError, match="Ask its owner for access"):
            storage.update_bytes(tmp_path / "a", lambda _: b"x")
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.parametrize("act", ["stat", "scandir"])
def test_a_refused_look_is_never_taken_for_absence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: str
):
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "no")

    monkeypatch.setattr(local.os, act, refuse)
    look = storage.exists if act == "stat" else storage.list_files
    with pytest.raises(StorageError, match="Ask its owner for access"):
        look(str(tmp_path))


def test_a_file_in_the_place_of_a_folder_is_told(tmp_path: Path):
    (tmp_path / "a").write_bytes(b"")
    assert not storage.exists(tmp_path / "a" / "b")
    with pytest.raises(StorageError, match=r"Writing .* failed"):
        storage.write_bytes(tmp_path / "a" / "b", b"")
    with pytest.raises(StorageError, match="name a folder"):
        storage.list_files(tmp_path / "a")


@pytest.mark.parametrize(
    "act",
    [storage.copy, storage.move, lambda _, target: storage.write_bytes(target, b"")],
    ids=["copy", "move", "write"],
)
def test_a_folder_is_never_replaced_by_a_file(tmp_path: Path, act: Callable[[Path, Path], None]):
    (tmp_path / "sub").mkdir()
    (tmp_path / "a").write_bytes(b"x")
    with pytest.raises(StorageError, match="It is a folder"):
        act(tmp_path / "a", tmp_path / "sub")
    assert (tmp_path / "sub").is_dir()
    assert (tmp_path / "a").exists()
    assert hidden(tmp_path) == []


def test_an_exclusive_write_works_without_hard_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "no links on FAT")

    monkeypatch.setattr(local.os, "link", refuse)
    storage.write_bytes(tmp_path / "a", b"first", exclusive=True)
    with pytest.raises(StorageError, match="remove what is there") as got:
        storage.write_bytes(tmp_path / "a", b"second", exclusive=True)
    assert got.value.errno == errno.EEXIST
    assert (tmp_path / "a").read_bytes() == b"first"


def test_a_failing_link_is_no_reason_to_replace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "broken disk")

    monkeypatch.setattr(local.os, "link", fail)
    with pytest.raises(StorageError, match="broken disk"):
        storage.write_bytes(tmp_path / "a", b"", exclusive=True)
    assert not (tmp_path / "a").exists()


def test_a_move_to_another_drive_copies_and_removes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    source, target = tmp_path / "a", tmp_path / "sub" / "b"
    source.write_bytes(b"x")
    replace = Path.replace

    def between_drives(path: Path, goal: Path) -> Path:
        if path == source:
            raise OSError(errno.EXDEV, "another drive")
        return replace(path, goal)

    monkeypatch.setattr(Path, "replace", between_drives)
    storage.move(source, target)
    assert target.read_bytes() == b"x"
    assert not source.exists()


@posix
def test_a_new_file_has_the_usual_permissions(tmp_path: Path):
    (tmp_path / "usual").touch()
    storage.write_bytes(tmp_path / "a", b"")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_writing_through_a_link_keeps_the_link(tmp_path: Path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "real" / "a")
    storage.write_bytes(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / "a").read_bytes() == b"new"


def test_a_folder_linked_into_itself_is_listed_once(tmp_path: Path):
    (tmp_path / "a").write_bytes(b"")
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    assert storage.list_files(tmp_path, recursive=True) == [str(tmp_path / "a")]
    assert storage.list_folders(tmp_path) == [str(tmp_path / "loop")]


def test_removing_a_link_to_a_folder_leaves_the_folder(tmp_path: Path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a").write_bytes(b"")
    (tmp_path / "link").symlink_to(tmp_path / "real", target_is_directory=True)
    storage.remove(tmp_path / "link", recursive=True)
    assert (tmp_path / "real" / "a").exists()
    assert not (tmp_path / "link").exists()


def test_a_local_file_is_read_where_it_is(tmp_path: Path):
    (tmp_path / "a").write_bytes(b"x")
    with storage.reading(tmp_path / "a") as path:
        assert path == tmp_path / "a"


def test_an_empty_local_folder_is_a_folder(tmp_path: Path):
    (tmp_path / "empty").mkdir()
    assert storage.is_folder(tmp_path / "empty")
    storage.remove(tmp_path / "empty", recursive=True)
    assert not storage.exists(tmp_path / "empty")


@posix
def test_a_drive_that_cannot_sync_folders_is_good_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    sync = os.fsync

    def only_files(handle: int) -> None:
        if Path(f"/proc/self/fd/{handle}").is_dir():
            raise OSError(errno.EINVAL, "folders cannot be synced")
        sync(handle)

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("no /proc here")
    monkeypatch.setattr(local.os, "fsync", only_files)
    storage.write_bytes(tmp_path / "a", b"x")
    assert (tmp_path / "a").read_bytes() == b"x"
