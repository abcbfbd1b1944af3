"""An analysis that meets the end of the memory: on a device, and by a resource limit."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from spots import COUNT, save_spot_model

from posenb._progress import silent_progress
from posenb.errors import VideoError
from posenb.inference import analyze
from posenb.inference.model import Model
from posenb.inference.sizing import out_of_memory
from posenb.video import write_video

MESSAGES = [
    "RESOURCE_EXHAUSTED: Out of memory while trying to allocate 34359738368 bytes.",  # JAX
    "OOM when allocating tensor with shape[16,96,241,321]",  # TensorFlow
    "Check 'ptr' failed: Failed to allocate 2005401600 bytes of memory",  # OpenVINO
    "[ONNXRuntimeError] : Failed to allocate memory for requested buffer of size 1069547520",
]


class Greedy:
    """Finds no memory."""

    workers = 1

    def __init__(self, message):
        self.message = message

    def __call__(self, raw):
        raise RuntimeError(self.message)


@pytest.fixture
def narrow(monkeypatch):
    """Make models fail with batches of more than a size; list the sizes that were tried."""
    tried = []
    predict = Model.predict

    def limit(most, message):
        def wrapped(self, frames, batch_size, crop=None):
            tried.append(batch_size)
            whole = predict(self, frames, batch_size, crop)
            return whole if batch_size <= most else Greedy(message)

        monkeypatch.setattr(Model, "predict", wrapped)
        return tried

    return limit


@pytest.mark.parametrize("message", MESSAGES)
def test_want_of_memory_is_known_by_what_the_runtimes_say(message):
    assert out_of_memory(RuntimeError(message))


def test_python_has_a_word_for_it_and_other_errors_are_others():
    assert out_of_memory(MemoryError())
    assert not out_of_memory(OSError(28, "No space left on device"))
    assert not out_of_memory(VideoError("clip.mp4 cannot be decoded."))


def test_where_memory_runs_out_it_goes_on_with_half_the_batch(
    narrow, spot_model, spot_clip, tmp_path
):
    tried = narrow(4, MESSAGES[0])
    poses = analyze(
        spot_model, spot_clip, runtime="keras", output=tmp_path, progress=silent_progress
    )
    assert tried == [16, 8, 4]
    assert poses.provenance["config"]["batch_size"] == 4
    assert len(poses) == COUNT
    assert np.isfinite(poses.positions).all()
    assert not (tmp_path / "chunks").exists()


def test_an_ensemble_goes_on_with_half_the_batch_too(narrow, spot_model, spot_clip, tmp_path):
    second = save_spot_model(tmp_path / "second.keras", gain=15.0)
    tried = narrow(8, MESSAGES[0])
    poses = analyze(
        [spot_model, second],
        spot_clip,
        runtime="keras",
        output=tmp_path / "out",
        progress=silent_progress,
    )
    assert set(tried) == {16, 8}
    assert poses.provenance["config"]["batch_size"] == 8
    assert poses.spread is not None


def test_a_size_that_is_given_is_not_changed_where_memory_runs_out(
    narrow, spot_model, spot_clip, tmp_path
):
    tried = narrow(4, MESSAGES[0])
    with pytest.raises(RuntimeError, match="RESOURCE_EXHAUSTED"):
        analyze(
            spot_model,
            spot_clip,
            batch_size=16,
            runtime="keras",
            output=tmp_path,
            progress=silent_progress,
        )
    assert tried == [16]


def test_where_one_frame_is_too_much_the_error_is_told(narrow, spot_model, spot_clip, tmp_path):
    tried = narrow(0, MESSAGES[0])
    with pytest.raises(RuntimeError, match="RESOURCE_EXHAUSTED"):
        analyze(spot_model, spot_clip, runtime="keras", output=tmp_path, progress=silent_progress)
    assert tried == [16, 8, 4, 2, 1]


def test_other_errors_are_not_taken_for_want_of_memory(narrow, spot_model, spot_clip, tmp_path):
    tried = narrow(0, "a driver is too old")
    with pytest.raises(RuntimeError, match="too old"):
        analyze(spot_model, spot_clip, runtime="keras", output=tmp_path, progress=silent_progress)
    assert tried == [16]


TIGHT = """
import resource, sys
from posenb._progress import silent_progress
from posenb.inference import analyze, plan
limit = 2 * 2**30
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
plan.batch_size_for = lambda *_, **__: 16
model, video, output, runtime = sys.argv[1:]
poses = analyze(model, video, output=output, runtime=runtime, progress=silent_progress)
print(poses.provenance["config"]["batch_size"])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds processes to their data")
@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
def test_a_process_that_meets_its_limit_goes_on_with_smaller_batches(runtime, tmp_path):
    model = Path(__file__).parents[2] / "model_zoo" / "mouse_openfield" / "model.onnx"
    video = tmp_path / "large.mp4"
    write_video(video, np.zeros((3, 1080, 1920, 3), np.uint8), fps=25)
    asked = [sys.executable, "-c", TIGHT, model, video, tmp_path / "out", runtime]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.splitlines()[-1]) < 16
