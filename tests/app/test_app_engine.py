"""What the app asks of a model."""

import pytest

from posenb import zoo
from posenb._progress import silent_progress
from posenb.app.engine import analyze_clip
from posenb.app.state import Options


@pytest.mark.parametrize(
    ("model", "flip"), [("mouse_openfield", True), ("fly_above", True), ("mouse_mirror", False)]
)
def test_exact_looks_at_mirrored_frames_only_where_the_model_knows_them(
    shared_data, tmp_path, monkeypatch, model, flip
):
    asked = {}
    monkeypatch.setattr(zoo, "analyze", lambda *_, **options: asked.update(options))
    clip = shared_data / "openfield" / "videos" / "m3v1mp4.mp4"
    analyze_clip(clip, model, Options(quality="exact"), silent_progress, output=tmp_path)
    assert asked["config"].flip == flip
