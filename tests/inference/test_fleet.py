"""Fleets: real workers, processes of their own, that share only the disk."""

import os
import pickle
import signal
import time

import numpy as np
import pytest
from spots import COUNT, save_spot_model, spots, write_spots

from posenb import storage
from posenb._progress import silent_progress
from posenb.core import AnalyzeConfig
from posenb.errors import AnalysisError, MissingPackageError, StorageError, VideoError
from posenb.inference import analyze, fleet
from posenb.inference.chunks import Chunk
from posenb.inference.fleet import spread, work_on
from posenb.inference.model import find_model
from posenb.inference.plan import make_plan
from posenb.inference.target import find_targets

distributed = pytest.importorskip("distributed", reason="the extra dask is not installed")


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """Two workers of one thread each, which a nanny starts again when they die."""
    space = tmp_path_factory.mktemp("dask")
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0"}
    options["env"] = {"POSENB_CACHE": str(tmp_path_factory.getbasetemp() / "cache")}
    with (
        distributed.LocalCluster(**options, local_directory=str(space)) as cluster,
        distributed.Client(cluster) as made,
    ):
        yield made


@pytest.fixture
def videos(tmp_path):
    return [write_spots(tmp_path / f"{n}.mp4", n) for n in (COUNT, 30, 12)]


class Watch:
    """A progress bar that calls back once so many frames are done."""

    def __init__(self, after=0, call=lambda: None):
        self.after, self.call = after, call
        self.total, self.done, self.text = None, 0, ""

    def __call__(self, total, description, unit="it"):
        self.total, self.text = total, f"{description} {unit}"
        return self

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return None

    def advance(self, count=1, **figures):
        self.done += count
        if self.done > self.after:
            self.after = float("inf")
            self.call()


def contents(folder):
    return {
        storage.relative(url, str(folder)): storage.digest(url)
        for url in storage.list_files(folder, recursive=True)
    }


def pid(client, which=0):
    return list(client.run(os.getpid).values())[which]


# --- what workers do, called here ----------------------------------------------------


@pytest.fixture
def plan(spot_model, spot_clip, tmp_path):
    model = find_model(spot_model)
    (target,) = find_targets(model, [spot_clip], tmp_path / "out", several=False)
    return make_plan(model, target, AnalyzeConfig(chunk_size=8, batch_size=8))


def test_a_job_is_small_and_holds_no_arrays_and_no_model(plan):
    spans = plan.missing()
    assert len(pickle.dumps((plan.job, spans[0]))) < 1500
    assert sum(len(chunk) for span in spans for chunk in span) == COUNT


def test_a_worker_leaves_out_what_is_finished(plan, monkeypatch):
    spans = plan.missing()
    work_on(plan.job, spans[0])
    assert plan.folder.keys() == {chunk.key for chunk in spans[0]}
    monkeypatch.setattr(fleet, "do_spans", None)
    work_on(plan.job, spans[0])


def test_a_worker_computes_a_damaged_chunk_again(plan):
    span = plan.missing()[0]
    work_on(plan.job, span)
    (path,) = storage.list_files(plan.folder.url)
    whole = storage.read_bytes(path)
    storage.write_bytes(path, whole[:-40])
    work_on(plan.job, span)
    assert storage.read_bytes(path) == whole


def test_a_worker_refuses_a_video_that_changed(plan, tmp_path):
    video = write_spots(tmp_path / "clip.mp4", 30)
    (target,) = find_targets(plan.model, [video], tmp_path / "other", several=False)
    plan = make_plan(plan.model, target, AnalyzeConfig(chunk_size=8))
    write_spots(video, 20)
    with pytest.raises(AnalysisError, match=r"clip\.mp4 changed"):
        work_on(plan.job, plan.missing()[0])
    assert plan.folder.keys() == set()


def test_a_worker_refuses_another_model(plan, monkeypatch):
    from dataclasses import replace

    job = replace(plan.job, identity="0" * 64)
    with pytest.raises(AnalysisError, match="is another one here than where the work was planned"):
        work_on(job, plan.missing()[0])


# --- a cluster -----------------------------------------------------------------------


def test_a_cluster_writes_the_same_files_as_one_machine(client, spot_model, videos, tmp_path):
    options = {"chunk_size": 8, "batch_size": 8}
    analyze(spot_model, videos, output=tmp_path / "here", progress=silent_progress, **options)
    watch = Watch()
    found = analyze(
        spot_model, videos, output=tmp_path / "there", client=client, progress=watch, **options
    )
    assert contents(tmp_path / "here") == contents(tmp_path / "there")
    assert [len(poses) for poses in found] == [COUNT, 30, 12]
    np.testing.assert_allclose(found[0].positions[:, 0, 0], spots(), atol=0.5)
    assert watch.done == watch.total == COUNT + 30 + 12
    assert watch.text == f"Analyzing {COUNT}.mp4 and 2 more frame"
    again = Watch()
    analyze(spot_model, videos, output=tmp_path / "there", client=client, progress=again, **options)
    assert again.total is None


