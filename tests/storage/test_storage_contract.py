"""One contract of behaviour that every storage passes."""

import errno
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from posenb import storage
from posenb.errors import InvalidInputError, StorageError
from posenb.storage.stores import store_of

STORAGES = ["local", "memory", "gs", "s3"]
BIG = bytes(range(256)) * (9 * 4096)  # 9 MiB: above one PUT and one block


@pytest.fixture(params=STORAGES)
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a fresh folder in each storage."""
    if request.param == "local":
        return str(tmp_path / "folder")
    if request.param == "memory":
        return f"memory://{tmp_path.name}-{id(request)}"
    return str(request.getfixturevalue(f"{request.param}_bucket"))


@pytest.fixture
def put(folder: str) -> Callable[..., str]:
    def write(path: str, data: bytes = b"data") -> str:
        url = storage.join(folder, path)
        storage.write_bytes(url, data)
        return url

    return write


Put = Callable[..., str]


def test_what_was_written_is_read(put: Put):
    url = put("a/b/c.bin", b"hello")
    assert storage.read_bytes(url) == b"hello"
    assert storage.size(url) == 5
    assert storage.exists(url)
    assert not storage.is_folder(url)


@pytest.mark.parametrize("path", ["run[1]/ü b.txt", "a?#%20&=+.txt", "*.txt", "日本/é.png"])
def test_any_name_can_be_written_listed_and_removed(folder: str, put: Put, path: str):
    url = put(path, path.encode())
    assert storage.list_files(folder, recursive=True) == [url]
    assert storage.read_bytes(url) == path.encode()
    storage.copy(url, storage.join(folder, "copied"))
    storage.remove(url)
    assert not storage.exists(url)
    assert storage.read_bytes(storage.join(folder, "copied")) == path.encode()


def test_text_keeps_its_letters_and_line_ends(folder: str):
    url = storage.join(folder, "a.txt")
    storage.write_text(url, "Schnauze\r\nñ\n")
    assert storage.read_bytes(url) == "Schnauze\r\nñ\n".encode()
    assert storage.read_text(url) == "Schnauze\r\nñ\n"


def test_a_byte_order_mark_is_not_part_of_the_text(put: Put):
    assert storage.read_text(put("a.csv", b"\xef\xbb\xbfscorer")) == "scorer"


def test_text_that_is_not_utf_8_is_named(put: Put):
    with pytest.raises(StorageError, match=r"must be in UTF-8; '.*a\.csv'"):
        storage.read_text(put("a.csv", b"\xff\xfe"))


def test_an_empty_file_is_a_file(put: Put):
    url = put("empty", b"")
    assert storage.exists(url)
    assert storage.size(url) == 0
    assert storage.read_bytes(url) == b""
    assert storage.open_read(url).read() == b""
    assert storage.digest(url).startswith("e3b0c442")


def test_writing_replaces_what_was_there(put: Put):
    put("a", b"a long old content")
    assert storage.read_bytes(put("a", b"new")) == b"new"


@pytest.mark.parametrize(
    ("start", "stop"), [(0, 3), (2, 5), (5, None), (8, 100), (10, None), (50, 60), (4, 4)]
)
def test_a_range_is_read_like_a_slice(put: Put, start: int, stop: int | None):
    url = put("a", b"0123456789")
    assert storage.read_bytes(url, start, stop) == b"0123456789"[start:stop]


@pytest.mark.parametrize(("start", "stop"), [(-1, None), (3, 2)])
def test_a_range_that_is_none_is_refused(put: Put, start: int, stop: int | None):
    with pytest.raises(InvalidInputError, match="0 <= start <= stop"):
        storage.read_bytes(put("a"), start, stop)


@pytest.mark.parametrize("data", [b"--==0==", b"\n--==0==--\n", b"\r\n\r\n\n", bytes(range(256))])
def test_no_content_is_mistaken_for_protocol(put: Put, data: bytes):
    url = put("a", data)
    assert storage.read_bytes(url) == data
    storage.remove(url)
    storage.write_bytes(url, data, exclusive=True)
    assert storage.read_bytes(url) == data


def test_a_large_file_arrives_unchanged(put: Put):
    url = put("big.bin", BIG)
    assert storage.size(url) == len(BIG)
    assert storage.read_bytes(url) == BIG
    assert storage.read_bytes(url, len(BIG) - 7, None) == BIG[-7:]


def test_an_absent_file_is_named_with_a_cure(folder: str):
    url = storage.join(folder, "absent.txt")
    assert not storage.exists(url)
    assert not storage.is_folder(url)
    acts: list[Callable[[str], object]] = [
        storage.read_bytes,
        storage.read_text,
        storage.size,
        storage.digest,
        storage.fingerprint,
        storage.open_read,
        lambda missing: storage.read_bytes(missing, 5, 9),
        lambda missing: storage.copy(missing, storage.join(folder, "b")),
        lambda missing: storage.move(missing, storage.join(folder, "b")),
    ]
    for act in acts:
        with pytest.raises(StorageError, match=r"absent\.txt.* failed .*Check the spelling") as got:
            act(url)
        assert got.value.errno == errno.ENOENT


def test_a_folder_is_not_read_as_a_file(folder: str, put: Put):
    put("sub/a")
    with pytest.raises(StorageError, match="It is a folder: name a file in it") as got:
        storage.size(storage.join(folder, "sub"))
    assert got.value.errno == errno.EISDIR


def test_files_are_listed_sorted_and_whole(folder: str, put: Put):
    urls = [put(path) for path in ("b.png", "a.png", "a.csv", "sub/c.png", "sub/deep/d.png")]
    b, a, table, c, d = urls
    assert storage.list_files(folder) == [table, a, b]
    assert storage.list_files(folder, "*.png") == [a, b]
    assert storage.list_files(folder, recursive=True) == sorted(urls)
    assert storage.list_files(folder, "*.png", recursive=True) == [a, b, c, d]
    assert storage.list_folders(folder) == [storage.join(folder, "sub")]
    assert storage.is_folder(storage.join(folder, "sub"))


def test_an_absent_folder_is_empty(folder: str):
    absent = storage.join(folder, "absent")
    assert storage.list_files(absent) == []
    assert storage.list_files(absent, recursive=True) == []
    assert storage.list_folders(absent) == []


def test_a_file_is_not_listed_as_a_folder(put: Put):
    url = put("a")
    for recursive in (False, True):
        with pytest.raises(StorageError, match=r"(?i)name a folder"):
            storage.list_files(url, recursive=recursive)


def test_a_folder_is_no_neighbour_with_the_same_beginning(folder: str, put: Put):
    put("run1/a")
    put("run10/b")
    run = storage.join(folder, "run1")
    assert storage.list_files(run, recursive=True) == [storage.join(run, "a")]
    storage.remove(run, recursive=True)
    assert storage.exists(storage.join(folder, "run10/b"))


def test_what_another_wrote_meanwhile_is_seen(folder: str, put: Put):
    a = put("a")
    assert storage.list_files(folder) == [a]
    assert not storage.exists(storage.join(folder, "b"))
    b = put("b")
    assert storage.list_files(folder) == [a, b]
    assert storage.exists(b)


def test_a_file_appears_only_when_writing_ends_well(folder: str):
    url = storage.join(folder, "sub/model.keras")
    with storage.writing(url) as path:
        assert path.name == "model.keras"
        assert not path.exists()
        path.write_bytes(b"half")
        assert not storage.exists(url)
        assert storage.list_files(folder, recursive=True) == []
        assert storage.list_folders(storage.join(folder, "sub")) == []
        path.write_bytes(b"whole")
    assert storage.read_bytes(url) == b"whole"
    assert not path.parent.exists()


def test_a_failed_writing_leaves_the_old_content(folder: str, put: Put):
    url = put("a", b"old")
    given: list[Path] = []

    def encode() -> None:
        with storage.writing(url) as path:
            given.append(path)
            path.write_bytes(b"new")
            raise RuntimeError("encoder")

    with pytest.raises(RuntimeError, match="encoder"):
        encode()
    assert storage.read_bytes(url) == b"old"
    assert not given[0].parent.exists()


def test_writing_nothing_is_an_error(folder: str, put: Put):
    url = put("a", b"old")
    with pytest.raises(StorageError, match="Nothing was written"), storage.writing(url):
        pass
    assert storage.read_bytes(url) == b"old"


def test_an_exclusive_write_never_replaces(folder: str):
    url = storage.join(folder, "a")
    storage.write_bytes(url, b"first", exclusive=True)
    with pytest.raises(StorageError, match="remove what is there first") as got:
        storage.write_bytes(url, b"second", exclusive=True)
    assert got.value.errno == errno.EEXIST
    assert storage.read_bytes(url) == b"first"


def test_an_exclusive_write_never_replaces_a_large_file(put: Put):
    url = put("big", b"first")
    with pytest.raises(StorageError) as got:
        storage.write_bytes(url, BIG, exclusive=True)
    assert got.value.errno == errno.EEXIST
    assert storage.read_bytes(url) == b"first"


def test_a_bucket_or_drive_is_no_file(folder: str):
    root = folder
    while storage.parent(root) != root:
        root = storage.parent(root)
    with pytest.raises(InvalidInputError, match="must have a name below"):
        storage.write_bytes(root, b"")
    with pytest.raises(InvalidInputError, match=r"whole bucket or drive is never removed"):
        storage.remove(root, recursive=True)


def test_reading_gives_a_local_path_of_the_same_name(put: Put):
    url = put("clip.mp4", BIG)
    with storage.reading(url) as path:
        assert path.name == "clip.mp4"
        assert path.read_bytes() == BIG
    assert path.exists() == storage.is_local(url)


def test_a_stream_is_read_in_any_order(put: Put):
    url = put("clip.mp4", BIG)
    with storage.open_read(url) as stream:
        assert stream.seekable()
        assert stream.read(4) == BIG[:4]
        assert stream.seek(-5, 2) == len(BIG) - 5
        assert stream.read() == BIG[-5:]
        assert stream.read(1) == b""
        stream.seek(4 * 2**20 - 3)
        assert stream.read(10) == BIG[4 * 2**20 - 3 :][:10]
        stream.seek(100)
        stream.seek(23, 1)
        assert stream.tell() == 123
        assert stream.read(1) == BIG[123:124]
        stream.seek(0)
        assert stream.read() == BIG


def test_two_streams_over_one_file_keep_their_own_place(put: Put):
    url = put("a", b"0123456789")
    with storage.open_read(url) as one, storage.open_read(url) as other:
        assert one.read(3) == b"012"
        assert other.read(5) == b"01234"
        assert one.read() == b"3456789"


def test_a_copy_is_equal_and_independent(folder: str, put: Put):
    source, target = put("a", BIG), storage.join(folder, "new/b")
    storage.copy(source, target)
    assert storage.digest(target) == storage.digest(source)
    storage.write_bytes(source, b"changed")
    assert storage.size(target) == len(BIG)


def test_a_file_copied_or_moved_onto_itself_stays(put: Put):
    url = put("a")
    storage.copy(url, url)
    storage.move(url, url)
    assert storage.read_bytes(url) == b"data"


def test_a_moved_file_is_only_at_its_new_place(folder: str, put: Put):
    source, target = put("a", b"moved"), put("sub/b", b"replaced")
    storage.move(source, target)
    assert not storage.exists(source)
    assert storage.read_bytes(target) == b"moved"
    assert storage.list_files(folder, recursive=True) == [target]


@pytest.mark.parametrize("act", [storage.copy, storage.move])
def test_files_travel_between_storages(
    folder: str, put: Put, tmp_path: Path, act: Callable[[str, str], None]
):
    for index, far in enumerate((str(tmp_path / "far"), "memory://far")):
        there = storage.join(far, f"{index}/x.bin")
        act(put(f"a{index}", BIG), there)
        assert storage.read_bytes(there) == BIG
        back = storage.join(folder, f"back{index}")
        act(there, back)
        assert storage.read_bytes(back) == BIG
        assert storage.exists(there) == (act is storage.copy)


def test_removing_twice_is_no_error(put: Put):
    url = put("a")
    storage.remove(url)
    storage.remove(url)
    assert not storage.exists(url)


def test_a_folder_is_removed_only_when_asked_to(folder: str, put: Put):
    for path in ("run[1]/a", "run[1]/sub/b", "run1/c"):
        put(path)
    run = storage.join(folder, "run[1]")
    with pytest.raises(StorageError, match="It is a folder"):
        storage.remove(run)
    with storage.lock(storage.join(run, "a")):
        pass
    storage.remove(run, recursive=True)
    assert not storage.exists(run)
    assert storage.list_files(folder, recursive=True) == [storage.join(folder, "run1/c")]


@pytest.mark.parametrize("bucket", ["gs_bucket", "s3_bucket"])
def test_a_folder_that_a_console_made_is_a_folder(bucket: str, request: pytest.FixtureRequest):
    base = str(request.getfixturevalue(bucket))
    system = store_of(base).system  # type: ignore[attr-defined]
    for marker in ("/sub/", "/sub/deep/"):
        system.pipe_file(base + marker, b"")
    sub = storage.join(base, "sub")
    assert storage.is_folder(sub)
    assert storage.list_folders(base) == [sub]
    assert storage.list_files(sub, recursive=True) == []
    storage.write_bytes(storage.join(sub, "a"), b"x")
    assert storage.list_files(base, recursive=True) == [storage.join(sub, "a")]
    storage.remove(sub, recursive=True)
    assert not storage.exists(sub)
    assert system.find(base) == []


def test_a_fingerprint_follows_the_content(put: Put):
    url = put("a", b"one")
    before = storage.fingerprint(url)
    assert storage.fingerprint(url) == before
    put("a", b"other")
    assert storage.fingerprint(url) != before


def test_a_digest_is_sha256(put: Put):
    assert storage.digest(put("a", b"abc")) == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )


def test_an_update_sees_the_old_content_and_writes_the_new(folder: str):
    url = storage.join(folder, "sub/counts.txt")
    seen: list[bytes | None] = []

    def change(old: bytes | None) -> bytes:
        seen.append(old)
        return (old or b"") + b"x"

    storage.update_bytes(url, change)
    storage.update_bytes(url, change)
    assert seen == [None, b"x"]
    assert storage.read_bytes(url) == b"xx"
    assert storage.list_files(folder, recursive=True) == [url]
    assert storage.list_folders(storage.parent(url)) == []


def test_an_update_that_changes_nothing_writes_nothing(folder: str, put: Put):
    url, absent = put("a", b"same"), storage.join(folder, "absent")
    before = storage.fingerprint(url)
    storage.update_bytes(url, lambda old: old)
    storage.update_bytes(url, lambda old: None)
    storage.update_bytes(absent, lambda old: None)
    assert storage.fingerprint(url) == before
    assert not storage.exists(absent)


def test_a_failing_update_leaves_the_file_and_frees_the_lock(put: Put):
    url = put("a", b"old")

    def fail(old: bytes | None) -> bytes:
        raise RuntimeError("no idea")

    with pytest.raises(RuntimeError, match="no idea"):
        storage.update_bytes(url, fail)
    assert storage.read_bytes(url) == b"old"
    storage.update_bytes(url, lambda old: b"new", timeout=5)
    assert storage.read_bytes(url) == b"new"


# --- files that grow part by part ----------------------------------------------------

PART = 8 * 2**20
LONG = BIG + BIG  # two whole parts and a piece


def parts_of(data: bytes) -> list[bytes]:
    return [data[start : start + PART] for start in range(0, len(data), PART)]


def test_a_growing_file_appears_whole_at_its_end(folder: str):
    url = storage.join(folder, "videos/clip.mp4")
    growing = storage.grow(url, len(LONG))
    assert growing.part == PART
    for count, part in enumerate(parts_of(LONG)):
        assert growing.position == count * PART
        growing.append(part)
        assert not storage.exists(url)
        assert storage.list_files(folder, recursive=True) == []
    growing.finish()
    assert storage.digest(url) == hashlib.sha256(LONG).hexdigest()
    assert storage.list_files(folder, recursive=True) == [url]


def test_a_growing_file_goes_on_with_its_ticket(folder: str):
    url = storage.join(folder, "clip.mp4")
    first, second, third = parts_of(LONG)
    storage_before = storage.grow(url, len(LONG))
    storage_before.append(first)
    for part in (second, third):
        growing = storage.grow(url, len(LONG), ticket=storage_before.ticket)
        assert growing.position == (PART if part is second else 2 * PART)
        growing.append(part)
    growing.finish()
    assert storage.read_bytes(url) == LONG


def test_a_file_smaller_than_a_part_can_grow(folder: str):
    url = storage.join(folder, "clip.mp4")
    growing = storage.grow(url, 5)
    growing.append(b"hello")
    growing.finish()
    assert storage.read_bytes(url) == b"hello"


def test_a_growing_file_never_replaces_one_that_is_there(folder: str, put: Put):
    with pytest.raises(StorageError, match="remove what is there first") as got:
        storage.grow(put("a"), 5)
    assert got.value.errno == errno.EEXIST
    growing = storage.grow(storage.join(folder, "b"), 5)
    growing.append(b"later")
    put("b", b"sooner")
    with pytest.raises(StorageError) as got:
        growing.finish()
    assert got.value.errno == errno.EEXIST
    assert storage.read_bytes(storage.join(folder, "b")) == b"sooner"


def test_what_was_aborted_can_neither_be_seen_nor_gone_on_with(folder: str):
    url = storage.join(folder, "clip.mp4")
    growing = storage.grow(url, len(LONG))
    growing.append(parts_of(LONG)[0])
    growing.abort()
    growing.abort()
    assert not storage.exists(url)
    with pytest.raises(StorageError, match=r"there no longer\. Begin with the file anew") as got:
        storage.grow(url, len(LONG), ticket=growing.ticket)
    assert got.value.errno == errno.ENOENT


def test_a_growing_file_is_finished_only_when_it_is_whole(folder: str):
    growing = storage.grow(storage.join(folder, "clip.mp4"), len(LONG))
    growing.append(parts_of(LONG)[0])
    with pytest.raises(StorageError, match=f"there are {PART} of {len(LONG)} bytes. Add the rest"):
        growing.finish()


def test_a_part_of_the_wrong_length_is_refused(folder: str):
    growing = storage.grow(storage.join(folder, "clip.mp4"), len(LONG))
    with pytest.raises(InvalidInputError, match=rf"next part of .* has {PART} bytes; got 3"):
        growing.append(b"abc")
    with pytest.raises(InvalidInputError, match="at least one byte"):
        storage.grow(storage.join(folder, "empty"), 0)


@pytest.mark.parametrize("ticket", ["../../etc/passwd", "0" * 31, "https://elsewhere.org/b/x"])
def test_a_forged_ticket_leads_nowhere(folder: str, ticket: str):
    with pytest.raises(StorageError):
        storage.grow(storage.join(folder, "clip.mp4"), 5, ticket=ticket)


@pytest.mark.parametrize("server", ["gs", "s3"])
def test_a_growing_file_gets_through_a_failing_network(
    server: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("posenb.storage.faults._FIRST_WAIT", 0.01)
    url = storage.join(str(request.getfixturevalue(f"{server}_bucket")), "clip.mp4")
    proxy = request.getfixturevalue(f"{server}_server")
    with proxy.failing("503", "drop", "lose", every=3):
        growing = storage.grow(url, len(LONG))
        for part in parts_of(LONG):
            growing.append(part)
        growing.finish()
    assert storage.read_bytes(url) == LONG
