"""Browsing in real notebooks: clicks in curves, playing, marks that become images."""

import shutil

import numpy as np
import pytest

from posenb.core import Poses, Skeleton
from posenb.labels import write_poses
from posenb.project import list_frames, open_project

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SURFACES = ("lab", "voila", "colab")
CELL = """
import posenb as pn
browser = pn.browse({poses!r}, {video!r}, project={project!r})
browser
"""


@pytest.fixture
def recording(shared_data, tmp_path):
    """A DeepLabCut project of the open field, and poses that walk through its video."""
    source, home = shared_data / "openfield", tmp_path / "openfield"
    (home / "videos").mkdir(parents=True)
    shutil.copy(source / "config.yaml", home)
    video = home / "videos" / "m3v1mp4.mp4"
    shutil.copy(source / "videos" / "m3v1mp4.mp4", video)
    turn = np.linspace(0, 12 * np.pi, 2330)[:, None]
    around = np.linspace(0, 2 * np.pi, 4, endpoint=False)
    x = 320 + 150 * np.cos(turn) + 30 * np.cos(around)
    y = 240 + 100 * np.sin(turn) + 30 * np.sin(around)
    likelihoods = np.full((2330, 1, 4), 0.95)
    likelihoods[1000, 0, 2] = 0.1
    x[500, 1] += 200
    poses = Poses(
        np.stack([x, y], axis=-1)[:, None],
        likelihoods,
        Skeleton(("snout", "leftear", "rightear", "tailbase"), ((0, 1), (0, 2), (1, 3), (2, 3))),
    )
    return write_poses(home / "walk", poses), video, home


class Desk:
    """A notebook that browses poses, and the mouse and keys before it."""

    def __init__(self, open_notebook, recording, surface, size=(1280, 720)):
        poses, video, project = map(str, recording)
        cell = CELL.format(poses=poses, video=video, project=project)
        self.notebook = open_notebook([cell], surface, size=size)
        self.page = self.notebook.page
        self.notebook.wait_for(".pnb-br-stage", seconds=60)
        self.wait_for_frame(0)

    @property
    def frame(self):
        return int(self.page.locator(".pnb-br-number").input_value())

    def wait_for_frame(self, frame):
        """Wait until the picture of a frame is drawn, not only its number shown."""
        self.page.wait_for_function(
            "frame => Number(document.querySelector('.pnb-br-stage')?.dataset.frame) === frame",
            arg=frame,
        )

    def press(self, selector):
        self.notebook.wait_for(selector).click()
        self.page.wait_for_timeout(50)

    def ask(self, what):
        return self.notebook.ask(f"print({what})")


@pytest.mark.parametrize("surface", SURFACES)
def test_curves_lead_to_frames_and_marked_ones_become_images(open_notebook, recording, surface):
    desk = Desk(open_notebook, recording, surface)
    curves = desk.notebook.wait_for(".pnb-br-cursor")
    curves.scroll_into_view_if_needed()
    box = curves.bounding_box()
    desk.page.mouse.click(box["x"] + 46 + (box["width"] - 54) / 2, box["y"] + 60)
    assert abs(desk.frame - 2329 / 2) <= 3
    desk.wait_for_frame(desk.frame)
    desk.press(".pnb-br-foot .pnb-icon-next")  # the least likely
    desk.wait_for_frame(1000)
    assert "rightear, likelihood 0.10" in desk.page.locator(".pnb-br-says").text_content()
    desk.press("text=Mark frame")
    desk.page.locator(".pnb-br-foot select").select_option("jumps")
    desk.notebook.wait_for(".pnb-br-says:has-text('the worst first')")
    desk.press(".pnb-br-foot .pnb-icon-next")
    assert desk.frame in (500, 501)  # there and back
    desk.press("text=Mark frame")
    desk.notebook.wait_for("text=Take 2 into").click()
    desk.notebook.wait_for("text=2 frames were added")
    project = open_project(recording[2])
    images = {frame.image for frame in list_frames(project, "m3v1mp4")}
    assert images == {f"img{desk.frame:04d}.png", "img1000.png"}
    assert desk.ask("browser.marked") == f"({desk.frame}, 1000)"
    desk.press("text=Label 2 frames")
    desk.notebook.wait_for(".pnb-stage canvas")
    desk.press("text=Back to the curves")
    desk.notebook.wait_for(".pnb-br-stage")


def test_it_plays_steps_and_hides_what_is_unsure(open_notebook, recording):
    desk = Desk(open_notebook, recording, "lab", size=(680, 900))
    desk.press(".pnb-icon-play")
    desk.page.wait_for_function("Number(document.querySelector('.pnb-br-stage').dataset.frame) > 5")
    desk.press(".pnb-icon-pause")
    stopped = desk.frame
    desk.wait_for_frame(stopped)
    desk.page.locator(".pnb-br-stage").focus()
    for key, frame in (
        ("ArrowRight", 1),
        ("Shift+ArrowRight", 11),
        ("PageDown", 111),
        ("PageUp", 11),
        ("PageDown", 111),
    ):
        desk.page.keyboard.press(key)
        desk.wait_for_frame(stopped + frame)
    desk.press("button:text-is('−10')")
    desk.wait_for_frame(stopped + 101)
    desk.page.keyboard.press("M")  # after a click on a button keys work on, Caps Lock or not
    desk.notebook.wait_for("text=Unmark frame")
    assert desk.ask("browser.marked") == f"({stopped + 101},)"
    number = desk.page.locator(".pnb-br-number")
    number.fill("1000")
    number.press("Enter")
    desk.wait_for_frame(1000)
    share = desk.page.locator(".pnb-br-share")
    assert share.text_content() == "100.0 % of points"  # all but one of 9320
    desk.page.locator(".pnb-br-gate input").fill("0.99")
    desk.notebook.wait_for("text=0 % of points")
    cells = "() => window.jupyterapp.shell.currentWidget.content.widgets.map(w => w.model.type)"
    assert desk.page.evaluate(cells) == ["code"]  # no key went to the notebook


def test_marks_are_found_again_and_labelled_at_a_click(open_notebook, recording):
    desk = Desk(open_notebook, recording, "lab", size=(1280, 960))
    for frame in (1000, 40):
        number = desk.page.locator(".pnb-br-number")
        number.fill(str(frame))
        number.press("Enter")
        desk.wait_for_frame(frame)
        desk.press("text=Mark frame")
        desk.notebook.wait_for(f".pnb-br-mark:has-text('{frame}')")
    desk.ask("browser.close()")
    desk.notebook.run_all()
    desk.notebook.wait_for(".pnb-br-mark:has-text('1000')")
    desk.notebook.screenshot("browse-marked-again")
    desk.press("text=Label 2 frames")
    desk.notebook.wait_for("text=2 marked frames of m3v1mp4.mp4")
    desk.notebook.wait_for(".pnb-stage canvas").focus()
    assert desk.page.locator(".pnb-br-back").bounding_box()["y"] > 60  # it begins in sight
    desk.notebook.screenshot("browse-labelling")
    desk.page.keyboard.press("Shift+Enter")
    desk.notebook.wait_for(".pnb-icon-undo:enabled")
    desk.press("text=Back to the curves")
    desk.notebook.wait_for(".pnb-br-mark:has-text('40 · labelled')")
    desk.notebook.wait_for(".pnb-br-stage")
    desk.notebook.screenshot("browse-back")
    labels = open_project(recording[2]).labels()
    assert [frame.image for frame in labels.frames] == ["img0040.png"]
