import json
import os
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from storage_processes import running, script

from posenb import storage
from posenb.errors import StorageError
from posenb.storage import locks

HOLD = """
    import sys, time
    from posenb.storage import lock
    with lock(sys.argv[1]):
        print("ready", flush=True)
        time.sleep(60)
"""
COUNT = """
    import sys
    from posenb.storage import update_bytes
    url, who = sys.argv[1:]
    for index in range(50):
        update_bytes(url, lambda old: (old or b"") + f"{who}{index}\\n".encode(), timeout=120)
"""


@pytest.fixture(params=["local", "gs", "s3"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a fresh folder that several processes can reach."""
    if request.param == "local":
        return str(tmp_path / "new" / "folder")
    return str(request.getfixturevalue(f"{request.param}_bucket"))


@pytest.fixture(params=["memory", "gs", "s3"])
def remote(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a file behind a lease."""
    if request.param == "memory":
        return f"memory://{tmp_path.name}-{id(request)}/a"
    return str(request.getfixturevalue(f"{request.param}_bucket")) + "/a"


@pytest.fixture
def short_lease(monkeypatch: pytest.MonkeyPatch) -> float:
    """Let a silent holder count as dead after a second."""
    monkeypatch.setattr(locks, "_LEASE", 1.0)
    return 1.0


def turns(url: str) -> list[str]:
    """Names of the lock objects of a remote file."""
    from posenb.storage.stores import store_of

    hidden = locks._lock_url(url)
    return sorted(storage.name(entry.url) for entry in store_of(url).entries(hidden))


@pytest.mark.slow
def test_two_processes_that_update_one_file_lose_nothing(folder: str):
    url = storage.join(folder, "log.txt")
    workers = [subprocess.Popen(script(COUNT, url, who)) for who in "ab"]
    assert [worker.wait(timeout=300) for worker in workers] == [0, 0]
    lines = storage.read_text(url).splitlines()
    for who in "ab":
        assert [line for line in lines if line[0] == who] == [f"{who}{n}" for n in range(50)]


def test_threads_that_update_one_file_lose_nothing(tmp_path: Path):
    for url in (str(tmp_path / "a"), f"memory://{tmp_path.name}/a"):

        def work(url: str = url) -> None:
            for _ in range(5):
                storage.update_bytes(url, lambda old: (old or b"") + b"x")

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert storage.read_bytes(url) == b"x" * 20


def test_a_held_lock_keeps_others_out_and_names_the_cure(folder: str):
    url = storage.join(folder, "a")
    with (
        running(HOLD, url),
        pytest.raises(StorageError, match=r"in use by .* within 0\.5 s\. Wait until the other"),
        storage.lock(url, timeout=0.5),
    ):
        pytest.fail("two held the lock")


def test_a_lock_says_who_holds_it(remote: str):
    with (
        storage.lock(remote),
        pytest.raises(StorageError, match=f"in use by process {os.getpid()} on "),
        storage.lock(remote, timeout=0.1),
    ):
        pytest.fail("two held the lock")


def test_a_lock_can_be_looked_at_without_being_taken(folder: str):
    url = storage.join(folder, "a")
    assert storage.lock_sign(url) is None
    with storage.lock(url):
        sign = storage.lock_sign(url)
        assert sign
        assert storage.lock_sign(url) == sign  # nothing has been taken
    assert storage.lock_sign(url) is None


def test_a_living_holder_of_a_remote_lock_changes_its_sign(remote: str, short_lease: float):
    with storage.lock(remote):
        sign = storage.lock_sign(remote)
        deadline = time.monotonic() + 20
        while storage.lock_sign(remote) == sign and time.monotonic() < deadline:
            time.sleep(0.05)
        assert storage.lock_sign(remote) not in (sign, None)


def test_a_glance_at_a_lock_keeps_no_one_out(tmp_path: Path):
    url = str(tmp_path / "a")
    with storage.lock(url):
        pass
    glances = threading.Thread(target=lambda: [storage.lock_sign(url) for _ in range(200)])
    glances.start()
    for _ in range(5):
        with storage.lock(url, timeout=5):
            pass
    glances.join()


def test_a_lock_is_free_after_its_block_and_after_an_error(folder: str):
    url = storage.join(folder, "a")

    def fail() -> None:
        with storage.lock(url):
            raise RuntimeError("inside")

    for _ in range(2):
        with pytest.raises(RuntimeError, match="inside"):
            fail()
    with storage.lock(url, timeout=1):
        assert not storage.exists(url)


def test_locks_of_two_files_do_not_meet(folder: str):
    with (
        storage.lock(storage.join(folder, "a"), timeout=1),
        storage.lock(storage.join(folder, "b"), timeout=1),
    ):
        assert storage.list_files(folder) == []
        assert storage.list_folders(folder) == []


def test_a_killed_holder_frees_a_local_lock_at_once(tmp_path: Path):
    url = str(tmp_path / "a")
    with running(HOLD, url) as holder:
        holder.kill()
        holder.wait()
        with storage.lock(url, timeout=1):
            pass


def test_a_link_and_its_file_share_a_lock(tmp_path: Path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere" / "a")
    with (
        storage.lock(tmp_path / "link"),
        pytest.raises(StorageError, match="in use"),
        storage.lock(tmp_path / "elsewhere" / "a", timeout=0.1),
    ):
        pytest.fail("two held the lock")


@pytest.mark.slow
@pytest.mark.parametrize("bucket", ["gs_bucket", "s3_bucket"])
def test_a_killed_holder_frees_a_remote_lock_after_its_lease(
    bucket: str, request: pytest.FixtureRequest, short_lease: float
):
    url = request.getfixturevalue(bucket) + "/a"
    with running(HOLD, url) as holder:
        holder.kill()
        holder.wait()
        before = time.monotonic()
        with storage.lock(url, timeout=30):
            assert time.monotonic() - before > short_lease
        assert turns(url) == ["000000000002", "000000000002.free"]


def test_a_living_holder_keeps_its_lock_beyond_a_lease(remote: str, short_lease: float):
    with (
        storage.lock(remote),
        pytest.raises(StorageError, match="in use"),
        storage.lock(remote, timeout=2.5 * short_lease),
    ):
        pytest.fail("two held the lock")


def silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let holders never renew their leases, as if their machines slept."""
    monkeypatch.setattr(locks._Lease, "keep_beating", lambda lease, stop: stop.wait())


def test_a_lost_lock_is_told_on_leaving(
    remote: str, short_lease: float, monkeypatch: pytest.MonkeyPatch
):
    silence(monkeypatch)
    with pytest.raises(StorageError, match="was lost"), storage.lock(remote), storage.lock(remote):
        pass


def test_an_update_that_lost_its_lock_writes_nothing(
    remote: str, short_lease: float, monkeypatch: pytest.MonkeyPatch
):
    silence(monkeypatch)

    def slow(old: bytes | None) -> bytes:
        storage.update_bytes(remote, lambda _: b"the faster one's")
        return b"the sleeper's"

    with pytest.raises(StorageError, match="was lost"):
        storage.update_bytes(remote, slow)
    assert storage.read_bytes(remote) == b"the faster one's"


def test_of_many_who_break_a_stale_lock_only_one_succeeds(
    tmp_path: Path, short_lease: float, monkeypatch: pytest.MonkeyPatch
):
    url = f"memory://{tmp_path.name}/a"
    stale = locks._Lease(locks._lock_url(url), 1, "dead")
    assert stale.create()
    inside, most = 0, 0
    turn = threading.Lock()

    def work() -> None:
        nonlocal inside, most
        with storage.lock(url):
            with turn:
                inside += 1
                most = max(most, inside)
            time.sleep(0.02)
            with turn:
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_a_waiter_with_an_old_listing_steps_back(tmp_path: Path):
    url = f"memory://{tmp_path.name}/a"
    folder = locks._lock_url(url)
    slow = locks._Lease(folder, 1, "slow")
    with storage.lock(url):
        pass
    with storage.lock(url):  # clears turn 1, which the slow one then creates
        assert turns(url) == ["000000000002"]
        assert not slow.create()
    with storage.lock(url, timeout=1):
        pass


def test_a_turn_whose_reply_was_lost_is_recognised_as_ones_own(tmp_path: Path):
    folder = locks._lock_url(f"memory://{tmp_path.name}/a")
    mine = locks._Lease(folder, 1, "me")
    storage.write_bytes(mine.url, mine.content(beat=0))
    assert mine.create()
    assert not locks._Lease(folder, 1, "another").create()


def test_a_lock_leaves_two_small_objects_however_often_it_is_taken(remote: str):
    for _ in range(3):
        with storage.lock(remote):
            pass
    assert turns(remote) == ["000000000003", "000000000003.free"]
    storage.remove(storage.parent(remote), recursive=True)
    assert turns(remote) == []


def test_a_beat_that_fails_does_not_end_the_holder(
    tmp_path: Path, short_lease: float, monkeypatch: pytest.MonkeyPatch
):
    url = f"memory://{tmp_path.name}/a"
    write: Callable[..., None] = locks.write_bytes
    failures = iter([StorageError("down"), StorageError("down")])

    def flaky(target: str, data: bytes, **options: bool) -> None:
        beating = b'"beat"' in data and json.loads(data)["beat"] > 0
        error = next(failures, None) if beating else None
        if error:
            raise error
        write(target, data, **options)

    monkeypatch.setattr(locks, "write_bytes", flaky)
    with storage.lock(url):
        time.sleep(1.0)
        beat = json.loads(storage.read_bytes(locks._lock_url(url) + "/000000000001"))["beat"]
        assert beat > 2


def test_where_no_locks_exist_the_error_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import filelock

    def refuse(*_: object, **__: object) -> None:
        raise NotImplementedError

    monkeypatch.setattr(filelock.FileLock, "acquire", refuse)
    with (
        pytest.raises(StorageError, match=r"knows no locks\. Choose another folder"),
        storage.lock(tmp_path / "a"),
    ):
        pytest.fail("locked")
