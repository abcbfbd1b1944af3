"""The page of trajectories in a browser: what it shows is what it was given."""

import numpy as np
import pytest

from posenb.core import Poses, Skeleton
from posenb.plots.trajectories import notebook_frame, trajectories_page

pytestmark = pytest.mark.browser

COUNT = 400
SPIKE = 217
NAMES = ("snout", "tail </script><b>base</b>")
SIZE = {"width": 1280, "height": 720}

FIND = """(wanted) => {
  // Where in the window a value of a panel against time is drawn.
  const { traces, recording } = posenb;
  const row = traces.rows()[wanted.row];
  const { left, top } = traces.root.getBoundingClientRect();
  const x = scale(traces.times, row.left, row.width)(recording.time(wanted.i));
  const channel = ["x", "y", "likelihood"][wanted.row];
  const y = scale(traces.values(wanted.row), row.top + row.height, -row.height);
  return [left + x, top + y(recording.at(channel, wanted.line, wanted.i))];
}"""
PAINTED = """([x, y]) => {
  // Whether there is ink within three pixels of a place in the window.
  const [, data] = posenb.traces.canvases;
  const box = data.getBoundingClientRect();
  const factor = data.width / box.width;
  const [left, top] = [(x - box.left - 3) * factor, (y - box.top - 3) * factor];
  const pixels = data.getContext("2d").getImageData(left, top, 6 * factor, 6 * factor).data;
  return pixels.some((value, n) => n % 4 === 3 && value > 40);
}"""
IDLE = "() => posenb.work.size === 0 && !posenb.paths.painter.busy"


def two_flies() -> Poses:
    """Two animals on circles; one keypoint of the first jumps once, and one value stands alone."""
    angle = np.linspace(0, 6, COUNT)
    circle = np.stack([200 + 80 * np.cos(angle), 150 + 60 * np.sin(angle)], axis=-1)
    offsets = np.array([[[0, 0], [15, 5]], [[60, 20], [75, 25]]], float)
    positions = circle[:, None, None] + offsets
    likelihoods = np.full((COUNT, 2, 2), 0.9)
    likelihoods[: COUNT // 4, 0, 1] = 0.2
    positions[SPIKE, 0, 0, 0] = 390.0
    positions[300:320, 1, 0] = np.nan
    positions[310, 1, 0] = 50.0, 60.0
    skeleton = Skeleton(NAMES, ((0, 1),))
    return Poses(positions, likelihoods, skeleton, individuals=("left", "right"), fps=50.0)


@pytest.fixture(scope="module")
def show(chrome, tmp_path_factory):
    """Open HTML as a saved page, without any network; fail on whatever it complains of."""
    context = chrome.new_context(viewport=SIZE, offline=True)
    folder = tmp_path_factory.mktemp("pages")
    complaints: list[str] = []

    def open_page(text: str):
        path = folder / f"{len(list(folder.iterdir()))}.html"
        path.write_text(text, encoding="utf-8")
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: note(request.url))
        page.goto(path.as_uri())
        page.wait_for_function("() => document.documentElement.dataset.ready")
        page.wait_for_function(IDLE)
        return page

    def note(url: str) -> None:
        if not url.startswith(("file:", "data:", "blob:", "about:")):
            complaints.append(f"asked for {url}")

    yield open_page
    context.close()
    assert complaints == []


@pytest.fixture(scope="module")
def opened(show):
    image = np.full((300, 400, 3), 128, np.uint8)
    return show(
        trajectories_page(two_flies(), image=image, title="<i>clip</i>.mp4", note="frame 0")
    )


@pytest.fixture
def page(opened):
    """The page of the two flies as it was when it was opened."""
    opened.set_viewport_size(SIZE)
    opened.evaluate("""() => {
      Object.assign(posenb, { cutoff: 0.6, themeName: "light", kept: null, pointed: null });
      posenb.recording.cut(0.6);
      posenb.recording.visible.fill(1);
      posenb.on = { individuals: [true, true], keypoints: [true, true] };
      for (const panel of posenb.panels) panel.reset();
      posenb.choose("zoom");
      posenb.tell();
      posenb.keep(null);
      posenb.dress();
    }""")
    opened.mouse.move(2, 2)
    opened.wait_for_function(IDLE)
    return opened


def place(page, line: int, i: int, row: int = 0) -> list[float]:
    return page.evaluate(FIND, {"line": line, "i": i, "row": row})


