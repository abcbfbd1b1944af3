"""What is drawn over a frame: colours, opacity, trails, names, traces."""

from itertools import pairwise

import numpy as np
import pytest

from posenb.core import Poses, Skeleton
from posenb.errors import ConfigError, UnknownNameError
from posenb.overlays import LabelledVideoConfig
from posenb.overlays.lettering import Word, write_words
from posenb.overlays.overlay import make_overlay, make_track
from posenb.overlays.traces import make_traces
from posenb.overlays.view import View

SKELETON = Skeleton(("snout", "tail", "ear"), ((0, 1), (1, 2)))
VIEW = View((0, 200, 0, 100), (200, 100))
QUIET = {"past": 0.0}


def moving(individuals=1, frames=20, likelihood=1.0):
    """Animals that move right by 2 pixels in each frame."""
    positions = np.zeros((frames, individuals, 3, 2))
    positions[..., 0] = 2 * np.arange(frames)[:, None, None] + [20, 60, 100]
    positions[..., 1] = 20 + 40 * np.arange(individuals)[:, None]
    names = ("",) if individuals == 1 else tuple("ab")
    likelihoods = np.full((frames, individuals, 3), likelihood)
    return Poses(positions, likelihoods, SKELETON, individuals=names, fps=10)


def overlay_of(poses, view=VIEW, start=0, stop=20, **options):
    config = LabelledVideoConfig(**{**QUIET, **options})
    reach = round(config.past * 10), round(config.future * 10)
    track = make_track(poses, start - reach[0], stop + reach[1], config)
    return make_overlay(track, view, 10.0, config)


def likelihoods_changed(poses, value, place):
    likelihoods = poses.likelihoods.copy()
    likelihoods[place] = value
    return Poses(poses.positions, likelihoods, SKELETON, individuals=poses.individuals, fps=10)


def test_discs_lie_on_the_keypoints():
    (drawing,) = overlay_of(moving()).drawings(5)
    assert drawing.discs.centres.tolist() == [[30, 20], [70, 20], [110, 20]]


def test_discs_follow_crop_and_scale():
    view = View((10, 110, 0, 50), (200, 100))
    (drawing,) = overlay_of(moving(), view).drawings(5)
    assert drawing.discs.centres[0].tolist() == [40.5, 40.5]


def test_keypoints_have_colours_of_their_own_or_individuals_have():
    (alone,) = overlay_of(moving()).drawings(0)
    assert len(np.unique(alone.discs.fills[:, :3], axis=0)) == 3
    first, second = overlay_of(moving(2)).drawings(0)
    assert len(np.unique(first.discs.fills[:, :3], axis=0)) == 1
    assert (first.discs.fills[0] != second.discs.fills[0]).any()
    first, second = overlay_of(moving(2), colour="keypoint").drawings(0)
    np.testing.assert_array_equal(first.discs.fills, second.discs.fills)


def test_a_keypoint_keeps_its_colour_when_others_are_left_out():
    (whole,) = overlay_of(moving()).drawings(0)
    (part,) = overlay_of(moving(), keypoints=("ear",)).drawings(0)
    assert part.discs.centres.tolist() == [whole.discs.centres[2].tolist()]
    assert part.discs.fills.tolist() == [whole.discs.fills[2].tolist()]


def test_edges_join_the_keypoints_that_are_drawn():
    (drawing,) = overlay_of(moving()).drawings(0)
    assert [line[:, 0].tolist() for line in drawing.lines.points[2:]] == [[20, 60], [60, 100]]
    (part,) = overlay_of(moving(), keypoints=("tail", "ear")).drawings(0)
    assert [line[:, 0].tolist() for line in part.lines.points] == [[60, 100]] * 2
    (bare,) = overlay_of(moving(), skeleton=False).drawings(0)
    assert not bare.lines.points


def test_unlikely_keypoints_are_pale_and_so_are_their_edges():
    poses = likelihoods_changed(moving(), 0.4, np.s_[:, 0, 1])
    (drawing,) = overlay_of(poses).drawings(0)
    assert drawing.discs.fills[:, 3].tolist() == [1, 0.4, 1]
    assert drawing.lines.colours[2:, 3] == pytest.approx([0.36, 0.36])


def test_the_least_likely_keypoint_can_still_be_seen():
    (drawing,) = overlay_of(moving(likelihood=0.0)).drawings(0)
    assert (drawing.discs.fills[:, 3] > 0.1).all()


