import errno
import itertools
import logging
import os
from collections.abc import Callable
from pathlib import Path

import aiohttp
import botocore.exceptions
import gcsfs.retry
import google.auth.exceptions
import pytest
import requests
from multidict import CIMultiDict, CIMultiDictProxy
from storage_servers import FaultyProxy
from yarl import URL

from posenb import storage
from posenb.errors import InvalidInputError, MissingPackageError, StorageError
from posenb.storage import faults
from posenb.storage.faults import Fault, fault_of, naming_faults, retrying, storage_error


def client_error(code: str, status: int) -> Exception:
    answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return botocore.exceptions.ClientError(answer, "PutObject")


def caused_by(cause: Exception) -> Exception:
    error = OSError("translated")
    error.__cause__ = cause
    return error


REQUEST = aiohttp.RequestInfo(URL("http://x"), "GET", CIMultiDictProxy(CIMultiDict()))
TRANSIENT = [
    ConnectionResetError(errno.ECONNRESET, "reset"),
    BrokenPipeError(),
    TimeoutError(),
    OSError(errno.ENETUNREACH, "no route"),
    OSError(errno.EBUSY, "SlowDown"),
    gcsfs.retry.HttpError({"code": 503, "message": "busy"}),
    gcsfs.retry.HttpError({"code": "429", "message": "slow down"}),
    gcsfs.retry.ChecksumError(),
    aiohttp.ServerDisconnectedError(),
    aiohttp.ClientPayloadError(),
    aiohttp.ClientResponseError(REQUEST, (), status=502),
    requests.exceptions.ConnectionError(),
    requests.exceptions.ChunkedEncodingError(),
    google.auth.exceptions.TransportError("metadata"),
    botocore.exceptions.EndpointConnectionError(endpoint_url="http://x"),
    botocore.exceptions.ReadTimeoutError(endpoint_url="http://x"),
    client_error("InternalError", 500),
    client_error("ConditionalRequestConflict", 409),
    caused_by(client_error("ServiceUnavailable", 503)),
]
PERMANENT = [
    (FileNotFoundError(), Fault.MISSING),
    (gcsfs.retry.HttpError({"code": 404, "message": "no bucket"}), Fault.MISSING),
    (FileExistsError(), Fault.EXISTS),
    (IsADirectoryError(), Fault.FOLDER),
    (NotADirectoryError(), Fault.NO_FOLDER),
    (PermissionError(errno.EACCES, "denied"), Fault.PERMISSION),
    (OSError(errno.EROFS, "read-only"), Fault.PERMISSION),
    (OSError("Forbidden: https://storage.googleapis.com/b/o\nno"), Fault.PERMISSION),
    (client_error("AccessDenied", 403), Fault.PERMISSION),
    (OSError(errno.ENOSPC, "full"), Fault.FULL),
    (OSError(errno.EDQUOT, "quota"), Fault.FULL),
    (botocore.exceptions.NoCredentialsError(), Fault.CREDENTIALS),
    (google.auth.exceptions.DefaultCredentialsError(), Fault.CREDENTIALS),
    (google.auth.exceptions.RefreshError("expired"), Fault.CREDENTIALS),
    (gcsfs.retry.HttpError({"code": 401, "message": "Invalid"}), Fault.CREDENTIALS),
    (OSError("Forbidden: b\nAnonymous caller does not have access"), Fault.CREDENTIALS),
    (ValueError("Bad Request: invalid bucket name"), Fault.OTHER),
    (OSError(errno.EIO, "broken disk"), Fault.OTHER),
]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait hardly at all between attempts."""
    monkeypatch.setattr(faults, "_FIRST_WAIT", 0.001)


@pytest.mark.parametrize("error", TRANSIENT, ids=repr)
def test_a_failure_of_the_moment_is_transient(error: Exception):
    assert fault_of(error) is Fault.TRANSIENT


@pytest.mark.parametrize(("error", "fault"), PERMANENT, ids=repr)
def test_a_failure_that_stays_is_permanent(error: Exception, fault: Fault):
    assert fault_of(error) is fault


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("error", TRANSIENT, ids=repr)
def test_a_transient_failure_is_tried_again(error: Exception):
    answers = iter([error, error, None])

    def call() -> str:
        failure = next(answers)
        if failure is not None:
            raise failure
        return "done"

    assert retrying("Reading", "gs://lab/a", call) == "done"


@pytest.mark.parametrize("error", [error for error, _ in PERMANENT], ids=repr)
def test_a_permanent_failure_is_not_tried_again(error: Exception):
    calls = itertools.count(1)

    def call() -> None:
        next(calls)
        raise error

    with pytest.raises(StorageError, match="Reading 'gs://lab/a' failed") as got:
        retrying("Reading", "gs://lab/a", call)
    assert next(calls) == 2
    assert got.value.__cause__ is error


@pytest.mark.usefixtures("impatient")
def test_trying_again_has_an_end():
    calls = itertools.count(1)

    def call() -> None:
        next(calls)
        raise ConnectionResetError("reset")

    with pytest.raises(StorageError, match=r"Check the network connection and run it again"):
        retrying("Reading", "gs://lab/a", call)
    assert next(calls) == faults._ATTEMPTS + 1


def test_no_attempt_begins_when_patience_has_ended(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(faults, "_PATIENCE", -1.0)
    calls = itertools.count(1)

    def call() -> None:
        next(calls)
        raise ConnectionResetError("reset")

    with pytest.raises(StorageError):
        retrying("Reading", "gs://lab/a", call)
    assert next(calls) == 2


def test_waits_grow_and_are_drawn_at_random(monkeypatch: pytest.MonkeyPatch):
    waits: list[float] = []
    monkeypatch.setattr(faults.time, "sleep", waits.append)

    def call() -> None:
        raise ConnectionResetError("reset")

    with pytest.raises(StorageError):
        retrying("Reading", "gs://lab/a", call)
    whole = [faults._FIRST_WAIT * 2**n for n in range(faults._ATTEMPTS - 1)]
    assert all(full / 2 <= wait <= full for wait, full in zip(waits, whole, strict=True))
    assert waits != whole


def test_a_bug_is_not_dressed_up_as_a_storage_failure():
    def call() -> None:
        raise TypeError("a bug")

    with pytest.raises(TypeError, match="a bug"):
        retrying("Reading", "gs://lab/a", call)


def test_an_error_of_ours_passes_as_it_is():
    ours = InvalidInputError("ours")

    def call() -> None:
        raise ours

    with pytest.raises(InvalidInputError) as got, naming_faults("Reading", "/a"):
        retrying("Reading", "/a", call)
    assert got.value is ours


@pytest.mark.parametrize(
    ("url", "error", "cure", "code"),
    [
        ("/a", OSError(errno.ENOSPC, "full"), "Free some space", errno.ENOSPC),
        ("/a", PermissionError("no"), "Ask its owner for access", errno.EACCES),
        ("gs://b/a", FileNotFoundError("b"), "that the bucket or drive is there", errno.ENOENT),
        (
            "gs://b/a",
            gcsfs.retry.HttpError({"code": 401, "message": "x"}),
            "gcloud auth application-default login",
            errno.EPERM,
        ),
        (
            "s3://b/a",
            botocore.exceptions.NoCredentialsError(),
            "set AWS_ACCESS_KEY_ID",
            errno.EPERM,
        ),
        (
            "memory://a",
            gcsfs.retry.HttpError({"code": 401, "message": "x"}),
            "Log in to the service",
            errno.EPERM,
        ),
    ],
)
def test_an_error_names_the_url_the_cause_and_the_cure(
    url: str, error: Exception, cure: str, code: int
):
    made = storage_error("Writing", url, error)
    assert str(made).startswith(f"Writing {url!r} failed ({type(error).__name__}: ")
    assert cure in str(made)
    assert made.errno == code


@pytest.fixture(params=["gs", "s3"])
def cloud(request: pytest.FixtureRequest) -> tuple[str, FaultyProxy]:
    """A fresh folder and the proxy it is reached through."""
    proxy = request.getfixturevalue(f"{request.param}_server")
    return request.getfixturevalue(f"{request.param}_bucket"), proxy


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the waits of ours and of the clients."""
    import asyncio

    sleep = asyncio.sleep
    monkeypatch.setattr(faults, "_FIRST_WAIT", 0.01)
    monkeypatch.setattr(asyncio, "sleep", lambda wait, *more: sleep(min(wait, 0.01), *more))