def test_the_page_holds_the_poses(page):
    poses = two_flies()
    for axis, name in enumerate("xy"):
        values = page.evaluate(f"() => Array.from(posenb.recording.values.{name})")
        told = np.array([np.nan if v is None else v for v in values]).reshape(2, 2, COUNT)
        given = poses.positions[..., axis].transpose(1, 2, 0)
        np.testing.assert_allclose(told, given, atol=1 / 32)
    likelihoods = page.evaluate("() => Array.from(posenb.recording.values.likelihood)")
    np.testing.assert_allclose(likelihoods, poses.likelihoods.transpose(1, 2, 0).ravel(), atol=1e-3)


def test_names_and_titles_are_text_and_never_markup(page):
    assert page.locator("h1").inner_text() == "<i>clip</i>.mp4"
    assert page.locator("#keypoints button").all_inner_texts() == list(NAMES)
    assert page.locator("main b").count() == 0


def test_the_heading_tells_what_there_is(page):
    facts = page.locator("#facts").inner_text()
    assert facts == "400 frames · 2 individuals · 2 keypoints · 50 frames/s"


def test_the_image_lies_pixel_on_pixel(page):
    box, view = page.evaluate("() => [posenb.paths.box, posenb.paths.square()]")
    assert view["x"] == pytest.approx([-0.5, 399.5], abs=1)
    assert view["y"] == pytest.approx([-0.5, 299.5], abs=1)
    assert box["width"] / box["height"] == pytest.approx(400 / 300, rel=0.01)


def test_what_is_unlikely_vanishes_from_all_panels(page):
    below = 50
    assert not page.evaluate(f"() => posenb.recording.shown[{1 * COUNT + below}]")
    page.locator("#cutoff").fill("0.1")
    page.wait_for_function("() => posenb.recording.kept === posenb.recording.known")
    page.wait_for_function(IDLE)
    spot = place(page, 1, below)
    assert page.evaluate(PAINTED, spot)
    page.locator("#cutoff").focus()
    page.locator("#cutoff").fill("0.95")
    page.wait_for_function("() => posenb.recording.kept === 0")
    page.wait_for_function(IDLE)
    assert not page.evaluate(PAINTED, spot)
    assert "less likely than asked for" in page.locator("#paths .empty").inner_text()
    note, corner = (page.locator(f"#paths{each}").bounding_box() for each in (" .empty", ""))
    box = page.evaluate("() => posenb.paths.box")
    assert note["y"] - corner["y"] == pytest.approx(box["top"], abs=1)  # over the image, all of it
    assert note["height"] == pytest.approx(box["height"], abs=1)
    assert page.locator("#share").inner_text() == "0 % of points"


def test_the_cutoff_can_be_moved_with_keys(page):
    page.locator("#cutoff").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("#cutoff-value").inner_text() == "0.61"
    assert page.evaluate("() => posenb.cutoff") == 0.61


def test_a_peak_of_one_frame_is_seen_however_long_the_recording(page):
    assert page.evaluate(PAINTED, place(page, 0, SPIKE))


