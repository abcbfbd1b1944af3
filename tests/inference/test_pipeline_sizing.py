"""How much is done at a time: a rule that the same machine answers alike each time."""

import numpy as np
import pytest
from spots import COUNT, write_spots

from posenb import storage
from posenb._progress import silent_progress
from posenb.core import AnalyzeConfig, FrameFormat
from posenb.errors import ConfigError
from posenb.inference import analyze, plan, sizing
from posenb.inference.model import find_model
from posenb.inference.plan import make_plan
from posenb.inference.sizing import BATCH_SIZES, batch_size_for, decoders_for, usable_memory
from posenb.inference.target import find_targets

GIB = 2**30
VGA, UHD = FrameFormat("yuv420", 480, 640), FrameFormat("yuv420", 2160, 3840)


def size_for(frames, memory, *, accelerated=False, scale=1.0):
    pixels = round(frames.height * frames.width * scale**2)
    return batch_size_for(frames, pixels, accelerated=accelerated, memory=memory)


@pytest.mark.parametrize(
    ("frames", "memory", "accelerated", "size"),
    [
        (VGA, 12 * GIB, False, 16),
        (FrameFormat("yuv420", 1080, 1920), 128 * GIB, False, 16),
        (UHD, 128 * GIB, False, 4),
        (VGA, 1 * GIB, False, 2),
        (VGA, 16 * GIB, True, 32),
        (VGA, 128 * GIB, True, 32),
        (FrameFormat("yuv420", 240, 320), 128 * GIB, True, 64),
        (FrameFormat("grey", 1, 1), GIB, False, 16),
        (UHD, 12 * GIB, False, 1),
        (UHD, 64 * GIB, False, 4),
        (UHD, GIB, True, 1),
    ],
)
def test_batches_are_as_large_as_a_quarter_of_the_memory_allows(frames, memory, accelerated, size):
    assert size_for(frames, memory, accelerated=accelerated) == size


def test_what_the_network_does_not_see_costs_little():
    assert size_for(UHD, 12 * GIB, scale=0.25) > size_for(UHD, 12 * GIB)


def test_more_memory_never_makes_smaller_batches():
    sizes = [size_for(VGA, memory * GIB // 8) for memory in range(1, 200)]
    assert sizes == sorted(sizes)
    assert set(sizes) <= set(BATCH_SIZES)


@pytest.mark.parametrize(("free", "counted"), [(7, 12), (6, 12), (2, 4), (0, 0)])
def test_memory_counts_whole_unless_less_than_half_of_it_is_free(monkeypatch, free, counted):
    monkeypatch.setattr(sizing, "memory_limit", lambda: 12 * GIB)
    monkeypatch.setattr(sizing, "memory_free", lambda: free * GIB)
    assert usable_memory() == counted * GIB
    assert batch_size_for(VGA, VGA.height * VGA.width, accelerated=False) == size_for(
        VGA, counted * GIB
    )


def test_only_where_frames_are_converted_several_are_decoded_at_a_time(monkeypatch):
    monkeypatch.setattr(sizing, "usable_cores", lambda: 16)
    assert decoders_for(VGA) == 1
    assert decoders_for(FrameFormat("rgb", 480, 640)) == 4
    monkeypatch.setattr(sizing, "usable_cores", lambda: 1)
    assert decoders_for(FrameFormat("rgb", 480, 640)) == 1


# --- in an analysis ------------------------------------------------------------------


@pytest.fixture
def planned(spot_model, spot_clip, tmp_path):
    """Plan an analysis into tmp_path/out."""

    def make(**options):
        model = find_model(spot_model)
        (target,) = find_targets(model, [spot_clip], tmp_path / "out", several=False)
        return make_plan(model, target, AnalyzeConfig(**options))

    return make


def test_the_batch_size_is_found_and_told(planned, spot_model, spot_clip, tmp_path):
    assert planned().config.batch_size == 16
    poses = analyze(spot_model, spot_clip, output=tmp_path / "out", progress=silent_progress)
    assert poses.provenance["config"]["batch_size"] == 16


def test_a_finished_analysis_stands_whatever_size_would_be_chosen_now(
    planned, spot_model, spot_clip, tmp_path, monkeypatch
):
    options = {"output": tmp_path / "out", "progress": silent_progress}
    analyze(spot_model, spot_clip, batch_size=4, **options)
    assert planned().config.batch_size == 4
    monkeypatch.setattr("posenb.inference.work.run_spans", None)
    assert len(analyze(spot_model, spot_clip, **options)) == COUNT


def test_work_under_way_goes_on_with_its_batch_size(
    planned, spot_model, spot_clip, tmp_path, monkeypatch
):
    options = {"output": tmp_path / "out", "progress": silent_progress, "chunk_size": 8}
    begun = planned(batch_size=2, chunk_size=8)
    monkeypatch.setattr(plan, "batch_size_for", lambda *_, **__: 2)
    first = planned(chunk_size=8)
    assert first.config.batch_size == 2
    assert first.chunks == begun.chunks
    storage.write_bytes(storage.join(begun.folder.url, f"{begun.chunks[0].key}.npz"), b"anything")
    monkeypatch.setattr(plan, "batch_size_for", lambda *_, **__: 8)
    assert planned(chunk_size=8).config.batch_size == 2
    poses = analyze(spot_model, spot_clip, **options)
    assert poses.provenance["config"]["batch_size"] == 2


def test_a_size_that_is_given_counts(planned):
    planned(batch_size=2)
    assert planned(batch_size=5).config.batch_size == 5
    with pytest.raises(ConfigError, match="batch_size"):
        planned(batch_size="many")
    with pytest.raises(ConfigError, match="batch_size"):
        planned(batch_size=0)


def test_frames_that_must_be_converted_are_decoded_side_by_side_with_the_same_result(
    spot_model, tmp_path, monkeypatch
):
    from posenb.video import VideoReader, raw

    video = write_spots(tmp_path / "clip.mp4")
    options = {"chunk_size": 3, "batch_size": 2, "progress": silent_progress}
    planes = analyze(spot_model, video, output=tmp_path / "planes", **options)
    monkeypatch.setattr(raw, "_KINDS", {})
    opened = []
    batches = VideoReader.raw_batches
    monkeypatch.setattr(
        VideoReader,
        "raw_batches",
        lambda self, *args, **more: opened.append(self) or batches(self, *args, **more),
    )
    found = {}
    for cores in (1, 3):
        monkeypatch.setattr(sizing, "usable_cores", lambda cores=cores: cores)
        opened.clear()
        found[cores] = analyze(spot_model, video, output=tmp_path / f"{cores}", **options)
        assert len(set(map(id, opened))) <= cores
    np.testing.assert_array_equal(found[1].positions, found[3].positions)
    np.testing.assert_allclose(found[1].positions, planes.positions, atol=0.05)
