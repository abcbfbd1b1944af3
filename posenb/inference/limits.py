"""What this process may use of the machine: its cores and its memory.

The system's own figures are those of the whole machine. A container, a pod or a batch job
is held to less by control groups, whose limits are files, and a login by resource limits.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.util import find_spec
from math import ceil
from pathlib import Path, PurePosixPath

__all__ = ["memory_free", "memory_limit", "usable_cores"]

_UNKNOWN_MEMORY = 8 * 2**30
_PROCESS = Path("/proc/self")
_MACHINE = Path("/proc/meminfo")
_GROUPS = Path("/sys/fs/cgroup")
# Limit, use, and the line of memory.stat that tells how much of the use is files which the
# kernel drops when it needs room; of both kinds of control groups.
_GROUP_MEMORY = (
    ("memory.max", "memory.current", "inactive_file"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)
# Names of resource limits, and the lines of /proc/self/status that tell the use.
_RESOURCES = (("RLIMIT_AS", "VmSize"), ("RLIMIT_DATA", "VmData"))


def usable_cores() -> int:
    """Return how many cores this process may use: by its affinity and by its share of time.

    A share of 2.5 cores counts as 3, so that none of it lies idle.
    """
    if hasattr(os, "sched_getaffinity"):
        counts = [len(os.sched_getaffinity(0))]
    else:
        counts = [os.cpu_count() or 1]
    for group in _groups("cpu"):
        quota, period = _quota(group)
        if quota > 0 and period > 0:
            counts.append(ceil(quota / period))
    return min(counts)


def memory_limit() -> int:
    """Return the bytes of memory that this process may ever use, whatever is free now."""
    return min((limit for limit, _ in _bounds()), default=_UNKNOWN_MEMORY)


def memory_free() -> int:
    """Return the bytes of memory that this process can have now and nobody else uses."""
    return max(0, min((limit - used for limit, used in _bounds()), default=_UNKNOWN_MEMORY))


def _bounds() -> Iterator[tuple[int, int]]:
    """Give each limit on memory that holds for this process, and what is used of it, bytes."""
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        whole = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        yield whole, whole - 1024 * _figure(_MACHINE, "MemAvailable:", whole // 1024)
    for group in _groups("memory"):
        for limit, use, droppable in _GROUP_MEMORY:
            if (allowed := _number(group / limit)) is not None:
                used = _number(group / use) or 0
                yield allowed, used - _figure(group / "memory.stat", droppable, 0)
    if find_spec("resource") is not None:  # not on Windows
        import resource

        for name, line in _RESOURCES:
            allowed = resource.getrlimit(getattr(resource, name))[0]
            if allowed != resource.RLIM_INFINITY:
                yield allowed, 1024 * _figure(_PROCESS / "status", f"{line}:", 0)


def _groups(controller: str) -> Iterator[Path]:
    """Give the folders of the control groups that this process is in.

    A container often sees its own group as the root, whatever its name is outside; then the
    folders of that name are not there, and only the root counts.
    """
    for line in _text(_PROCESS / "cgroup").splitlines():
        _, controllers, name = line.split(":", 2)
        if not controllers:  # the second kind, which has all controllers in one tree
            roots = {_GROUPS, _GROUPS / "unified"}
        elif controller in controllers.split(","):
            roots = {_GROUPS / controllers, _GROUPS / controller}
        else:
            continue
        parts = PurePosixPath(name).parts[1:]
        for root in roots:
            for depth in range(len(parts) + 1):
                folder = root.joinpath(*parts[:depth])
                if folder.is_dir():
                    yield folder


def _quota(group: Path) -> tuple[int, int]:
    """Return how many microseconds of each period a group may compute; no quota is not above 0."""
    quota, _, period = _text(group / "cpu.max").strip().partition(" ")
    if quota.isdecimal() and period.isdecimal():
        return int(quota), int(period)
    return _number(group / "cpu.cfs_quota_us") or 0, _number(group / "cpu.cfs_period_us") or 0


def _number(path: Path) -> int | None:
    """Return the number that is all of a file; None if there is none, or a word such as "max"."""
    text = _text(path).strip()
    return int(text) if text.isdecimal() else None


def _figure(path: Path, name: str, otherwise: int) -> int:
    """Return the number behind a name at the beginning of a line."""
    for line in _text(path).splitlines():
        words = line.split()
        if words[:1] == [name]:
            return int(words[1])
    return otherwise


def _text(path: Path) -> str:
    """Return what is in a file of the system; nothing if it is not there or not to be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
