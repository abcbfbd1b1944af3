"""Which failures pass by waiting, and what to say about those that do not."""

from __future__ import annotations

import errno
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import TypeVar

from posenb.errors import PosenbError, StorageError
from posenb.storage.urls import scheme

__all__ = ["Fault", "fault_of", "is_missing", "naming_faults", "retrying", "storage_error"]

Result = TypeVar("Result")

# Clients retry by themselves too, so a few attempts here are many requests; no new
# attempt starts when the patience (seconds) is used up.
_ATTEMPTS = 5
_PATIENCE = 60.0
_FIRST_WAIT = 0.25
_LONGEST_WAIT = 8.0

# Errors of the clients that are no OSError. A class can only be raised once its module is
# loaded, so nothing is imported to name them.
_FOREIGN = (
    ("aiohttp.client_exceptions", "ClientError"),
    ("botocore.exceptions", "BotoCoreError"),
    ("botocore.exceptions", "ClientError"),
    ("gcsfs.retry", "HttpError"),
    ("gcsfs.retry", "ChecksumError"),
    ("google.auth.exceptions", "GoogleAuthError"),
    ("google.api_core.exceptions", "GoogleAPIError"),
)
_DROPPED = (
    ("aiohttp.client_exceptions", "ClientConnectionError"),
    ("aiohttp.client_exceptions", "ClientPayloadError"),
    ("botocore.exceptions", "ConnectionError"),
    ("botocore.exceptions", "HTTPClientError"),
    ("botocore.exceptions", "ResponseStreamingError"),
    ("botocore.parsers", "ResponseParserError"),
    ("gcsfs.retry", "ChecksumError"),
    ("google.auth.exceptions", "TransportError"),
    ("requests.exceptions", "ConnectionError"),
    ("requests.exceptions", "Timeout"),
    ("requests.exceptions", "ChunkedEncodingError"),
    ("urllib3.exceptions", "ProtocolError"),
)
_NO_CREDENTIALS = (
    ("botocore.exceptions", "NoCredentialsError"),
    ("botocore.exceptions", "PartialCredentialsError"),
    ("google.auth.exceptions", "DefaultCredentialsError"),
    ("google.auth.exceptions", "RefreshError"),
)
_TRANSIENT_STATUS = frozenset({408, 429, 500, 502, 503, 504})
_TRANSIENT_ERRNO = frozenset(
    {
        errno.EAGAIN,
        errno.EBUSY,
        errno.EHOSTUNREACH,
        errno.EINTR,
        errno.ENETDOWN,
        errno.ENETUNREACH,
        getattr(errno, "EREMOTEIO", errno.ETIMEDOUT),  # s3fs: the service's internal error
        errno.ETIMEDOUT,
    }
)


class Fault(Enum):
    """Kinds of failure that call for different cures."""

    MISSING = errno.ENOENT
    EXISTS = errno.EEXIST
    FOLDER = errno.EISDIR
    NO_FOLDER = errno.ENOTDIR
    PERMISSION = errno.EACCES
    CREDENTIALS = errno.EPERM
    FULL = errno.ENOSPC
    TRANSIENT = errno.ETIMEDOUT
    OTHER = errno.EIO


_CURES = {
    Fault.MISSING: "Check the spelling, and that the bucket or drive is there and mounted.",
    Fault.EXISTS: "Choose another name, or remove what is there first.",
    Fault.FOLDER: "It is a folder: name a file in it.",
    Fault.NO_FOLDER: "It, or a part of its path, is a file: name a folder.",
    Fault.PERMISSION: "Ask its owner for access, or choose a place that is yours.",
    Fault.FULL: "Free some space or choose another place, then run it again; what was there "
    "before is unharmed.",
    Fault.TRANSIENT: "Check the network connection and run it again; what was finished stays.",
    Fault.OTHER: "If it goes on, copy the data to a local folder and work there.",
}
_LOGINS = {
    "gs": "Log in to Google Cloud: in Colab run google.colab.auth.authenticate_user(), elsewhere "
    "run 'gcloud auth application-default login' or let GOOGLE_APPLICATION_CREDENTIALS name a "
    "key file.",
    "s3": "Give AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run "
    "'aws configure'.",
}


