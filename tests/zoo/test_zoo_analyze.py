"""From a video to poses without labels, training or a project."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from zoo_models import COUNT, FACTS, KEYPOINTS, spot_at

import posenb as pn
from posenb import storage
from posenb._progress import silent_progress
from posenb.cli.recordings import find_recordings
from posenb.errors import AnalysisError, ConfigError, InvalidInputError, UnknownNameError
from posenb.inference import load_poses
from posenb.video import open_video, write_video
from posenb.zoo import add_index, analyze, publish

TRUE = np.array([spot_at(number) for number in range(COUNT)])


@pytest.fixture
def find(published, clip, tmp_path):
    """Analyze the clip with the model, the files going to a folder of the test's."""

    def analyze_clip(**options):
        options = {"size": 1.0, "output": tmp_path / "poses", **options}
        return analyze(clip, published / "spots", progress=silent_progress, **options)

    return analyze_clip


def test_poses_are_found_and_written_as_those_of_any_analysis(find, tmp_path):
    poses = find()
    np.testing.assert_allclose(poses.positions[:, 0, 0], TRUE, atol=0.6)
    again = load_poses(tmp_path / "poses")
    np.testing.assert_array_equal(again.positions, poses.positions)
    assert again.skeleton == poses.skeleton
    assert again.provenance == poses.provenance
    assert poses.scorer == "posenb_spots"


def test_the_files_tell_which_model_it_was_and_under_which_licence(find, published):
    told = find().provenance["zoo"]
    index = json.loads((published / "index.json").read_text())
    assert told["model"] == "spots"
    assert told["licence"] == "CC0-1.0"
    assert told["card_sha256"] == index["models"]["spots"]["card_sha256"]
    assert told["size"] == {"value": 1.0, "given": True}


def test_the_model_may_be_named_and_the_files_go_beside_the_video(published, tmp_path):
    add_index(published)
    write_video(tmp_path / "clip.mp4", np.zeros((4, 64, 96, 3), np.uint8), fps=25)
    poses = analyze(tmp_path / "clip.mp4", "spots", size=1.0, progress=silent_progress)
    assert poses.url == str(tmp_path / "clip_poses" / "spots" / "poses.h5")


@pytest.fixture
def find_beside(clip, tmp_path):
    """Analyze a copy of the clip with a model; the files go where they do by default."""
    video = shutil.copy(clip, tmp_path / "clip.mp4")
    return lambda model, **options: analyze(
        video, model, **{"size": 1.0, "progress": silent_progress, **options}
    )


def test_two_models_keep_their_poses_and_videos_of_one_clip_apart(
    run, published, tmp_path, find_beside
):
    publish(run, tmp_path / "zoo", name="dots", facts=FACTS, progress=silent_progress)
    first = find_beside(published / "spots")
    shown = Path(pn.labelled_video(first, progress=silent_progress))
    before = {path: path.read_bytes() for path in shown.parent.iterdir()}
    second = find_beside(tmp_path / "zoo" / "dots")
    assert Path(second.url).parent == tmp_path / "clip_poses" / "dots"
    assert {path: path.read_bytes() for path in shown.parent.iterdir()} == before
    assert len(find_recordings([str(tmp_path / "clip_poses" / "dots")])) == 1
    with pytest.raises(AnalysisError, match=r"several: .*dots, .*spots"):
        find_recordings([str(tmp_path / "clip.mp4")])


def test_models_of_one_name_do_not_share_a_folder_either(run, published, tmp_path, find_beside):
    facts = {**FACTS, "title": "Another spot"}
    publish(run, tmp_path / "zoo", name="spots", facts=facts, progress=silent_progress)
    first = find_beside(published / "spots")
    second = find_beside(tmp_path / "zoo" / "spots")
    digest = second.provenance["zoo"]["card_sha256"]
    assert Path(second.url).parent.name == f"spots-{digest[:8]}"
    for model, poses in ((published / "spots", first), (tmp_path / "zoo" / "spots", second)):
        assert find_beside(model).url == poses.url


def test_a_video_that_shows_other_poses_does_not_stay_beside_these(find_beside, published):
    model = published / "spots"
    shown = Path(pn.labelled_video(find_beside(model), progress=silent_progress))
    find_beside(model)
    assert shown.is_file()  # they are the same
    find_beside(model, stop=9)
    assert not shown.exists()


def test_the_size_is_found_told_and_not_searched_again(find, monkeypatch):
    told = find(size=None).provenance["zoo"]["size"]
    assert told["given"] is False
    assert told["tried"][f"{told['value']:.4g}"] == pytest.approx(told["likelihood"], abs=1e-3)
    monkeypatch.setattr(sys.modules["posenb.zoo.analyze"], "measure", None)
    assert find(size=None).provenance["zoo"]["size"] == told


def test_other_frames_are_measured_anew(find, monkeypatch):
    find(size=None)
    monkeypatch.setattr(sys.modules["posenb.zoo.analyze"], "measure", None)
    with pytest.raises(TypeError):
        find(size=None, start=3)