def test_below_the_cutoff_keypoints_may_be_hidden():
    poses = likelihoods_changed(moving(likelihood=0.7), 0.4, np.s_[:, 0, 1])
    (drawing,) = overlay_of(poses, likelihood="cutoff", cutoff=0.5).drawings(0)
    assert drawing.discs.centres[:, 0].tolist() == [20, 100]
    assert (drawing.discs.fills[:, 3] == 1).all()


def test_likelihood_may_be_ignored_and_labels_have_none():
    for poses, options in ((moving(likelihood=0.1), {"likelihood": "ignore"}), (moving(), {})):
        unknown = likelihoods_changed(poses, np.nan, np.s_[:, 0, 0])
        (drawing,) = overlay_of(unknown, **options).drawings(0)
        assert drawing.discs.fills[:, 3].tolist() == [1, 1, 1]


def test_missing_keypoints_are_not_drawn():
    positions = moving().positions.copy()
    positions[:, :, 1] = np.nan
    (drawing,) = overlay_of(Poses(positions, np.ones((20, 1, 3)), SKELETON, fps=10)).drawings(3)
    assert len(drawing.discs.centres) == 2
    nothing = Poses(np.full((20, 1, 3, 2), np.nan), np.full((20, 1, 3), np.nan), SKELETON, fps=10)
    (drawing,) = overlay_of(nothing, past=0.5).drawings(3)
    assert len(drawing.discs.centres) == 0


def trail_of(poses, frame, **options):
    """Lines of the first keypoint's trail, oldest first, and their opacity."""
    (drawing,) = overlay_of(poses, skeleton=False, keypoints=("snout",), **options).drawings(frame)
    return [line[:, 0].tolist() for line in drawing.lines.points], drawing.lines.colours[:, 3]


def test_a_trail_reaches_into_the_past_and_fades():
    lines, opacity = trail_of(moving(), 12, past=0.6)
    assert lines == [[32, 34], [34, 36], [36, 38], [38, 40], [40, 42], [42, 44]]
    assert (np.diff(opacity) > 0).all()


def test_a_trail_may_show_where_the_animal_will_go():
    lines, opacity = trail_of(moving(), 12, future=0.3)
    assert sorted(lines) == [[44, 46], [46, 48], [48, 50]]
    assert (np.diff(opacity) > 0).all()  # the farthest is drawn first


def test_the_trails_of_an_individual_that_has_one_colour_are_one_line_with_gaps():
    first, second = overlay_of(moving(2), skeleton=False, past=0.2).drawings(12)
    _, new = first.lines.points
    assert np.isfinite(new[:, 0]).tolist() == [True, True, False] * 3
    assert new[[0, 1, 3, 4, 6, 7], 0].tolist() == [42, 44, 82, 84, 122, 124]
    assert (first.lines.colours[0, :3] != second.lines.colours[0, :3]).any()


def test_a_long_trail_fades_in_a_few_steps_without_gaps():
    poses = moving(frames=100)
    lines, _ = trail_of(poses, 90, stop=100, past=6.0)
    assert len(lines) == 6
    assert all(before[-1] == after[0] for before, after in pairwise(lines))
    assert lines[0][0] == 20 + 2 * 30


def test_a_trail_begins_where_the_poses_do():
    lines, _ = trail_of(moving(), 1, past=0.4)
    assert np.isfinite(np.concatenate(lines)).sum() == 3


def test_a_trail_shows_what_came_before_the_chosen_range():
    lines, _ = trail_of(moving(), 10, start=10, stop=15, past=0.4)
    assert min(map(min, lines)) == 20 + 2 * 6


def test_unlikely_positions_leave_a_gap_in_the_trail():
    poses = likelihoods_changed(moving(), 0.2, np.s_[8, 0, 0])
    lines, _ = trail_of(poses, 12, past=0.6)
    assert not any(20 + 2 * 8 in line for line in lines)


def test_the_radius_goes_by_animal_and_picture_unless_it_is_given():
    assert overlay_of(moving(), radius=7.5).radius == 7.5
    small, large = View((0, 200, 0, 100), (100, 50)), View((0, 200, 0, 100), (1600, 800))
    assert overlay_of(moving(), small).radius < overlay_of(moving(), large).radius
    single = Poses(np.full((4, 1, 1, 2), 9.0), np.ones((4, 1, 1)), Skeleton(("a",)))
    assert 1 < overlay_of(single, stop=4).radius < 10


def test_keypoints_may_be_named_on_the_outer_side():
    words = overlay_of(moving(), names="keypoints").words(0)
    assert [word.text for word in words] == ["snout", "tail", "ear"]
    assert words[0].x < 20
    assert words[0].anchor == 1
    assert words[2].x > 100
    assert words[2].anchor == 0
    assert overlay_of(moving()).words(0) == []
    assert overlay_of(moving(likelihood=0.1), names="keypoints").words(0) == []


