"""The labeller in real notebooks: a simulated mouse labels real frames, and the table is read."""

import math
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from posenb.core import Visibility
from posenb.labels import read_labels
from posenb.widgets.label_viewport import Viewport

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SURFACES = ("lab", "voila", "colab")
CELL = """
import posenb as pn
view = pn.label({url!r})
view
"""


class Desk:
    """A notebook with the labeller, and the mouse and keys before it."""

    def __init__(self, open_notebook, project, surface):
        cell = CELL.format(url=str(project))
        self.notebook = open_notebook([cell], surface, size=(1280, 900))
        self.page = self.notebook.page
        self.start()

    def start(self):
        self.canvas = self.notebook.wait_for(".pnb-stage canvas", seconds=60)
        for _ in range(100):  # until the page has told how much room there is
            width = self.canvas.bounding_box()["width"]
            if abs(float(self.ask("view.state.viewport.canvas[0]")) - width) < 1 and width != 640:
                break
            self.page.wait_for_timeout(100)
        self.canvas.scroll_into_view_if_needed()
        self.canvas.focus()  # the notebook may scroll to where the focus is

    def ask(self, what):
        return self.notebook.ask(f"print({what})")

    def until(self, what, value):
        """Wait until the kernel says so: a person sees what has happened and waits for it."""
        deadline = time.monotonic() + 20
        while (said := self.ask(what)) != value:
            assert time.monotonic() < deadline, f"{what} is {said} instead of {value}"
            self.page.wait_for_timeout(50)

    def viewport(self):
        return eval(self.ask("repr(view.state.viewport)"), {"Viewport": Viewport})

    def box(self):
        """Where the canvas lies on the screen, once it has come to rest."""
        before = None
        while before != (now := self.canvas.bounding_box()):
            before = now
            self.page.wait_for_timeout(50)
        return now

    def at(self, x, y):
        """Where an image coordinate lies on the screen, in whole pixels as a mouse has them."""
        u, v = self.viewport().to_canvas(x, y)
        box = self.box()
        return math.floor(box["x"] + u), math.floor(box["y"] + v)

    def click(self, place):
        self.page.mouse.click(*self.at(*place))
        self.page.wait_for_timeout(100)

    def drag(self, start, end):
        here, there = self.at(*start), self.at(*end)
        self.page.mouse.move(*here)
        self.page.mouse.down()
        self.page.mouse.move(*there, steps=4)
        self.page.mouse.up()
        self.page.wait_for_timeout(100)

    def zoom_in_at(self, place, times=6):
        self.page.mouse.move(*self.at(*place))
        for _ in range(times):
            self.page.mouse.wheel(0, -240)
        rest = None
        while rest != (now := self.viewport()):
            rest = now
            self.page.wait_for_timeout(300)

    def pan(self, du, dv):
        """Drag the image by the corner of the canvas that is farthest from all points."""
        before = self.viewport()
        box = self.box()
        corners = [(40, box["height"] - 40), (box["width"] - 80, box["height"] - 40), (40, 60)]
        placed = eval(self.ask("view.state.here.positions[0].tolist()"), {"nan": np.nan})
        shown = np.array([before.to_canvas(*each) for each in placed])
        room = [np.nan_to_num(np.hypot(*(shown - each).T), nan=1e9).min() for each in corners]
        u, v = corners[int(np.argmax(room))]
        self.page.mouse.move(box["x"] + u, box["y"] + v)
        self.page.mouse.down()
        self.page.mouse.move(box["x"] + u + du, box["y"] + v + dv, steps=3)
        self.page.mouse.up()
        aim = before.to_canvas(0, 0)[0] + du
        self.until(f"abs(view.state.viewport.to_canvas(0, 0)[0] - {aim}) < 1e-3", "True")

    def press(self, icon):
        self.notebook.wait_for(f".pnb-icon-{icon}").click()
        self.page.wait_for_timeout(100)

    def choose(self, name):
        self.notebook.wait_for(f".pnb-row button:has-text('{name}')").click()
        self.page.wait_for_timeout(100)

    def save(self):
        assert self.ask("view.saver.flush(20)") == "True"


def mice(shared_data, folder, count):
    """A DeepLabCut project of the first `count` frames of the open field, and their labels."""
    source = shared_data / "openfield"
    known = read_labels(source / "labeled-data" / "m4s1").select(range(count))
    target = folder / "openfield"
    (target / "labeled-data" / "m4s1").mkdir(parents=True)
    shutil.copy(source / "config.yaml", target)
    for frame in known.frames:
        shutil.copy(source / "labeled-data" / "m4s1" / frame.image, target / "labeled-data/m4s1")
    return target, known