def test_only_some_keypoints_are_kept(find, tmp_path):
    poses = find(keypoints=["tail", "snout"])
    assert poses.skeleton.keypoints == ("tail", "snout")
    assert poses.positions.shape == (COUNT, 1, 2, 2)
    assert load_poses(tmp_path / "poses").skeleton == poses.skeleton


def test_keypoints_get_new_names_and_keep_their_edges(find, tmp_path):
    poses = find(keypoints={"snout": "nose", "ear": "ear"})
    assert poses.skeleton.keypoints == ("nose", "ear")
    assert poses.skeleton.edge_names == (("nose", "ear"),)
    assert poses.provenance["zoo"]["keypoints"] == {"snout": "nose", "ear": "ear"}
    assert "nose" in (tmp_path / "poses" / "poses.csv").read_text()


def test_another_choice_of_keypoints_computes_nothing_again(find, monkeypatch):
    first = find(keypoints=["snout"])
    monkeypatch.setattr(sys.modules["posenb.inference.analyze"], "do_spans", None)
    second = find(keypoints={"snout": "nose"})
    np.testing.assert_array_equal(first.positions, second.positions)


def test_a_choice_of_keypoints_is_not_taken_for_all_of_them(find):
    find(keypoints=["snout"])
    assert find().skeleton.keypoints == KEYPOINTS


def test_run_again_it_reads_the_files(find, monkeypatch):
    first = find()
    monkeypatch.setattr(sys.modules["posenb.inference.analyze"], "do_spans", None)
    np.testing.assert_array_equal(find().positions, first.positions)


def test_options_of_an_analysis_count_here_too(find):
    assert len(find(start=2, stop=7)) == 5
    poses = find(crop=(0, 96, 0, 64), stop=4)
    np.testing.assert_allclose(poses.positions[:, 0, 0], TRUE[:4], atol=0.6)


@pytest.mark.parametrize(
    ("options", "said"),
    [({"crop": (0, 900, 0, 64)}, "A crop is"), ({"start": 400}, "A frame range has")],
)
def test_a_crop_or_range_outside_the_video_is_refused_before_the_search(options, said, find):
    with pytest.raises(InvalidInputError, match=said):
        find(size=None, **options)


@pytest.mark.parametrize("size", [0.0, 0.1, 5.0, float("nan")])
def test_a_size_out_of_range_is_refused(size, find):
    with pytest.raises(InvalidInputError, match=r"0\.25 to 4"):
        find(size=size)


def test_an_unknown_keypoint_is_refused_before_anything_is_done(find, tmp_path):
    with pytest.raises(UnknownNameError, match="Did you mean 'snout'"):
        find(keypoints=["snot"])
    assert not (tmp_path / "poses").exists()


@pytest.mark.parametrize("keypoints", [{"snout": "a", "tail": "a"}, []])
def test_names_that_clash_or_none_are_refused(keypoints, find):
    with pytest.raises(InvalidInputError):
        find(keypoints=keypoints)


def test_an_unknown_option_is_refused(find):
    with pytest.raises(ConfigError, match="'colour' is not an option"):
        find(colour="blue")


def test_a_model_in_a_bucket_is_fetched_and_used(distant, clip, tmp_path):
    poses = analyze(
        clip, f"{distant}/spots", size=1.0, output=tmp_path / "poses", progress=silent_progress
    )
    np.testing.assert_allclose(poses.positions[:, 0, 0], TRUE, atol=0.6)


@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime", "keras"])
def test_every_runtime_finds_the_same(runtime, find, tmp_path):
    poses = find(runtime=runtime, output=tmp_path / runtime, precision="float32")
    np.testing.assert_allclose(poses.positions[:, 0, 0], TRUE, atol=0.6)


@pytest.mark.slow
@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_the_mouse_is_found_in_a_clip_of_half_and_of_double_size(factor, shared_data, tmp_path):
    import av

    with open_video(shared_data / "openfield" / "videos" / "m3v1mp4.mp4") as video:
        frames = [video[number] for number in range(0, 60, 10)]
    height, width = (round(side * factor) for side in frames[0].shape[:2])
    scaled = [
        av.VideoFrame.from_ndarray(frame, format="rgb24")
        .reformat(width, height, interpolation="AREA" if factor < 1 else "BICUBIC")
        .to_ndarray()
        for frame in frames
    ]
    write_video(tmp_path / "scaled.mp4", scaled, fps=30)
    write_video(tmp_path / "native.mp4", frames, fps=30)
    found = pn.zoo.analyze(tmp_path / "scaled.mp4", "mouse_openfield", progress=silent_progress)
    native = pn.zoo.analyze(
        tmp_path / "native.mp4", "mouse_openfield", size=1.0, progress=silent_progress
    )
    size = found.provenance["zoo"]["size"]["value"]
    assert size == pytest.approx(factor, rel=0.25)
    assert np.isfinite(found.positions).all()
    off = (found.positions + 0.5) / factor - 0.5 - native.positions
    assert np.median(np.hypot(*np.moveaxis(off, -1, 0))) < 4.0
    assert storage.exists(tmp_path / "scaled_poses" / "mouse_openfield" / "poses.csv")