def test_individuals_may_be_named_above_their_heads():
    words = overlay_of(moving(2), names="individuals").words(0)
    assert [word.text for word in words] == ["a", "b"]
    assert words[0].y < 20 < words[1].y < 60


def test_an_unknown_keypoint_or_option_is_refused():
    with pytest.raises(UnknownNameError, match="snout"):
        overlay_of(moving(), keypoints=("snoot",))
    with pytest.raises(ConfigError, match="'trail' is not an option"):
        LabelledVideoConfig(trail=3)
    with pytest.raises(ConfigError, match="speed"):
        LabelledVideoConfig(speed=11)
    with pytest.raises(ConfigError, match="start"):
        LabelledVideoConfig(start="soon")


# --- letters -------------------------------------------------------------------------


def written(*words, size=20, background=0):
    picture = np.full((60, 200, 3), background, np.uint8)
    write_words(picture, [Word(*word) for word in words], size)
    return picture


def test_letters_stand_on_their_line_and_begin_where_they_are_told():
    picture = written(("H", 50, 40), background=90)
    rows, columns = np.nonzero((picture > 200).all(axis=2))
    assert rows.max() in (39, 40)
    assert columns.min() in (50, 51, 52, 53)
    assert picture.min() < 90  # the outline


@pytest.mark.parametrize("anchor", [0.0, 0.5, 1.0])
def test_letters_are_anchored_left_in_the_middle_or_right(anchor):
    columns = np.nonzero((written(("HHHHH", 100, 40, anchor)) > 200).any(axis=(0, 2)))[0]
    left = 100 - anchor * (columns.max() - columns.min())
    assert columns.min() == pytest.approx(left, abs=4)


@pytest.mark.parametrize("x", [0, 199])
@pytest.mark.parametrize("y", [0, 30, 59])
def test_a_word_at_the_edge_moves_inwards(x, y):
    whole = (written(("frame", 50, 30)) > 200).sum()
    assert (written(("frame", x, y)) > 200).sum() == whole


@pytest.mark.parametrize("place", [(-1, 20), (20, -50), (900, 20), (20, 900)])
def test_a_word_outside_is_left_out(place):
    assert not written(("tail", *place)).any()


def test_a_word_too_long_for_the_picture_is_cut():
    assert (written(("m" * 90, 50, 30)) > 200).any()


def test_words_make_room_for_each_other():
    whole = (written(("tail", 50, 30)) > 200).sum()
    assert (written(("tail", 50, 30), ("tail", 52, 31)) > 200).sum() == 2 * whole


# --- traces --------------------------------------------------------------------------


def traces_of(poses, size=(320, 240), frames=(0, 20), theme="light", **options):
    track = make_track(poses, 0, 20, LabelledVideoConfig(**options))
    return make_traces(track, np.arange(20) / 10, frames, size, theme)


def drawn(traces, frame):
    out = np.empty_like(traces.strong)
    traces.draw(frame, out)
    return out


def test_the_cursor_moves_through_the_panel_with_the_frames():
    traces = traces_of(moving())
    assert traces.strong.shape == (240, 320, 3)
    assert (np.diff(traces.columns) > 0).all()
    row = traces.rows[0].start + 3
    for frame in (0, 7, 19):
        picture = drawn(traces, frame)
        assert picture[row, traces.columns[frame]].tolist() == [31, 41, 51]


def test_what_is_to_come_is_pale():
    traces = traces_of(moving())
    middle = traces.columns[10]
    picture = drawn(traces, 10)
    np.testing.assert_array_equal(picture[:, :middle], traces.strong[:, :middle])
    np.testing.assert_array_equal(picture[:, middle + 3 :], traces.pale[:, middle + 3 :])
    assert traces.pale.mean() > traces.strong.mean()


def test_the_panel_takes_all_sizes_themes_and_gaps():
    nothing = Poses(
        np.full((20, 2, 3, 2), np.nan), np.zeros((20, 2, 3)), SKELETON, None, ("a", "b")
    )
    for poses in (moving(), moving(2), nothing):
        for size in ((320, 120), (120, 320), (1001, 777)):
            for colour in ("keypoint", "individual"):
                traces = traces_of(poses, size, colour=colour, theme="dark")
                assert traces.pale.shape == (size[1], size[0], 3)
                assert drawn(traces, 19)[0, 0].max() < 60


def test_a_single_frame_has_a_panel():
    assert drawn(traces_of(moving(), frames=(4, 5)), 4).shape == (240, 320, 3)
