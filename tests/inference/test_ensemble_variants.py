"""Frames mirrored and at other sizes, and one pose of all."""

import json

import numpy as np
import pytest
from spots import HEIGHT, WIDTH, spot_at, spot_picture, spots

from posenb._progress import silent_progress
from posenb.core import AnalyzeConfig, FrameFormat
from posenb.errors import AnalysisError, ConfigError
from posenb.inference import analyze
from posenb.inference.model import find_model
from posenb.inference.variants import (
    Variants,
    VariedPredict,
    combine,
    mirror_frames,
    mirrored_crop,
)

RNG = np.random.default_rng(0)
FLIP = Variants(flip=True)


def poses(*each):
    """V variants of one frame with one keypoint, each x, y, likelihood."""
    return np.array(each, np.float32)[:, None, None]


def one(found):
    return found[0, 0].tolist()


# --- one pose of several -------------------------------------------------------------


def test_one_variant_is_left_as_it_is():
    assert one(combine(poses((3, 4, 0.5)), 8)) == [3, 4, 0.5]


def test_variants_that_agree_are_averaged_by_their_likelihood():
    found = combine(poses((10, 20, 0.9), (12, 20, 0.3)), 8)
    np.testing.assert_allclose(one(found), [10.5, 20, 0.6], rtol=1e-6)


def test_one_that_is_elsewhere_does_not_pull_but_makes_less_sure():
    found = combine(poses((10, 20, 0.8), (400, 20, 0.9), (12, 22, 0.8)), 8)
    np.testing.assert_allclose(one(found), [11, 21, 1.6 / 3], rtol=1e-6)


def test_of_two_that_disagree_the_likelier_counts_and_is_half_as_likely():
    for order in (1, -1):
        found = combine(poses((10, 20, 0.4), (300, 200, 0.8))[::order], 8)
        np.testing.assert_allclose(one(found), [300, 200, 0.4], rtol=1e-6)


def test_where_all_disagree_the_position_is_one_that_was_found():
    each = [(0, 100, 0.5), (100, 0, 0.6), (50, 300, 0.5)]
    assert tuple(one(combine(poses(*each), 8))[:2]) in {(x, y) for x, y, _ in each}


def test_keypoints_without_any_likelihood_stay_numbers():
    found = combine(poses((10, 20, 0), (12, 20, 0)), 8)
    np.testing.assert_allclose(one(found), [11, 20, 0], atol=1e-6)


def test_the_order_of_variants_and_the_company_of_frames_do_not_matter():
    many = RNG.uniform(0, 20, (5, 7, 3, 3)).astype(np.float32)
    whole = combine(many, 6)
    assert (whole.shape, whole.dtype) == ((7, 3, 3), np.float32)
    np.testing.assert_allclose(combine(many[::-1], 6), whole, rtol=1e-5)
    np.testing.assert_array_equal(combine(many[:, 2:3], 6), whole[2:3])


# --- mirrors -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["rgb", "grey", "yuv420", "yuv422", "yuv444"])
def test_mirroring_turns_each_plane_and_twice_is_nothing(kind):
    frames = FrameFormat(kind, 6, 8)
    raw = RNG.integers(0, 256, (3, frames.nbytes), np.uint8)
    mirrored = mirror_frames(raw, frames)
    np.testing.assert_array_equal(mirror_frames(mirrored, frames), raw)
    packed = 3 if kind == "rgb" else 1
    first = 6 * 8 * packed
    upright, turned = (each[:, :first].reshape(3, 6, 8, packed) for each in (raw, mirrored))
    np.testing.assert_array_equal(turned, upright[:, :, ::-1])


def test_a_crop_is_mirrored_with_the_frame():
    assert mirrored_crop((10, 30, 5, 9), 100) == (70, 90, 5, 9)
    assert mirrored_crop(None, 100) is None


class Left:
    """Finds keypoint 0 at the brightest pixel of the left half, keypoint 1 in the right."""

    workers = 1

    def __call__(self, raw):
        found = []
        for frame in raw.reshape(-1, 4, 10):
            halves = frame[:, :5], frame[:, 5:]
            points = [np.unravel_index(half.argmax(), half.shape) for half in halves]
            found.append([(x + 5 * n, y, 0.8) for n, (y, x) in enumerate(points)])
        return np.array(found, np.float32)