def retrying(action: str, url: str, call: Callable[[], Result]) -> Result:
    """Run `call` until it succeeds, its failure is permanent or patience ends.

    Waits grow exponentially and are drawn at random between half and the whole of
    their length, so that many workers do not come back at once.

    Parameters
    ----------
    action : str
        What is being done, as the start of a sentence ("Reading").
    url : str
        The URL that the error shall name.
    call : callable
        The work; must be safe to repeat.

    Raises
    ------
    StorageError
        If the failure is permanent or does not pass.
    """
    start = time.monotonic()
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return call()
        except PosenbError:
            raise
        except _failures() as error:
            tired = attempt == _ATTEMPTS or time.monotonic() - start > _PATIENCE
            if tired or fault_of(error) is not Fault.TRANSIENT:
                raise storage_error(action, url, error) from error
        wait = min(_FIRST_WAIT * 2 ** (attempt - 1), _LONGEST_WAIT)
        time.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 (no secret)
    raise AssertionError("unreachable: the last attempt returns or raises")


@contextmanager
def naming_faults(action: str, url: str) -> Iterator[None]:
    """Turn the failures of the body into a StorageError that names `url`."""
    try:
        yield
    except PosenbError:
        raise
    except _failures() as error:
        raise storage_error(action, url, error) from error


def storage_error(action: str, url: str, error: Exception) -> StorageError:
    """Return the error that names `url`, what went wrong and the cure.

    Its ``errno`` tells the kind: ENOENT, EEXIST, EACCES, ENOSPC and so on.
    """
    fault = fault_of(error)
    cure = _CURES.get(fault, "")
    if fault is Fault.CREDENTIALS:
        cure = _LOGINS.get(scheme(url), "Log in to the service that holds it.")
    detail = " ".join(str(error).split()) or "no further word"
    return _with_errno(f"{action} {url!r} failed ({type(error).__name__}: {detail}). {cure}", fault)


def _with_errno(message: str, fault: Fault) -> StorageError:
    made = StorageError(message)
    made.errno = fault.value
    return made


def is_missing(error: StorageError) -> bool:
    """Tell whether `error` says that nothing is there."""
    return error.errno == errno.ENOENT


def fault_of(error: BaseException) -> Fault:
    """Tell what kind of failure `error` is; this alone decides what is tried again."""
    for test in (_fault_by_class, _fault_by_status, _fault_by_errno):
        fault = test(error)
        if fault is not None:
            return fault
    cause = error.__cause__
    return fault_of(cause) if cause is not None else Fault.OTHER


def _fault_by_class(error: BaseException) -> Fault | None:
    if isinstance(error, _loaded(_NO_CREDENTIALS)) or "Anonymous caller" in str(error):
        return Fault.CREDENTIALS
    kinds: tuple[tuple[type[BaseException] | tuple[type[Exception], ...], Fault], ...] = (
        (FileNotFoundError, Fault.MISSING),
        (FileExistsError, Fault.EXISTS),
        (IsADirectoryError, Fault.FOLDER),
        (NotADirectoryError, Fault.NO_FOLDER),
        (PermissionError, Fault.PERMISSION),
        ((ConnectionError, TimeoutError, *_loaded(_DROPPED)), Fault.TRANSIENT),
    )
    for kind, fault in kinds:
        if isinstance(error, kind):
            return fault
    # gcsfs reports a 403 as a bare OSError.
    return Fault.PERMISSION if str(error).startswith("Forbidden") else None


def _fault_by_status(error: BaseException) -> Fault | None:
    status = _status(error)
    if status is None:
        return None
    if status in _TRANSIENT_STATUS:
        return Fault.TRANSIENT
    known = {401: Fault.CREDENTIALS, 403: Fault.PERMISSION, 404: Fault.MISSING, 412: Fault.EXISTS}
    return known.get(status)


def _status(error: BaseException) -> int | None:
    """Return the HTTP status that gcsfs, aiohttp or botocore put into their errors."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        if response.get("Error", {}).get("Code") == "ConditionalRequestConflict":
            return 503  # S3: two conditional writes met; one of them shall come again
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        return int(status) if status else None
    for field in ("status", "code"):
        value = getattr(error, field, None)
        if isinstance(value, int | str) and str(value).isdigit():
            return int(value)
    return None


def _fault_by_errno(error: BaseException) -> Fault | None:
    code = getattr(error, "errno", None)
    if code in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
        return Fault.FULL
    if code in (errno.EROFS, errno.EPERM):
        return Fault.PERMISSION
    return Fault.TRANSIENT if code in _TRANSIENT_ERRNO else None


def _failures() -> tuple[type[Exception], ...]:
    return (OSError, ValueError, EOFError, *_loaded(_FOREIGN))


def _loaded(names: tuple[tuple[str, str], ...]) -> tuple[type[Exception], ...]:
    found = (getattr(sys.modules.get(module), kind, None) for module, kind in names)
    return tuple(kind for kind in found if kind is not None)