def table(project):
    return read_labels(Path(project) / "labeled-data" / "m4s1" / "CollectedData_Pranav.csv")


@pytest.mark.parametrize("surface", SURFACES)
def test_a_mouse_labels_real_frames_where_it_points(open_notebook, shared_data, tmp_path, surface):
    project, known = mice(shared_data, tmp_path, 2)
    desk = Desk(open_notebook, project, surface)
    wanted = known.positions[:, 0]
    assert desk.viewport().scale >= 1
    for place in wanted[0]:  # at fit
        desk.click(place)
    field = desk.notebook.wait_for(".pnb-number input")
    field.fill(known.frames[1].image)
    field.press("Enter")
    desk.until("view.state.frame", "1")
    for place in wanted[1, :2]:  # zoomed in and panned
        desk.press("fit")
        desk.zoom_in_at(place)
        desk.pan(37, -23)
        desk.click(place)
    assert desk.viewport().scale > 5
    desk.save()
    found = table(project)
    assert [frame.image for frame in found.frames] == [frame.image for frame in known.frames]
    assert np.abs(found.positions[0, 0] - wanted[0]).max() <= 0.5
    assert np.abs(found.positions[1, 0, :2] - wanted[1, :2]).max() <= 0.1


def test_edits_by_mouse_and_keys_reach_the_table_and_survive_the_kernel(
    open_notebook, shared_data, tmp_path
):
    project, _ = mice(shared_data, tmp_path, 2)
    desk = Desk(open_notebook, project, "lab")
    for place in [(100, 100), (200, 100), (300, 100), (400, 100)]:
        desk.click(place)
    desk.drag((100, 100), (120, 140))
    desk.press("undo")
    desk.press("redo")
    desk.choose("leftear")
    desk.press("hidden")
    desk.choose("rightear")
    desk.press("delete")
    desk.choose("tailbase")
    desk.page.keyboard.press("Shift+ArrowRight")  # after a click on a button keys work on
    desk.press("next")
    desk.press("copy")
    desk.notebook.wait_for(".pnb-status:has-text('✓ Saved')")  # nobody asked for it
    for _ in range(100):
        if desk.ask("view.saver.status.kind") == "saved":
            break
        desk.page.wait_for_timeout(100)
    desk.notebook.kill_kernel()
    found = table(project)
    assert found.visibility[:, 0].tolist() == 2 * [[2, Visibility.OCCLUDED, 0, 2]]
    for n in (0, 1):
        assert found.positions[n, 0, 0] == pytest.approx((120, 140), abs=1)
        assert found.positions[n, 0, 3] == pytest.approx((410, 100), abs=1)
    desk.notebook.run_all()
    desk.start()
    desk.press("next")
    desk.choose("rightear")
    desk.click((300, 200))
    desk.save()
    again = table(project)
    assert again.positions[1, 0, 2] == pytest.approx((300, 200), abs=0.5)
    before, after = (np.delete(each.positions, 2, axis=2) for each in (found, again))
    assert np.array_equal(before, after, equal_nan=True)


def test_two_people_see_each_others_labels_and_none_erases_the_other_s(
    open_notebook, shared_data, tmp_path
):
    project, _ = mice(shared_data, tmp_path, 2)
    ann, bea = (Desk(open_notebook, project, "lab") for _ in range(2))
    ann.page.bring_to_front()
    ann.click((100, 100))
    ann.click((200, 100))
    ann.notebook.wait_for(".pnb-status:has-text('✓ Saved')")
    ann.save()
    bea.page.bring_to_front()
    bea.press("next")
    bea.press("previous")  # going to a frame is enough to see what is new there
    bea.until("view.state.here.said.tolist()", "[[True, True, False, False]]")
    bea.drag((100, 100), (300, 300))
    bea.save()
    ann.notebook.ask("view._controls.guard.pause = 500")  # instead of every 20 seconds
    ann.page.bring_to_front()
    alert = ann.notebook.wait_for(".pnb-alert:has-text('what you had saved: snout (put at 300')")
    assert "Theirs stands in the table." in alert.inner_text()
    ann.press("undo")
    ann.press("undo")
    ann.notebook.wait_for(".pnb-status:has-text('somebody else changed snout since')")
    ann.notebook.screenshot("label_changed_by_another")
    ann.save()
    found = table(project)
    assert found.visibility[0, 0].tolist() == [2, 0, 0, 0]
    assert found.positions[0, 0, 0] == pytest.approx((300, 300), abs=1)
    ann.notebook.wait_for(".pnb-alert button:has-text('Put mine back')").click()
    ann.until("view.state.here.positions[0, 0, 0] < 150", "True")
    ann.save()
    assert table(project).positions[0, 0, 0] == pytest.approx((100, 100), abs=1)