def test_what_is_left_in_the_mirror_is_right():
    frame = np.zeros((4, 10), np.uint8)
    frame[1, 2] = frame[3, 6] = 255
    raw, form = frame.reshape(1, -1), FrameFormat("grey", 4, 10)
    plain = Left()(raw)
    both = VariedPredict([Left()], [Left()], form, 10, [(0, 1)], 2.0)
    np.testing.assert_allclose(both(raw), plain)
    unpaired = VariedPredict([Left()], [Left()], form, 10, [], 2.0)
    assert (unpaired(raw)[..., 2] < 0.5).all()  # they contradict each other


# --- models --------------------------------------------------------------------------


@pytest.mark.parametrize("runtime", ["onnxruntime", "keras"])
@pytest.mark.parametrize("crop", [None, (8, 72, 4, 60)])
def test_a_real_model_finds_the_same_in_all_variants(spot_model, runtime, crop):
    variants = Variants(True, (1.0, 2.0))
    model = find_model(spot_model, runtime=runtime, precision="float32", variants=variants)
    numbers = [2, 4, 7, 8]
    raw = np.stack([spot_picture(number).reshape(-1) for number in numbers])
    found = model.predict(FrameFormat("rgb", HEIGHT, WIDTH), 4, crop)(raw)
    corner = (0, 0) if crop is None else (crop[0], crop[2])
    expected = np.array([spot_at(number) for number in numbers]) - corner
    np.testing.assert_allclose(found[:, 0, :2], expected, atol=1.5)
    assert (found[..., 2] > 0.8).all()


def test_every_variant_makes_it_another_model(spot_model):
    options = {"runtime": "onnxruntime"}
    plain = find_model(spot_model, **options)
    several = [FLIP, Variants(False, (0.8, 1.0)), Variants(False, (0.8,)), Variants(True, (0.8,))]
    found = [find_model(spot_model, variants=each, **options) for each in several]
    assert len({each.identity for each in (plain, *found)}) == 5
    assert plain.identity == find_model(spot_model, variants=Variants(), **options).identity


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"mirrored": False}, "spot does not know them: it was trained on animals that all face"),
        ({"keypoints": ("snout", "earL")}, "earL seem to name a side and have no partner"),
    ],
)
def test_a_model_that_does_not_know_mirrored_animals_is_not_shown_them(spot_model, facts, message):
    options = {"runtime": "onnxruntime", "precision": "float32"}
    model = find_model(spot_model, variants=FLIP, **options)
    known = model.description.replace(**facts)
    raw = FrameFormat("rgb", HEIGHT, WIDTH)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(model), "description", known)
        with pytest.raises(AnalysisError, match=message):
            model.predict(raw, 4, None)
        known = known.replace(mirrored=None, keypoints=("a", "b"))
        patch.setattr(type(model), "description", known)
        model.predict(raw, 4, None)


# --- analysis ------------------------------------------------------------------------


def test_an_analysis_with_variants_is_another_one_and_tells_so(spot_model, spot_clip, tmp_path):
    def run(**options):
        return analyze(
            *(spot_model, spot_clip),
            output=tmp_path,
            runtime="onnxruntime",
            batch_size=4,
            stop=9,
            progress=silent_progress,
            **options,
        )

    def key():
        return json.loads((tmp_path / "meta.json").read_text())["key"]

    run()
    plain = key()
    found = run(flip=True, scales=(1.0, 2.0))
    np.testing.assert_allclose(found.positions[:, 0, 0], spots(9), atol=1.5)
    varied, written = key(), (tmp_path / "meta.json").stat().st_mtime_ns
    assert varied != plain
    assert found.provenance["config"]["scales"] == [1.0, 2.0]
    again = run(flip=True, scales=(1.0, 2.0))
    assert (tmp_path / "meta.json").stat().st_mtime_ns == written
    np.testing.assert_array_equal(again.positions, found.positions)


@pytest.mark.parametrize("scales", [(), (0.1,), (9.0,), "big"])
def test_sizes_must_make_sense(scales):
    with pytest.raises(ConfigError, match="scales"):
        AnalyzeConfig(scales=scales)
