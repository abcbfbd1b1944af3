"""The gallery in real notebooks: the known mistake stands first, and is put right by mouse."""

import shutil

import pytest

from posenb.labels import read_labels, write_labels

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CELL = """
import posenb as pn
from posenb._progress import silent_progress
check = pn.check_labels({url!r}, progress=silent_progress)
check
"""


@pytest.fixture
def mice(shared_data, tmp_path):
    source, target = shared_data / "openfield", tmp_path / "openfield"
    table = source / "labeled-data" / "m4s1"
    (target / "labeled-data" / "m4s1").mkdir(parents=True)
    shutil.copy(source / "config.yaml", target)
    known = read_labels(table).select(range(92, 116))  # among them the swapped ears
    write_labels(target / "labeled-data" / "m4s1", known)
    for frame in known.frames:
        shutil.copy(table / frame.image, target / "labeled-data" / "m4s1")
    return target


@pytest.mark.parametrize("surface", ["lab", "voila", "colab"])
def test_a_mistake_is_found_looked_at_and_put_right(open_notebook, mice, surface):
    notebook = open_notebook([CELL.format(url=str(mice))], surface)
    page = notebook.page
    first = notebook.wait_for(".pnb-gallery-tile svg image")
    tile = page.locator(".pnb-gallery-tile").first
    assert "img0102.png" in tile.inner_text()
    assert "leftear and rightear seem swapped" in tile.inner_text()
    count = page.locator(".pnb-gallery-tile").count()
    first.click(force=True)
    notebook.wait_for(".pnb-gallery-stage svg image")
    assert page.locator(".pnb-gallery-stage .pnb-gallery-ring").count() == 2
    for key, place in (("ArrowRight", 2), ("ArrowLeft", 1)):
        page.keyboard.press(key)
        page.locator(f".pnb-gallery-where:has-text('{place} of {count}')").wait_for()
    page.locator(".pnb-gallery-stage .pnb-gallery-ring").nth(1).wait_for()
    page.click(".pnb-gallery-end .pnb-primary")
    canvas = notebook.wait_for(".pnb-stage canvas")
    before = notebook.ask("print(check._labeller.state.here.positions[0, 1:3].tolist())")
    canvas.focus()
    for key in ("Delete", "s", "Delete"):
        page.keyboard.press(key)
    notebook.wait_for(".pnb-status:has-text('Saved')")
    page.click(".pnb-gallery-back button")
    notebook.wait_for(".pnb-gallery-stage svg image")
    page.locator(".pnb-gallery-stage .pnb-gallery-ring").first.wait_for(state="detached")
    page.locator(".pnb-gallery-reasons:has-text('2 not labelled')").wait_for()
    assert before != "[[nan, nan], [nan, nan]]"
    page.click("button:has-text('All frames')")
    page.locator(".pnb-gallery-tile").nth(count - 2).wait_for()
    assert page.locator(".pnb-gallery-tile").count() == count - 1
    labels = read_labels(mice / "labeled-data" / "m4s1" / "CollectedData_Pranav.csv")
    row = [frame.image for frame in labels.frames].index("img0102.png")
    assert labels.visibility[row, 0].tolist() == [2, 0, 0, 2]


def test_what_is_found_right_outlives_the_kernel_and_can_be_taken_back(open_notebook, mice):
    notebook = open_notebook([CELL.format(url=str(mice))])
    page = notebook.page
    notebook.wait_for(".pnb-gallery-tile svg image").click(force=True)
    notebook.wait_for(".pnb-gallery-stage svg image")
    page.keyboard.press("R")  # as with Caps Lock
    page.locator(".pnb-gallery-where b:not(:has-text('img0102.png'))").wait_for()
    page.click("button:has-text('All frames')")
    page.locator(".pnb-gallery-bar:has-text('1 found right')").wait_for()
    notebook.ask("check._desk.notes.close()")
    notebook.kill_kernel()
    notebook.run_all()
    page.locator(".pnb-gallery-bar:has-text('1 found right')").wait_for()
    page.select_option("select[aria-label='Which frames']", "right")
    tile = page.locator(".pnb-gallery-tile:has-text('Found right: leftear and rightear seem')")
    tile.wait_for()
    notebook.screenshot("gallery-right")
    tile.click()
    notebook.wait_for(".pnb-gallery-stage svg image")
    notebook.screenshot("gallery-right-large")
    page.click("button:has-text('Doubt it again')")
    page.locator(".pnb-gallery-empty:has-text('Nothing is left here')").wait_for()
    notebook.screenshot("gallery-right-empty")
    page.select_option("select[aria-label='Which frames']", "doubtful")
    page.locator(".pnb-gallery-tile:has-text('img0102.png')").wait_for()
