"""Growing files in buckets: resumable sessions of gs://, multipart uploads of s3://."""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import quote

from fsspec.asyn import sync

from posenb.errors import StorageError
from posenb.storage.faults import Fault, fault_of, is_missing, retrying
from posenb.storage.growing import Growing, check_part, check_whole, lost, taken
from posenb.storage.remote import remote_store
from posenb.storage.urls import scheme

__all__ = ["grow_in_bucket"]

_CONTENT = "application/octet-stream"
_INCOMPLETE, _CANCELLED = 308, 499  # Google's own meanings


def grow_in_bucket(
    url: str, size: int, part: int, ticket: str | None, origin: str | None
) -> Growing:
    """Return a growing file of a bucket; see `posenb.storage.grow`.

    Parameters
    ----------
    url : str
        Resolved.
    size, part : int
        Bytes of the whole and of each part.
    ticket, origin : str or None
    """
    protocol = scheme(url)
    system = remote_store(protocol).system
    if protocol == "gs":
        return _GoogleGrowing(system, (url, size, part), ticket, origin)
    if protocol == "s3":
        return _AmazonGrowing(system, (url, size, part), ticket)
    raise StorageError(
        f"Files can grow in local folders, gs://, s3:// and memory://; got {url!r}. Keep the "
        "project in one of those."
    )


class _GoogleGrowing:
    """A resumable session of the JSON interface.

    Its address is all that is needed to write this one object, for a week, from anywhere;
    a browser on the page of `origin` may use it too.
    https://cloud.google.com/storage/docs/performing-resumable-uploads
    """

    def __init__(
        self, system: Any, file: tuple[str, int, int], ticket: str | None, origin: str | None
    ) -> None:
        self.url, self.size, self.part = file
        self._system = system
        self._last: bytes | None = None
        if ticket is not None and not ticket.startswith(f"{system._location}/upload/storage/v1/b/"):
            raise lost(self.url)
        self.ticket = ticket or retrying("Writing", self.url, partial(self._begin, origin))
        self._arrived = self._ask() if ticket is not None else 0

    @property
    def session(self) -> str | None:
        """Address of the session."""
        return self.ticket

    @property
    def position(self) -> int:
        """Whole parts that the bucket holds."""
        there = self._arrived
        if self._last is not None or there == self.size:
            return self.size
        return there - there % self.part

    def append(self, data: bytes) -> None:
        """Send a part; the last one waits for `finish`, as with it the object appears."""
        check_part(self, data)
        start = self.position
        if start + len(data) == self.size:
            self._last = bytes(data)
        else:
            retrying("Writing", self.url, partial(self._send, bytes(data), start))

    def finish(self) -> None:
        """Send the last part, or see that a browser has done so."""
        if self._last is not None:
            start = self.size - len(self._last)
            retrying("Writing", self.url, partial(self._send, self._last, start))
        else:
            self._arrived = self._ask()
        check_whole(self)

    def crc32c(self) -> str | None:
        """Return the checksum that Google makes of every object."""
        found = retrying("Measuring", self.url, partial(self._system.info, self.url))
        return str(found["crc32c"])

    def abort(self) -> None:
        """End the session."""
        retrying("Removing", self.url, self._cancel)

    def _begin(self, origin: str | None) -> str:
        bucket, key, _ = self._system.split_path(self.url)
        headers = {"X-Upload-Content-Type": _CONTENT, "X-Upload-Content-Length": str(self.size)}
        if origin is not None:
            headers["Origin"] = origin
        answer, _ = self._system.call(
            "POST",
            f"{self._system._location}/upload/storage/v1/b/{quote(bucket)}/o",
            name=key,
            uploadType="resumable",
            ifGenerationMatch="0",
            json={"name": key},
            headers=headers,
        )
        return str(answer["Location"])

    def _send(self, data: bytes, start: int) -> None:
        """PUT what the bucket lacks of a part, which may be a piece of it after a failure."""
        stop = start + len(data)
        if self._arrived != start:
            self._arrived = self._ask()
        if not start <= self._arrived < stop:
            if self._arrived >= stop:
                return
            raise lost(self.url)
        begin, self._arrived = self._arrived, -1  # unknown until the bucket has answered
        span = {"Content-Range": f"bytes {begin}-{stop - 1}/{self.size}"}
        headers = self._put(span, data[begin - start :])
        self._arrived = self.size if stop == self.size else _after(headers)
        if self._arrived < stop:
            raise ConnectionError(f"the bucket kept {self._arrived} of {stop} bytes")

    def _ask(self) -> int:
        """Return how many bytes the bucket holds."""
        return retrying("Writing", self.url, self._status)

    def _status(self) -> int:
        span = {"Content-Range": f"bytes */{self.size}"}
        try:
            status, headers, _, _ = sync(
                *(self._system.loop, self._system._request, "PUT", self.ticket),
                headers=span,
                data=b"",
            )
        except Exception as error:
            if str(getattr(error, "code", "")) in ("404", "410"):
                raise lost(self.url) from error
            raise
        if status == _CANCELLED:
            raise lost(self.url)
        return _after(headers) if status == _INCOMPLETE else self.size

    def _cancel(self) -> None:
        try:
            self._system.call("DELETE", self.ticket)
        except Exception as error:
            if str(getattr(error, "code", "")) not in ("404", "410"):
                raise

    def _put(self, headers: dict[str, str], data: bytes) -> Any:
        try:
            answer, _ = self._system.call("PUT", self.ticket, headers=headers, data=data)
        except Exception as error:
            if fault_of(error) is Fault.EXISTS:
                raise taken(self.url) from error
            if str(getattr(error, "code", "")) == "400":
                # The client repeats what it sent when an answer is lost; then it does not fit.
                raise ConnectionError(f"the bucket refused a part: {error}") from error
            raise
        return answer