@pytest.mark.slow
@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("kind", ["503", "drop", "lose", "cut"])
def test_all_works_while_one_request_in_five_fails(cloud: tuple[str, FaultyProxy], kind: str):
    folder, proxy = cloud
    big = os.urandom(5 * 2**20)
    with proxy.failing(kind, every=5):
        urls = [storage.join(folder, f"sub/{index}") for index in range(4)]
        for index, url in enumerate(urls):
            assert not storage.exists(url)
            storage.write_bytes(url, b"%d" % index)
            storage.update_bytes(url, lambda old: (old or b"") + b"!")
            assert storage.read_bytes(url) == b"%d!" % index
        assert storage.list_files(storage.join(folder, "sub")) == urls
        storage.write_bytes(storage.join(folder, "big"), big)
        with storage.open_read(storage.join(folder, "big")) as stream:
            assert stream.read() == big
        storage.move(urls[0], storage.join(folder, "moved"))
        storage.copy_folder(storage.join(folder, "sub"), storage.join(folder, "copied"))
        storage.remove(storage.join(folder, "sub"), recursive=True)
        assert proxy.faults > 5
    assert storage.read_bytes(storage.join(folder, "moved")) == b"0!"
    assert storage.list_files(storage.join(folder, "sub"), recursive=True) == []
    copied = storage.list_files(storage.join(folder, "copied"))
    assert [storage.read_bytes(url) for url in copied] == [b"1!", b"2!", b"3!"]


