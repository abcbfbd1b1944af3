"""The picker in real notebooks: frames are seen, suggested, taken by hand and written."""

import pytest

from posenb._progress import silent_progress
from posenb.extraction import extract_frames
from posenb.project import add_videos, create_project, list_frames

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CELL = """
import posenb as pn
view = pn.pick_frames({url!r})
view
"""


def number(page):
    """The frame that is seen, once nothing is on its way any more."""
    page.wait_for_timeout(200)
    return int(page.locator(".pnb-pick-picture").get_attribute("alt").split()[1])


def wait_for_frame(page, n):
    page.locator(f".pnb-pick-picture[alt='Frame {n}']").wait_for(timeout=30_000)


@pytest.mark.parametrize("surface", ["lab", "voila", "colab"])
def test_frames_are_seen_taken_and_written(open_notebook, shared_data, tmp_path, surface):
    project = create_project(tmp_path / "flies", keypoints=["head"])
    project = add_videos(project, shared_data / "flies" / "clip.mp4")
    (first,) = extract_frames(project, 1, "uniform", progress=silent_progress)
    notebook = open_notebook([CELL.format(url=project.url)], surface)
    page = notebook.page
    notebook.wait_for(".pnb-pick-picture[alt='Frame 0']")
    page.click(".pnb-pick-step:has-text('+10') >> nth=0")
    wait_for_frame(page, 10)
    page.click(".pnb-pick-step:text-is('−1')")
    wait_for_frame(page, 9)
    strip = page.locator(".pnb-pick-strip").bounding_box()
    page.mouse.click(strip["x"] + strip["width"] / 2, strip["y"] + 30)
    count = int(notebook.ask("print(len(view.desk.state.clip))"))
    page.locator(".pnb-pick-picture:not([alt='Frame 9'])").wait_for()
    assert abs(number(page) - count / 2) <= 0.01 * count
    page.fill(".pnb-pick-place", "33")
    page.keyboard.press("Enter")
    wait_for_frame(page, 33)
    page.click(".pnb-pick-take")
    page.locator(".pnb-pick-tile-taken[data-frame='33']").wait_for()
    if surface == "lab":  # what follows is the kernel's work, the same everywhere
        page.fill(".pnb-pick-count", "4")
        page.click(".pnb-pick-ask button")
        page.locator(".pnb-pick-tile-suggested").first.wait_for(timeout=60_000)
        page.locator(".pnb-pick-tile-suggested .pnb-icon-accept").first.click()
    else:
        page.click(".pnb-pick-step:text-is('+1')")
        wait_for_frame(page, 34)
        page.click(".pnb-pick-take")
    page.locator(".pnb-pick-tile-taken").nth(1).wait_for()
    taken = page.locator(".pnb-pick-tile-taken").evaluate_all(
        "all => all.map(t => t.dataset.frame)"
    )
    page.click(".pnb-pick-write")
    page.locator(".pnb-pick-message:has-text('2 frames lie')").wait_for()
    names = [int(frame.image[3:-4]) for frame in list_frames(project, "clip") if frame != first]
    assert sorted(map(int, taken)) == names
    assert page.locator(".pnb-pick-tile-there").count() == 3


def test_frames_that_are_taken_outlive_the_kernel(open_notebook, shared_data, tmp_path):
    project = create_project(tmp_path / "flies", keypoints=["head"])
    project = add_videos(project, shared_data / "flies" / "clip.mp4")
    notebook = open_notebook([CELL.format(url=project.url)])
    page = notebook.page
    notebook.wait_for(".pnb-pick-picture[alt='Frame 0']")
    for n in (33, 700):
        page.fill(".pnb-pick-place", str(n))
        page.keyboard.press("Enter")
        wait_for_frame(page, n)
        page.click(".pnb-pick-take")
        page.locator(f".pnb-pick-tile-taken[data-frame='{n}']").wait_for()
    notebook.ask("view.desk.notes.close()")
    notebook.kill_kernel()
    notebook.run_all()
    page.locator(".pnb-pick-tile-taken[data-frame='700']").wait_for()
    notebook.screenshot("pick-again")
    page.click(".pnb-pick-write")
    page.locator(".pnb-pick-message:has-text('2 frames lie')").wait_for()
    assert [frame.image for frame in list_frames(project, "clip")] == ["img0033.png", "img0700.png"]


def test_it_plays_in_time_and_keys_step(open_notebook, shared_data, tmp_path):
    project = create_project(tmp_path / "flies", keypoints=["head"])
    project = add_videos(project, shared_data / "flies" / "clip.mp4")
    notebook = open_notebook([CELL.format(url=project.url)], "lab")
    page = notebook.page
    notebook.wait_for(".pnb-pick-picture[alt='Frame 0']")
    page.locator(".pnb-pick-strip").focus()
    for key, frame in (
        ("ArrowRight", 1),
        ("Shift+ArrowRight", 11),
        ("PageDown", 111),
        ("PageUp", 11),
        ("ArrowLeft", 10),
    ):
        page.keyboard.press(key)
        wait_for_frame(page, frame)
    page.keyboard.press(" ")
    page.wait_for_function(
        "() => Number(document.querySelector('.pnb-pick-picture').alt.split(' ')[1]) > 20"
    )
    page.keyboard.press(" ")
    still = number(page)
    assert number(page) == still
    page.keyboard.press("a")
    page.locator(f".pnb-pick-tile-taken[data-frame='{still}']").wait_for()
    page.keyboard.press("A")  # as with Caps Lock
    page.locator(".pnb-pick-tile-taken").wait_for(state="detached")
    for frame in (40, 50, 60):
        page.fill(".pnb-pick-place", str(frame))
        page.keyboard.press("Enter")
        wait_for_frame(page, frame)
        page.locator(".pnb-pick-strip").focus()
        page.keyboard.press("a")
        page.locator(f".pnb-pick-tile-taken[data-frame='{frame}']").wait_for()
    for key, frame in (("Shift+N", 50), ("Shift+N", 40), ("n", 50), ("N", 60)):
        page.keyboard.press(key)
        wait_for_frame(page, frame)
