"""What a process may use: made control groups, and real limits on a real process."""

import os
import subprocess
import sys

import pytest

from posenb.inference import limits
from posenb.inference.limits import memory_free, memory_limit, usable_cores
from posenb.inference.runtimes.choice import thread_count

MIB, GIB = 2**20, 2**30
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads what only Linux has")


@pytest.fixture
def system(tmp_path, monkeypatch):
    """A machine of 64 cores and 64 GiB, 48 of them free; writes its other files."""
    monkeypatch.setattr(limits, "_PROCESS", tmp_path / "self")
    monkeypatch.setattr(limits, "_MACHINE", tmp_path / "meminfo")
    monkeypatch.setattr(limits, "_GROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(limits, "_RESOURCES", ())
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    monkeypatch.setattr(os, "sysconf_names", {"SC_PHYS_PAGES": 0, "SC_PAGE_SIZE": 1})
    sizes = {"SC_PHYS_PAGES": 64 * GIB // 4096, "SC_PAGE_SIZE": 4096}
    monkeypatch.setattr(os, "sysconf", sizes.__getitem__)

    def write(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")

    write("meminfo", f"MemTotal: {64 * MIB} kB\nMemAvailable:   {48 * MIB} kB")
    return write


def put(system, folder, files):
    """Write files of a control group."""
    for name, text in files.items():
        system("/".join(("cgroup", *folder, name)), text)


# --- memory --------------------------------------------------------------------------


def test_without_limits_the_machine_is_the_limit(system):
    assert memory_limit() == 64 * GIB
    assert memory_free() == 48 * GIB


def test_a_container_is_held_to_the_limit_of_its_root(system):
    system("self/cgroup", "0::/")
    put(system, (), {"memory.max": 2 * GIB, "memory.current": GIB})
    assert memory_limit() == 2 * GIB
    assert memory_free() == GIB


def test_files_that_the_kernel_drops_when_it_needs_room_count_as_free(system):
    system("self/cgroup", "0::/")
    put(system, (), {"memory.max": 2 * GIB, "memory.current": 2 * GIB})
    assert memory_free() == 0
    put(system, (), {"memory.stat": f"anon {GIB}\ninactive_file {GIB // 2}\nactive_file 1"})
    assert memory_free() == GIB // 2


@pytest.mark.parametrize("limited", [("lab",), ("lab", "job"), ("lab", "job", "step")])
def test_a_limit_on_any_level_of_nested_groups_holds(system, limited):
    system("self/cgroup", "0::/lab/job/step")
    for depth in range(4):
        put(system, ("lab", "job", "step")[:depth], {"memory.max": "max", "memory.current": 0})
    assert memory_limit() == 64 * GIB
    put(system, limited, {"memory.max": GIB})
    assert memory_limit() == GIB


def test_groups_of_others_do_not_count(system):
    system("self/cgroup", "0::/lab/mine")
    put(system, ("lab", "theirs"), {"memory.max": MIB})
    put(system, ("lab", "mine", "child"), {"memory.max": MIB})
    assert memory_limit() == 64 * GIB


def test_groups_of_the_first_kind_are_read_too(system):
    system("self/cgroup", "5:devices:/\n4:memory:/docker/abc\n1:name=systemd:/docker/abc\n0::/")
    none = 9223372036854771712  # how they say that there is no limit
    put(system, ("memory",), {"memory.limit_in_bytes": none, "memory.usage_in_bytes": GIB})
    assert memory_limit() == 64 * GIB
    mine = {"memory.limit_in_bytes": 3 * GIB, "memory.usage_in_bytes": 2 * GIB}
    put(system, ("memory", "docker", "abc"), mine)
    put(system, ("memory", "docker", "abc"), {"memory.stat": f"total_inactive_file {GIB}"})
    assert memory_limit() == 3 * GIB
    assert memory_free() == 2 * GIB


def test_a_group_that_has_another_name_inside_counts_by_its_root(system):
    system("self/cgroup", "4:memory:/docker/abc")
    put(system, ("memory",), {"memory.limit_in_bytes": GIB, "memory.usage_in_bytes": 0})
    assert memory_limit() == GIB


def test_more_than_its_limit_leaves_nothing(system):
    system("self/cgroup", "0::/")
    put(system, (), {"memory.max": GIB, "memory.current": 2 * GIB})
    assert memory_free() == 0


def test_a_system_that_does_not_tell_its_memory_is_taken_for_a_small_one(system, monkeypatch):
    monkeypatch.setattr(os, "sysconf_names", {})
    assert memory_limit() == memory_free() == 8 * GIB


def test_a_machine_that_does_not_tell_what_is_free_is_taken_to_be_free(system, tmp_path):
    (tmp_path / "meminfo").unlink()
    assert memory_free() == memory_limit() == 64 * GIB


ASK = """
import resource
resource.setrlimit(getattr(resource, {name!r}), (2 * 2**30, 2 * 2**30))
from posenb.core import FrameFormat
from posenb.inference.limits import memory_free, memory_limit
from posenb.inference.sizing import batch_size_for
frames = FrameFormat("yuv420", 1080, 1920)
print(memory_limit(), memory_free(), batch_size_for(frames, 1080 * 1920, accelerated=False))
"""


@linux
@pytest.mark.parametrize("name", ["RLIMIT_DATA", "RLIMIT_AS"])
def test_a_process_with_2_gib_plans_for_2_gib(name):
    done = subprocess.run(
        [sys.executable, "-c", ASK.format(name=name)],
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},  # whose threads reserve address space
        capture_output=True,
        text=True,
        check=True,
    )
    limit, free, batch = map(int, done.stdout.split())
    assert limit <= 2 * GIB
    assert 0 < free < limit
    assert batch == 1


@linux
def test_this_machine_tells_figures_that_can_be():
    assert 0 < memory_free() <= memory_limit()
    assert memory_limit() > 2**28
    assert 1 <= usable_cores() <= len(os.sched_getaffinity(0))


# --- cores ---------------------------------------------------------------------------


def test_without_a_share_all_cores_may_be_used(system):
    system("self/cgroup", "0::/\n1:cpu,cpuacct:/")
    put(system, (), {"cpu.max": "max 100000"})
    put(system, ("cpu",), {"cpu.cfs_quota_us": -1, "cpu.cfs_period_us": 100000})
    assert usable_cores() == 64


@pytest.mark.parametrize(
    ("share", "cores"),
    [("200000 100000", 2), ("250000 100000", 3), ("50000 100000", 1), ("9900000 100000", 64)],
)
def test_a_pod_has_the_cores_of_its_share_of_time(system, share, cores):
    system("self/cgroup", "0::/")
    put(system, (), {"cpu.max": share})
    assert usable_cores() == cores


def test_the_smallest_share_of_nested_groups_counts(system):
    system("self/cgroup", "0::/pod/container")
    put(system, (), {"cpu.max": "800000 100000"})
    put(system, ("pod",), {"cpu.max": "200000 100000"})
    put(system, ("pod", "container"), {"cpu.max": "max 100000"})
    assert usable_cores() == 2


@pytest.mark.parametrize("folder", ["cpu", "cpu,cpuacct"])
def test_shares_of_the_first_kind_of_groups_are_read_too(system, folder):
    system("self/cgroup", "3:cpu,cpuacct:/kubepods/pod7")
    mine = (folder, "kubepods", "pod7")
    put(system, mine, {"cpu.cfs_quota_us": 400000, "cpu.cfs_period_us": 100000})
    assert usable_cores() == 4


def test_cores_that_the_process_is_bound_to_count(system, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5}, raising=False)
    assert usable_cores() == 2


def test_where_affinity_is_not_told_all_cores_count(system, monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert usable_cores() == 6
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert usable_cores() == 1


def test_runtimes_use_the_cores_of_the_share_unless_told_otherwise(system, monkeypatch):
    system("self/cgroup", "0::/")
    put(system, (), {"cpu.max": "200000 100000"})
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert thread_count() == 2
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    assert thread_count() == 5
