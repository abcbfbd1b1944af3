"""Files and folders behind URLs: local paths, ``gs://``, ``s3://`` and ``memory://`` alike."""

from posenb.storage.arrays import unpack_arrays
from posenb.storage.cache import cache_folder, cached_copy, cached_path
from posenb.storage.files import (
    copy,
    digest,
    exists,
    fingerprint,
    is_folder,
    list_files,
    list_folders,
    move,
    open_read,
    read_bytes,
    read_text,
    reading,
    remove,
    size,
    write_bytes,
    write_text,
    writing,
)
from posenb.storage.folders import copy_folder, interrupted_copy
from posenb.storage.growing import Growing, grow
from posenb.storage.locks import lock, lock_sign, update_bytes
from posenb.storage.parallel import in_order
from posenb.storage.urls import Url, is_local, join, name, parent, relative, resolve

__all__ = [
    "Growing",
    "Url",
    "cache_folder",
    "cached_copy",
    "cached_path",
    "copy",
    "copy_folder",
    "digest",
    "exists",
    "fingerprint",
    "grow",
    "in_order",
    "interrupted_copy",
    "is_folder",
    "is_local",
    "join",
    "list_files",
    "list_folders",
    "lock",
    "lock_sign",
    "move",
    "name",
    "open_read",
    "parent",
    "read_bytes",
    "read_text",
    "reading",
    "relative",
    "remove",
    "resolve",
    "size",
    "unpack_arrays",
    "update_bytes",
    "write_bytes",
    "write_text",
    "writing",
]