def test_a_cluster_analyzes_with_an_ensemble(client, spot_model, spot_clip, tmp_path):
    models = [spot_model, save_spot_model(tmp_path / "second.keras", 10.0)]
    options = {"chunk_size": 8, "batch_size": 8, "progress": silent_progress}
    analyze(models, spot_clip, output=tmp_path / "here", **options)
    found = analyze(models, spot_clip, output=tmp_path / "there", client=client, **options)
    assert contents(tmp_path / "here") == contents(tmp_path / "there")
    assert found.spread.shape == (COUNT, 1, 2)


def test_each_worker_loads_the_model_once(client, spot_model, spot_clip, tmp_path):
    client.run(fleet._model.cache_clear)
    options = {"chunk_size": 3, "batch_size": 2, "progress": silent_progress}
    analyze(spot_model, spot_clip, output=tmp_path / "out", client=client, **options)
    used = list(client.run(fleet._model.cache_info).values())
    assert [each.misses for each in used if each.hits + each.misses] in ([1], [1, 1])
    assert sum(each.hits for each in used) >= 4


def test_a_worker_that_is_killed_costs_no_more_than_what_it_was_doing(
    client, spot_model, videos, tmp_path
):
    options = {"chunk_size": 2, "batch_size": 2}
    analyze(spot_model, videos, output=tmp_path / "here", progress=silent_progress, **options)
    victims = []

    def kill():
        victims.append(pid(client))
        os.kill(victims[0], signal.SIGKILL)

    watch = Watch(20, kill)
    analyze(spot_model, videos, output=tmp_path / "there", client=client, progress=watch, **options)
    assert victims
    assert watch.done == watch.total
    assert contents(tmp_path / "here") == contents(tmp_path / "there")


def test_an_interrupt_cancels_what_has_not_begun_and_keeps_what_is_finished(
    client, spot_model, spot_clip, tmp_path
):
    def interrupt():
        raise KeyboardInterrupt

    options = {"chunk_size": 2, "batch_size": 2, "output": tmp_path / "out", "client": client}
    with pytest.raises(KeyboardInterrupt):
        analyze(spot_model, spot_clip, progress=Watch(8, interrupt), **options)
    deadline = time.monotonic() + 30
    while any(client.processing().values()) and time.monotonic() < deadline:
        time.sleep(0.05)
    kept = len(storage.list_files(tmp_path / "out/chunks"))
    assert 5 <= kept < 20
    watch = Watch()
    poses = analyze(spot_model, spot_clip, progress=watch, **options)
    assert watch.total < COUNT
    np.testing.assert_allclose(poses.positions[:, 0, 0], spots(), atol=0.5)


def test_an_error_on_a_worker_is_raised_as_it_is(client, spot_model, tmp_path):
    video = write_spots(tmp_path / "clip.mp4", 30)

    def spoil():
        video.write_bytes(b"no video any more")

    options = {"chunk_size": 2, "batch_size": 2, "output": tmp_path / "out", "client": client}
    with pytest.raises((AnalysisError, VideoError), match=r"clip\.mp4"):
        analyze(spot_model, video, progress=Watch(4, spoil), **options)
    with pytest.raises(StorageError, match=r"absent\.mp4"):
        analyze(spot_model, tmp_path / "absent.mp4", client=client)


def test_storage_that_the_workers_share_with_nobody_is_found_out(client, spot_model, spot_clip):
    """memory:// is each process's own."""
    options = {"output": "memory://fleet/out", "progress": silent_progress, "client": client}
    with pytest.raises(AnalysisError, match="both sides must see the same storage"):
        analyze(spot_model, spot_clip, **options)


@pytest.mark.slow
def test_requests_that_fail_one_time_in_ten_change_nothing(
    client, gs_server, gs_bucket, spot_model, spot_clip, tmp_path
):
    options = {"chunk_size": 16, "batch_size": 8, "progress": silent_progress}
    here = tmp_path / "here"
    storage.copy(spot_clip, f"{gs_bucket}/clip.mp4")
    environment = {"STORAGE_EMULATOR_HOST": gs_server.url}
    client.run(lambda: os.environ.update(environment))
    with gs_server.failing("503", "drop", "cut", every=10):
        analyze(
            spot_model, f"{gs_bucket}/clip.mp4", output=f"{gs_bucket}/out", client=client, **options
        )
        faults = gs_server.faults
    analyze(spot_model, f"{gs_bucket}/clip.mp4", output=here, **options)
    assert faults > 2
    assert contents(f"{gs_bucket}/out") == contents(here)


# --- giving up -----------------------------------------------------------------------


def die(number):
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_task_that_kills_its_workers_is_given_up(client):
    with pytest.raises(AnalysisError, match=r"workers that stay alive.*Run it again"):
        list(spread(client, die, [(0,)]))


def test_without_dask_it_says_what_to_install(monkeypatch, spot_model, spot_clip, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(MissingPackageError, match=r'pip install "posenb\[dask\]"'):
        analyze(spot_model, spot_clip, output=tmp_path / "out", client=object())


def test_a_chunk_travels_as_its_key_and_range():
    chunk = Chunk("a" * 64, 3, 8)
    assert pickle.loads(pickle.dumps(chunk)) == chunk