@pytest.mark.parametrize("size", [1, 4, 8, 16, 64, 512])
def test_extremes_are_those_of_what_is_shown(page, size):
    poses = two_flies()
    shown = np.where(poses.likelihoods < 0.6, np.nan, poses.positions[..., 0])
    for line in range(4):
        found = page.evaluate(
            f"() => {{ const e = posenb.recording.extremes('x', {line}, {size}, 0, {COUNT});"
            " return [e.from, Array.from(e.low), Array.from(e.high)]; }"
        )
        values = shown[:, line // 2, line % 2]
        for b, (low, high) in enumerate(zip(*found[1:], strict=True)):
            part = values[b * size : (b + 1) * size]
            if np.isnan(part).all():
                assert np.isnan([low, high]).all()
            else:
                assert (low, high) == pytest.approx((np.nanmin(part), np.nanmax(part)), abs=1 / 32)


@pytest.mark.parametrize("size", [4, 16])
def test_extremes_of_a_part_are_those_of_the_whole_there(page, size):
    whole, part = page.evaluate(
        f"() => [[0, {COUNT}], [200, 240]].map(([from, until]) => "
        f"Array.from(posenb.recording.extremes('y', 0, {size}, from, until).low))"
    )
    first = 200 // size
    assert part == whole[first : first + len(part)]
    assert len(part) == -(-240 // size) - first


def test_a_value_that_stands_alone_is_seen(page):
    assert page.evaluate(PAINTED, place(page, 2, 310))


def test_a_gap_stays_empty(page):
    """Beside the one value in it nothing is drawn."""
    x, y = place(page, 2, 310)
    assert not page.evaluate(PAINTED, [x - 7, y])
    assert not page.evaluate(PAINTED, [x + 7, y])


def test_a_keypoint_is_switched_off_in_all_panels(page):
    spot = place(page, 0, SPIKE)
    page.locator("#keypoints button").first.click()
    page.wait_for_function(IDLE)
    assert page.evaluate("() => Array.from(posenb.recording.visible)") == [0, 1, 0, 1]
    assert page.locator("#keypoints button").first.get_attribute("aria-pressed") == "false"
    assert not page.evaluate(PAINTED, spot)


def test_an_individual_is_switched_off_with_the_keyboard(page):
    page.locator("#individuals button").nth(1).focus()
    page.keyboard.press("Enter")
    assert page.evaluate("() => Array.from(posenb.recording.visible)") == [1, 1, 0, 0]


def test_a_double_click_shows_a_keypoint_alone_and_another_one_all(page):
    page.locator("#keypoints button").nth(1).dblclick()
    assert page.evaluate("() => posenb.on.keypoints") == [False, True]
    page.locator("#keypoints button").nth(1).dblclick()
    assert page.evaluate("() => posenb.on.keypoints") == [True, True]


def test_pointing_tells_frame_time_name_and_likelihood(page):
    x, y = place(page, 0, SPIKE)
    page.mouse.move(x, y)
    page.wait_for_selector("#tip:visible")
    name, when, where, likelihood = page.locator("#tip").inner_text().split("\n")
    assert (name, when, likelihood) == ("left: snout", "frame 217 · 4.34 s", "likelihood 0.900")
    assert where.startswith("x 390.0, y 142.")


def test_pointing_at_a_path_finds_its_frame(page):
    place_of = """() => {
      const { paths, recording } = posenb;
      const view = paths.square();
      const { left, top } = paths.root.getBoundingClientRect();
      const at = (name, from, length) =>
        scale(view[name], from, length)(recording.at(name, 2, 310));
      return [left + at("x", paths.box.left, paths.box.width),
              top + at("y", paths.box.top, paths.box.height)];
    }"""
    page.mouse.move(*page.evaluate(place_of))
    page.wait_for_selector("#tip:visible")
    assert page.locator("#tip").inner_text().startswith("right: snout\nframe 310 · 6.20 s")


def test_a_click_keeps_a_frame_and_arrows_step_from_it(page):
    page.mouse.click(*place(page, 0, 100))
    assert page.locator("#frame").input_value() == "100"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    assert page.locator("#frame").input_value() == "111"
    page.locator("#frame").fill("9999")
    page.keyboard.press("Enter")
    assert page.locator("#frame").input_value() == str(COUNT - 1)


def test_dragging_zooms_time_in_all_panels_and_the_paths(page):
    x, y = place(page, 1, 150)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 200, y + 2, steps=4)
    page.mouse.up()
    page.wait_for_function("() => posenb.traces.times[0] > 0")
    page.wait_for_function(IDLE)
    first, last = page.evaluate("() => posenb.traces.times")
    assert first == pytest.approx(3.0, abs=0.1)
    assert last < 7
    ranges = page.evaluate("() => [posenb.traces.axes.layout.xaxis.range, posenb.traces.inView()]")
    assert ranges[0] == pytest.approx([first, last])
    assert ranges[1][0] >= 149
    page.mouse.dblclick(x, y)
    page.wait_for_function("() => posenb.traces.times[0] === 0")


def test_moving_shows_later_frames(page):
    page.locator("#in").click()
    page.locator("#mode-pan").click()
    page.wait_for_function(IDLE)
    before = page.evaluate("() => posenb.traces.times")
    page.mouse.move(900, 300)
    page.mouse.down()
    page.mouse.move(800, 300, steps=4)
    page.mouse.up()
    page.wait_for_function(f"() => posenb.traces.times[0] > {before[0]}")
    after = page.evaluate("() => posenb.traces.times")
    assert after[1] - after[0] == pytest.approx(before[1] - before[0])
    page.locator("#all").click()
    assert page.evaluate("() => posenb.traces.times") == [0, (COUNT - 1) / 50]


def test_pointing_right_after_a_click_on_a_button_does_not_swallow_it(page):
    page.evaluate("""() => {
      posenb.zoom(0.5);
      const at = { clientX: 900, clientY: 300 };
      posenb.traces.root.dispatchEvent(new PointerEvent("pointermove", at));
    }""")
    page.wait_for_function(IDLE)
    shown = page.evaluate("() => posenb.traces.axes.layout.xaxis.range")
    assert shown == page.evaluate("() => posenb.traces.times") != [0, (COUNT - 1) / 50]


def test_pixels_stay_square_when_the_paths_are_zoomed(page):
    box = page.locator("#paths").bounding_box()
    page.mouse.move(box["x"] + 120, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 320, box["y"] + 110, steps=4)
    page.mouse.up()
    page.wait_for_function("() => posenb.paths.view !== null")
    view, size = page.evaluate("() => [posenb.paths.square(), posenb.paths.box]")
    across, down = (view[each][1] - view[each][0] for each in "xy")
    assert across / size["width"] == pytest.approx(down / size["height"])
    assert across < 300


def test_the_theme_is_switched(page):
    light = page.evaluate("() => getComputedStyle(document.documentElement).backgroundColor")
    page.locator("#theme").click()
    dark = page.evaluate("() => getComputedStyle(document.documentElement).backgroundColor")
    assert (light, dark) == ("rgb(255, 255, 255)", "rgb(20, 25, 31)")
    assert page.locator("#theme").inner_text() == "Light"


def test_colours_tell_individuals_or_keypoints(page):
    by_animal = page.evaluate("() => posenb.looks.map((look) => look.colour)")
    page.locator("#coloured").select_option("keypoints")
    by_keypoint = page.evaluate("() => posenb.looks.map((look) => look.colour)")
    page.locator("#coloured").select_option("individuals")
    assert by_animal == ["#0072B2", "#0072B2", "#E69F00", "#E69F00"]
    assert by_keypoint == ["#0072B2", "#E69F00", "#0072B2", "#E69F00"]


@pytest.mark.parametrize("width", [640, 820, 1280, 1920])
def test_nothing_leaves_the_window_sideways(page, width):
    page.set_viewport_size({"width": width, "height": 720})
    page.wait_for_function(f"() => posenb.traces.width < {width}")
    page.wait_for_function(IDLE)
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    for name in ("paths", "traces"):
        plot, svg = (
            page.locator(f"#{name}{each}").bounding_box() for each in ("", " .main-svg >> nth=0")
        )
        assert svg["x"] + svg["width"] <= plot["x"] + plot["width"] + 1
        assert svg["y"] + svg["height"] <= plot["y"] + plot["height"] + 1


def test_everything_that_can_be_used_has_a_name(page):
    nameless = page.evaluate("""() => [...document.querySelectorAll("button, input, select")]
      .filter((each) => !each.labels?.length && !each.getAttribute("aria-label") && !each.innerText)
      .map((each) => each.outerHTML)""")
    assert nameless == []


def test_paper_shows_the_page_light_and_whole(page):
    page.evaluate("() => { posenb.themeName = 'dark'; posenb.dress(); }")
    data = page.pdf(prefer_css_page_size=True, print_background=True)
    assert data.count(b"/Type /Page\n") == 1
    assert page.evaluate("() => [posenb.themeName]") == ["dark"]


def poses_like(positions, likelihood=1.0, fps=25.0) -> Poses:
    positions = np.asarray(positions, float)
    names = tuple(f"k{k}" for k in range(positions.shape[2]))
    likelihoods = np.full(positions.shape[:3], likelihood)
    return Poses(positions, likelihoods, Skeleton(names), fps=fps)


@pytest.mark.parametrize(
    ("poses", "words"),
    [
        pytest.param(poses_like(np.zeros((0, 1, 2, 2))), "There is no frame", id="empty"),
        pytest.param(
            poses_like(np.full((9, 1, 2, 2), np.nan), np.nan), "Nothing was found", id="all-nan"
        ),
        pytest.param(poses_like(np.full((1, 1, 1, 2), 7.0), fps=np.nan), "", id="one-frame"),
        pytest.param(poses_like(np.full((5, 1, 1, 2), 7.0), np.nan), "", id="no-likelihood"),
    ],
)
def test_hardly_any_data_makes_a_sensible_page(show, poses, words):
    page = show(trajectories_page(poses))
    note = page.locator("#traces .empty")
    assert words in note.inner_text() if words else note.is_hidden()
    page.mouse.move(900, 300)
    page.locator("#in").click()
    page.locator("#traces").press("ArrowRight")
    page.wait_for_function(IDLE)
    assert page.locator("#trouble").is_hidden()
    likelihoods = np.isfinite(poses.likelihoods).any()
    assert page.locator("#cutoff").is_disabled() == (not likelihoods)
    title = page.locator("#traces .xtitle").text_content()
    assert title == ("time (s)" if np.isfinite(poses.fps) else "frame")
    page.close()


def test_a_notebook_shows_the_page_in_a_frame_of_its_own(show, chrome):
    text = notebook_frame(trajectories_page(two_flies()), 500)
    page = chrome.new_page(viewport=SIZE)
    page.set_content(f"<p>a cell</p>{text}{text}")
    for frame in page.frames[1:]:
        frame.wait_for_function("() => document.documentElement.dataset.ready")
        assert frame.locator("#keypoints button").count() == 2
    assert len(page.frames) == 3
    assert page.locator("iframe").first.bounding_box()["height"] == 500
    page.close()
