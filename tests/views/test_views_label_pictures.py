"""Labels over their frames: a picture of each, and a page that shows them all."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from posenb._progress import silent_progress
from posenb.core import FrameName, Labels, Skeleton, Visibility
from posenb.errors import InvalidInputError, LabelError, LabelWarning, UnknownNameError
from posenb.plots.labels import draw_labels, find_signs
from posenb.plots.sheet import find_field
from posenb.project import Project, create_project, open_project
from posenb.views import draw_label_page

SEEN, HIDDEN, ABSENT = Visibility.VISIBLE, Visibility.OCCLUDED, Visibility.UNLABELLED
NAN = (np.nan, np.nan)
QUIET = {"progress": silent_progress}


def make_project(folder: Path, videos=("one",), individuals=None, frames=2) -> Project:
    """Frames of noise, of which each first one lacks a keypoint and has one occluded."""
    project = create_project(
        folder,
        keypoints=["snout", "ear $1", "tail"],
        skeleton=[("snout", "tail")],
        individuals=individuals,
    )
    rng = np.random.default_rng(0)
    names = [FrameName(video, f"img{n:02d}.png") for video in videos for n in range(frames)]
    for name in names:
        path = Path(project.image_url(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (60, 80, 3), np.uint8)).save(path)
    positions = rng.uniform(5, 55, (len(names), len(project.individuals), 3, 2))
    visibility = np.full(positions.shape[:3], SEEN)
    positions[::frames, 0, 2], visibility[::frames, 0, 2] = np.nan, ABSENT
    visibility[::frames, 0, 1] = HIDDEN
    project.save_labels(
        Labels(tuple(names), positions, project.skeleton, project.individuals, visibility)
    )
    return project


@pytest.fixture
def project(tmp_path) -> Project:
    return make_project(tmp_path / "reach", videos=("one", "two"))


# --- the verb ------------------------------------------------------------------------


def test_every_labelled_frame_gets_a_picture_and_all_stand_on_the_page(project):
    check = draw_label_page(project, **QUIET)
    folder = Path(project.url) / "check-labels"
    assert Path(check.page) == folder / "index.html"
    expected = [folder / video / f"img{n:02d}.png" for video in ("one", "two") for n in (0, 1)]
    assert [Path(url) for url in check.pictures] == expected
    text = Path(check.page).read_text()
    assert re.findall(r'<img loading="lazy" src="([^"]+)"', text) == [
        path.relative_to(folder).as_posix() for path in expected
    ]
    for path in expected:
        with Image.open(path) as picture:
            picture.load()


def test_the_page_says_what_is_lacking(project):
    text = Path(draw_label_page(project, **QUIET).page).read_text()
    assert "4 frames, 10 keypoints, 2 of them occluded" in text
    assert text.count("<small>1 not labelled</small>") == 2
    assert text.count('data-lacking="1"') == 2


def test_the_pictures_never_count_as_labelled_frames(project):
    before = project.labels()
    draw_label_page(project, **QUIET)
    after = open_project(project.url)
    assert after.labels().frames == before.frames
    assert after == project.reload()


def test_run_again_the_files_are_the_same(project):
    first = draw_label_page(project, **QUIET)
    before = [Path(url).read_bytes() for url in (first.page, *first.pictures)]
    second = draw_label_page(project.url, **QUIET)
    assert [Path(url).read_bytes() for url in (second.page, *second.pictures)] == before


def test_only_the_named_videos_are_drawn_where_one_wants_them(project, tmp_path):
    check = draw_label_page(project, videos="two", output=tmp_path / "out", **QUIET)
    assert {Path(url).parent for url in check.pictures} == {tmp_path / "out" / "two"}
    assert "<select" not in Path(check.page).read_text()
    assert not (Path(project.url) / "check-labels").exists()


def test_a_misspelt_video_meets_the_likeliest_one(project):
    with pytest.raises(UnknownNameError, match="Did you mean 'two'"):
        draw_label_page(project, videos=["tow"], **QUIET)


def test_images_that_are_gone_or_damaged_are_left_out(project):
    Path(project.image_url(FrameName("one", "img00.png"))).unlink()
    Path(project.image_url(FrameName("two", "img01.png"))).write_bytes(b"no image")
    with pytest.warns(LabelWarning, match="2 of 4 labelled images"):
        check = draw_label_page(project, **QUIET)
    assert [Path(url).name for url in check.pictures] == ["img01.png", "img00.png"]


def test_without_any_image_it_says_so(project):
    for video in ("one", "two"):
        for n in (0, 1):
            Path(project.image_url(FrameName(video, f"img{n:02d}.png"))).unlink()
    with pytest.raises(LabelError, match="4 of 4 labelled images"):
        draw_label_page(project, **QUIET)


def test_without_labels_it_says_what_to_do(tmp_path):
    with pytest.raises(LabelError, match="label them"):
        draw_label_page(create_project(tmp_path, keypoints=["snout"]), **QUIET)


@pytest.mark.slow
@pytest.mark.parametrize(("folder", "count"), [("openfield", 116), ("mirror-mouse", 90)])
def test_real_projects_of_other_programs_are_drawn(
    shared_data, tmp_path, monkeypatch, folder, count
):
    # Drawing every frame takes half a minute; what is read and written is the same.
    drawn = []
    monkeypatch.setattr(
        "posenb.plots.labels.draw_labels", lambda image, *_, **__: drawn.append(image.shape)
    )
    monkeypatch.setattr("posenb.plots.style.figure_bytes", lambda *_: b"picture")
    check = draw_label_page(shared_data / folder, output=tmp_path, **QUIET)
    assert len(check.pictures) == len(drawn) == count
    text = Path(check.page).read_text()
    assert ("not labelled" in text) == (folder == "mirror-mouse")


# --- one picture ---------------------------------------------------------------------

MOUSE = Skeleton.from_names(["snout", "ear $1", "tail"], [("snout", "tail")])
IMAGE = np.full((60, 80, 3), 128, np.uint8)


def words(figure) -> list[str]:
    texts = [text for axes in figure.axes for text in axes.texts]
    return [text.get_text() for text in texts + figure.texts if text.get_text()]


def test_names_stand_in_the_table_as_they_are():
    figure = draw_labels(
        IMAGE, np.full((1, 3, 2), 9.0), np.full((1, 3), SEEN), MOUSE, title="a/img1.png"
    )
    assert {"snout", "ear $1", "tail", "a/img1.png"} <= set(words(figure))


def test_only_signs_that_occur_are_explained():
    positions = np.array([[(9, 9), (20, 20), NAN]])
    said = words(draw_labels(IMAGE, positions, np.array([[SEEN, SEEN, ABSENT]]), MOUSE))
    assert "not labelled" in said
    assert "occluded" not in said
    said = words(draw_labels(IMAGE, positions, np.array([[SEEN, HIDDEN, HIDDEN]]), MOUSE))
    assert "occluded" in said
    assert "not labelled" not in said


def test_individuals_are_named_in_picture_and_table():
    positions = np.stack([np.full((3, 2), 10.0), np.full((3, 2), 40.0)])
    figure = draw_labels(
        IMAGE, positions, np.full((2, 3), SEEN), MOUSE, individuals=("rat 1", "rat 2")
    )
    assert words(figure).count("rat 1") == words(figure).count("rat 2") == 2
    shapes = {line.get_marker() for line in figure.axes[0].lines}
    assert {"o", "s"} <= shapes


def test_every_kind_of_keypoint_has_its_own_sign():
    skeleton = Skeleton.from_names(["a", "b", "c", "d", "corner"], unique=["corner"])
    positions = np.array([[(5, 5), (6, 6), NAN, (90, 5), (1, 1)], [NAN] * 5])
    visibility = np.array([[SEEN, HIDDEN, HIDDEN, SEEN, SEEN], [ABSENT] * 5])
    signs = find_signs(positions, visibility, skeleton, (60, 80))
    assert signs[0].tolist() == ["visible", "occluded", "occluded", "outside", "visible"]
    assert signs[1].tolist() == ["missing"] * 4 + ["none"]


def test_a_label_outside_the_image_is_marked_at_its_edge():
    positions = np.array([[(500.0, -40.0), (20, 20), (30, 30)]])
    figure = draw_labels(IMAGE, positions, np.full((1, 3), SEEN), MOUSE)
    crosses = [line for line in figure.axes[0].lines if line.get_marker() == "x"]
    assert [tuple(line.get_xydata()[0]) for line in crosses] == [(79, 0)]
    assert "outside the image" in words(figure)


def test_labels_are_drawn_where_they_are():
    positions = np.array([[(12.25, 33.5), (20, 20), NAN]])
    figure = draw_labels(IMAGE, positions, np.array([[SEEN, HIDDEN, ABSENT]]), MOUSE)
    places = [
        tuple(line.get_xydata()[0]) for line in figure.axes[0].lines if line.get_marker() in "os"
    ]
    assert places == [(12.25, 33.5), (20, 20)]


def test_without_zoom_the_whole_frame_is_shown():
    positions = np.array([[(12, 33), (14, 35), NAN]])
    visibility = np.array([[SEEN, SEEN, ABSENT]])
    near = draw_labels(IMAGE, positions, visibility, MOUSE).axes[0].get_xlim()
    whole = draw_labels(IMAGE, positions, visibility, MOUSE, zoom=False).axes[0].get_xlim()
    assert whole == (-0.5, 79.5)
    assert near[1] - near[0] < 40


def test_a_frame_without_labels_is_shown_whole():
    nothing = np.full((1, 3, 2), np.nan)
    figure = draw_labels(IMAGE, nothing, np.full((1, 3), ABSENT), MOUSE)
    assert figure.axes[0].get_xlim() == (-0.5, 79.5)
    assert find_field((60, 80), nothing) == (-0.5, 79.5, -0.5, 59.5)


def test_shapes_that_disagree_are_refused():
    with pytest.raises(InvalidInputError, match="positions"):
        draw_labels(IMAGE, np.zeros((1, 2, 2)), np.full((1, 3), SEEN), MOUSE)


# --- the page in a browser -----------------------------------------------------------


@pytest.mark.browser
def test_the_page_flips_and_sifts(project, chrome):
    page_url = Path(draw_label_page(project, **QUIET).page).as_uri()
    page = chrome.new_page(viewport={"width": 1000, "height": 700})
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(page_url)
    shown = page.locator(".tile:visible")
    assert shown.count() == 4
    page.select_option("#video", "two")
    assert shown.count() == 2
    page.check("#lacking")
    assert shown.count() == 1
    page.uncheck("#lacking")
    shown.first.click()
    large = page.locator("dialog img")
    assert large.get_attribute("src").endswith("two/img00.png")
    page.keyboard.press("ArrowRight")
    assert large.get_attribute("src").endswith("two/img01.png")
    page.keyboard.press("ArrowRight")
    assert page.locator("dialog output").text_content() == "1 of 2"
    page.keyboard.press("Escape")
    assert not large.is_visible()
    wide = page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.close()
    assert faults == []
    assert wide