def _after(headers: Any) -> int:
    """Return the number of bytes that an answer's header "Range: bytes=0-99" tells of."""
    span = headers.get("Range")
    return int(span.rpartition("-")[2]) + 1 if span else 0


class _AmazonGrowing:
    """A multipart upload, whose parts the bucket lists by itself.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
    """

    session = None

    def __init__(self, system: Any, file: tuple[str, int, int], ticket: str | None) -> None:
        self.url, self.size, self.part = file
        self._system = system
        bucket, key, _ = system.split_path(self.url)
        self._place = {"Bucket": bucket, "Key": key}
        self._parts: list[dict[str, Any]] = []
        if ticket is None:
            answer = self._call("Writing", "create_multipart_upload")
            self.ticket = str(answer["UploadId"])
        else:
            self.ticket = ticket
            self._parts = self._listed()

    @property
    def position(self) -> int:
        """Bytes of all parts that the bucket holds."""
        return min(len(self._parts) * self.part, self.size)

    def append(self, data: bytes) -> None:
        """Send a part."""
        check_part(self, data)
        number = len(self._parts) + 1
        answer = self._call(
            "Writing", "upload_part", UploadId=self.ticket, PartNumber=number, Body=bytes(data)
        )
        self._parts.append({"PartNumber": number, "ETag": answer["ETag"]})

    def finish(self) -> None:
        """Join the parts; what has the name meanwhile keeps it."""
        check_whole(self)
        self._call(
            "Writing",
            "complete_multipart_upload",
            UploadId=self.ticket,
            MultipartUpload={"Parts": self._parts},
            IfNoneMatch="*",
        )

    def crc32c(self) -> None:
        """Return nothing: S3 makes none of parts; their MD5 is compared as they arrive."""

    def abort(self) -> None:
        """Throw the parts away."""
        try:
            self._call("Removing", "abort_multipart_upload", UploadId=self.ticket)
        except StorageError as error:
            if not is_missing(error):
                raise

    def _listed(self) -> list[dict[str, Any]]:
        """Return the whole parts that the bucket holds, up to the first that lacks."""
        found: list[dict[str, Any]] = []
        mark = 0
        while True:
            try:
                answer = self._call(
                    "Reading", "list_parts", UploadId=self.ticket, PartNumberMarker=mark
                )
            except StorageError as error:
                if is_missing(error):
                    raise lost(self.url) from error
                raise
            found += answer.get("Parts", [])
            if not answer.get("IsTruncated"):
                break
            mark = answer["NextPartNumberMarker"]
        whole: list[dict[str, Any]] = []
        for number, part in enumerate(found, start=1):
            due = min(self.part, self.size - (number - 1) * self.part)
            if part["PartNumber"] != number or part["Size"] != due:
                break
            whole.append({"PartNumber": number, "ETag": part["ETag"]})
        return whole

    def _call(self, action: str, method: str, **inputs: Any) -> Any:
        call = partial(self._system.call_s3, method, **self._place, **inputs)
        return retrying(action, self.url, call)