@pytest.mark.slow
@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("kind", ["503", "drop"])
def test_a_dead_service_is_never_taken_for_an_empty_one(
    cloud: tuple[str, FaultyProxy], kind: str, monkeypatch: pytest.MonkeyPatch
):
    folder, proxy = cloud
    url = storage.join(folder, "a")
    storage.write_bytes(url, b"old")
    monkeypatch.setattr(faults, "_ATTEMPTS", 2)
    acts: list[Callable[[], object]] = [
        lambda: storage.exists(url),
        lambda: storage.is_folder(folder),
        lambda: storage.list_files(folder),
        lambda: storage.list_files(folder, recursive=True),
        lambda: storage.list_folders(folder),
        lambda: storage.read_bytes(url),
        lambda: storage.write_bytes(url, b"new"),
        lambda: storage.update_bytes(url, lambda old: b"new"),
        lambda: storage.remove(url),
    ]
    with proxy.failing(kind):
        for act in acts:
            with pytest.raises(StorageError, match="Check the network connection") as got:
                act()
            assert folder in str(got.value)
    assert storage.read_bytes(url) == b"old"


@pytest.mark.usefixtures("soon")
def test_a_bucket_that_is_missing_is_named(cloud: tuple[str, FaultyProxy]):
    folder, _ = cloud
    url = folder.replace("posenb-tests", "no-such-bucket")
    with pytest.raises(StorageError, match=r"no-such-bucket.* that the bucket or drive is there"):
        storage.write_bytes(url, b"x")
    assert not storage.exists(url)
    assert storage.list_files(url) == []


def test_a_failure_leaves_no_traceback_in_the_log(
    gs_bucket: str, capfd: pytest.CaptureFixture[str]
):
    root = logging.getLogger()
    handlers, root.handlers = root.handlers, []
    try:
        with pytest.raises(StorageError):
            storage.read_bytes(gs_bucket.replace("posenb-tests", "no such bucket") + "/a")
    finally:
        root.handlers = handlers
    assert capfd.readouterr().err == ""


def test_s3_without_its_package_names_the_extra(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(__import__("sys").modules, "s3fs", None)
    with pytest.raises(MissingPackageError, match=r'pip install "posenb\[s3\]"'):
        storage.exists("s3://lab/a")


def test_a_scheme_that_nobody_speaks_is_refused():
    with pytest.raises(InvalidInputError, match="got carrier-pigeon://"):
        storage.exists("carrier-pigeon://lab/a")


def test_a_scheme_whose_package_is_missing_names_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(__import__("sys").modules, "adlfs", None)
    with pytest.raises(MissingPackageError, match=r"abfs:// URLs need a package.*adlfs"):
        storage.exists("abfs://lab/a")


def test_where_writing_is_not_atomic_nothing_is_written(tmp_path: Path):
    with pytest.raises(StorageError, match="only where a file appears whole or not at all"):
        storage.write_bytes("https://127.0.0.1/a", b"x")
