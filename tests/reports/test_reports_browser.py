"""A report in a browser without a network: it opens, and clip and plots go together."""

from pathlib import Path

import pytest
from made_analyses import FPS, FRAMES, until

pytestmark = pytest.mark.browser

KEPT = "window.posenb.kept"
TIME = "document.getElementById('clip').currentTime"


def shown_picture(page) -> int:
    """Which frame of the video the clip shows, from how bright its upper right corner is."""
    grey = page.evaluate(
        "() => { const clip = document.getElementById('clip');"
        " const canvas = document.createElement('canvas');"
        " [canvas.width, canvas.height] = [clip.videoWidth, clip.videoHeight];"
        " const context = canvas.getContext('2d'); context.drawImage(clip, 0, 0);"
        " return context.getImageData(canvas.width - 20, 10, 1, 1).data[1]; }"
    )
    return round((grey - 20) / 4)


def keep_by_click(page, share: float) -> int:
    """Click in the panel of x at a share of its width; return the frame that it keeps."""
    x, y = page.evaluate(
        "s => { const { box } = posenb.traces; const room ="
        " document.getElementById('traces').getBoundingClientRect();"
        " return [room.left + box.left + s * box.width, room.top + box.top + 20]; }",
        share,
    )
    page.mouse.click(x, y)
    return page.evaluate(KEPT)


def test_a_click_in_the_trajectories_leads_the_clip_to_that_frame(with_video, made_once):
    page = with_video(made_once)
    for share in (0.5, 0.123, 0.9):
        i = keep_by_click(page, share)
        assert i == pytest.approx(share * (FRAMES - 1), abs=1)
        until(page, f"Math.floor({TIME} * {FPS}) === {i} && !clip.video.seeking")
        page.wait_for_timeout(100)
        assert shown_picture(page) == i
        assert page.evaluate(KEPT) == i


def test_arrows_step_the_clip_frame_by_frame(with_video, made_once):
    page = with_video(made_once)
    i = keep_by_click(page, 0.5)
    for _ in range(9):  # faster than the clip can follow
        page.keyboard.press("ArrowRight")
    until(page, f"Math.floor({TIME} * {FPS}) === {i + 9} && !clip.video.seeking")
    page.wait_for_timeout(200)
    assert page.evaluate(KEPT) == i + 9
    assert shown_picture(page) == i + 9


def test_playing_the_clip_moves_the_cursor_in_the_plots(with_video, made_once):
    page = with_video(made_once)
    assert page.evaluate(KEPT) is None
    page.click("#play")
    until(page, f"{KEPT} > 10")
    page.click("#play")
    until(page, "clip.video.paused")
    page.wait_for_timeout(150)
    at = page.evaluate(f"{TIME} * {FPS}")  # of the clock, which is ahead of what is shown
    assert page.evaluate(KEPT) == pytest.approx(at - 0.5, abs=1.6)
    assert page.input_value("#frame") == str(page.evaluate(KEPT))


def test_a_moment_in_the_table_is_a_way_to_it(with_video, made_once):
    page = with_video(made_once)
    page.click("text=1.2 s 0:00.2")  # the tail is lost from frame 5 on
    assert page.evaluate(KEPT) == 5
    until(page, f"Math.floor({TIME} * {FPS}) === 5")


def test_the_clip_can_be_saved(with_video, made_once, tmp_path):
    page = with_video(made_once)
    with page.expect_download() as download:
        page.click("#save")
    assert download.value.suggested_filename == "clip_labelled.mp4"
    assert Path(download.value.path()).read_bytes()[4:8] == b"ftyp"


def test_nothing_leaves_the_window_or_lies_over_something_else(opened, made_once):
    page = opened(made_once)
    for width in (1920, 1280, 900, 640, 400):
        page.set_viewport_size({"width": width, "height": 720})
        page.wait_for_timeout(100)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        boxes = page.evaluate(
            "() => [...document.querySelectorAll('.panels > section, .told')].map((each) => {"
            " const box = each.getBoundingClientRect();"
            " return [box.left, box.top, box.right, box.bottom]; })"
        )
        for n, (left, top, right, bottom) in enumerate(boxes):
            assert right - left > 150
            for a, b, c, d in boxes[n + 1 :]:
                assert right <= a + 1 or c <= left + 1 or bottom <= b + 1 or d <= top + 1


def test_clip_and_paths_stand_side_by_side_at_one_size(opened, made_once):
    page = opened(made_once)
    screen = page.locator(".screen").bounding_box()
    paths = page.evaluate("[posenb.paths.box.width, posenb.paths.box.height]")
    assert [screen["width"], screen["height"]] == pytest.approx(paths, abs=2)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_report_is_light_or_dark_as_the_browser_is_until_told_otherwise(
    opened, made_once, scheme
):
    page = opened(made_once, color_scheme=scheme)
    other = {"light": "dark", "dark": "light"}[scheme]
    for theme, unseen in ((scheme, other), (other, scheme)):
        assert page.evaluate("document.documentElement.dataset.theme") == theme
        assert page.locator(f".of-{theme}").first.is_visible()
        assert not page.locator(f".of-{unseen}").first.is_visible()
        page.click("#theme")


def test_a_picture_opens_at_large_and_closes(opened, made_once):
    page = opened(made_once)
    assert not page.locator("dialog").is_visible()
    page.click(".pictures button >> nth=1")
    assert page.locator("dialog img").get_attribute("alt") == "test clip_img1"
    page.keyboard.press("Escape")
    assert not page.locator("dialog").is_visible()


def test_on_paper_stands_the_picture_that_the_clip_shows(with_video, made_once, tmp_path):
    page = with_video(made_once)
    keep_by_click(page, 0.5)
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("#still").is_visible()
    assert not page.locator("#clip").is_visible()
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator("#clip").is_visible()
    assert page.pdf().startswith(b"%PDF")


def test_of_several_videos_one_is_shown_and_another_can_be_chosen(opened, made_of_two):
    page = opened(made_of_two)
    assert page.locator("#video option").all_inner_texts() == ["one.mp4", "two.mp4"]
    assert page.locator("#ground-note").inner_text() == "over frame 0 of one.mp4"
    assert page.locator(".told[data-recording]:visible dd").first.inner_text() == "videos/one.mp4"
    with page.expect_navigation(wait_until="load"):
        page.select_option("#video", "2")
    page.wait_for_selector("html[data-ready]", state="attached")
    assert page.input_value("#video") == "2"
    assert page.locator("#ground-note").inner_text() == "over frame 0 of two.mp4"
    assert page.locator(".told[data-recording]:visible dd").first.inner_text() == "videos/two.mp4"
