"""How fast long trajectories open and move in headless Chromium, beside plain plotly.

Run ``python tests/benchmarks/plotting.py``; takes about a minute. Times are those of the
page's own clock: from the start of navigation until the page is ready (it answers, all panels
are there, paths are still being filled in) and until the last path is drawn, and what
its main thread computed for it (which other work on the machine changes less); zooming until
the next picture is shown; frames a second while the time panels are dragged.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from plotly.subplots import make_subplots

from posenb.core import Poses, Skeleton
from posenb.plots.trajectories import trajectories_page

SIZE = {"width": 1280, "height": 720}
HEADS = (
    *("frames", "page", "MB", "made s", "ready ms", "drawn ms", "CPU ms"),
    *("zoom ms", "frames/s", "worst ms"),
)
NOTE_READY = """new MutationObserver(() => {
  if (document.documentElement?.dataset.ready) window.ready ??= performance.now();
}).observe(document, {attributes: true, subtree: true});"""

WATCH = """() => {
  window.gaps = [];
  let last = performance.now();
  const tick = (now) => {
    gaps.push(now - last);
    last = now;
    window.watch = requestAnimationFrame(tick);
  };
  window.watch = requestAnimationFrame(tick);
}"""
SETTLED = """() => new Promise(done =>
  requestAnimationFrame(() => setTimeout(() => done(performance.now()))))"""
OURS_READY = "() => document.documentElement.dataset.ready && !posenb.paths.painter.busy"
OURS_ZOOM = """async ([from, until]) => {
  const begun = performance.now();
  await Plotly.relayout(posenb.traces.axes, {"xaxis.range[0]": from, "xaxis.range[1]": until});
  await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
  return performance.now() - begun;
}"""
PLAIN_ZOOM = """async ([from, until]) => {
  const begun = performance.now();
  const [plot] = document.querySelectorAll(".js-plotly-plot");
  await Plotly.relayout(plot, {"xaxis3.range[0]": from, "xaxis3.range[1]": until});
  await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
  return performance.now() - begun;
}"""


def made_poses(count: int, keypoints: int) -> Poses:
    """An animal that wanders in an arena, with noise and some wild points."""
    generator = np.random.default_rng(0)
    way = np.cumsum(generator.normal(0, 1.2, (count, 1, 1, 2)), axis=0)
    positions = np.array([320, 240]) + np.array([260, 190]) * np.sin(way / 100)
    positions = positions + generator.normal(0, 12, (1, 1, keypoints, 2))
    positions += generator.normal(0, 0.5, positions.shape)
    likelihoods = np.clip(generator.beta(8, 0.6, (count, 1, keypoints)), 0, 1)
    positions[likelihoods < 0.3] += generator.normal(0, 80, (int((likelihoods < 0.3).sum()), 2))
    names = tuple(f"keypoint{k}" for k in range(keypoints))
    return Poses(positions, likelihoods, Skeleton(names), fps=30.0)


def ours(poses: Poses) -> str:
    image = np.full((480, 640, 3), 200, np.uint8)
    return trajectories_page(poses, image=image)


def plain(poses: Poses) -> str:
    """What one gets from plotly alone: every point in the page, drawn by the graphics card."""
    rows = [poses.positions[..., 0], poses.positions[..., 1], poses.likelihoods]
    figure = make_subplots(rows=3, cols=1, shared_xaxes=True)
    times = poses.times.astype(np.float32)
    for k, name in enumerate(poses.skeleton.keypoints):
        for row, values in enumerate(rows, start=1):
            line = values[:, 0, k].astype(np.float32)
            figure.add_scattergl(x=times, y=line, name=name, mode="lines", row=row, col=1)
    figure.update_layout(**SIZE)
    ready = "document.documentElement.dataset.ready = true;"
    return str(figure.to_html(include_plotlyjs=True, post_script=ready))


def measure(browser: Any, make: Callable[[Poses], str], poses: Poses, folder: Path) -> list[float]:
    begun = time.perf_counter()
    text = make(poses)
    took = time.perf_counter() - begun
    path = folder / "page.html"
    path.write_text(text, encoding="utf-8")
    page = browser.new_page(viewport=SIZE)
    page.add_init_script(NOTE_READY)
    clock = page.context.new_cdp_session(page)
    clock.send("Performance.enable", {"timeDomain": "threadTicks"})
    mine = make is ours
    try:
        page.goto(path.as_uri(), timeout=120_000)
        ready = OURS_READY if mine else "() => document.documentElement.dataset.ready"
        page.wait_for_function(ready, timeout=120_000)
        drawn = page.evaluate(SETTLED)
        opened = page.evaluate("() => window.ready")
        metrics = {
            each["name"]: each["value"] for each in clock.send("Performance.getMetrics")["metrics"]
        }
        span = len(poses) / poses.fps
        steps = [(span * 0.1, span * 0.6), (span * 0.4, span * 0.45), (0, span), (0, span * 0.5)]
        zooms = [page.evaluate(OURS_ZOOM if mine else PLAIN_ZOOM, list(step)) for step in steps]
        rate, worst = drag(page, mine)
    finally:
        page.close()
    size = len(text.encode()) / 1e6
    return [
        size,
        took,
        opened,
        drawn,
        1000 * metrics["TaskDuration"],
        float(np.median(zooms)),
        rate,
        worst,
    ]


def drag(page: Any, mine: bool) -> tuple[float, float]:
    """Drag the time panels with the mouse for two seconds; return frames/s and the longest gap."""
    if mine:
        page.click("#mode-pan")
    else:
        page.evaluate(
            "() => Plotly.relayout(document.querySelector('.js-plotly-plot'), {dragmode: 'pan'})"
        )
    page.mouse.move(950, 250)
    page.mouse.down()
    page.mouse.move(945, 250)
    page.evaluate(WATCH)
    begun, step = time.perf_counter(), 0
    while time.perf_counter() - begun < 2:
        page.mouse.move(950 - (step * 5) % 300, 250)
        step += 1
    gaps = page.evaluate("() => { cancelAnimationFrame(window.watch); return gaps.slice(1); }")
    page.mouse.up()
    return 1000 * len(gaps) / sum(gaps), max(gaps)


def main() -> None:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, nargs="+", default=[1_500, 10_000, 100_000])
    parser.add_argument("--keypoints", type=int, default=12)
    parser.add_argument("--chromium", default=shutil.which("chromium"), help="executable")
    parser.add_argument("--ours-only", action="store_true")
    options = parser.parse_args()
    sys.stdout.write("".join(f"{head:>10}" for head in HEADS) + "\n")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=options.chromium)
        for count in options.frames:
            poses = made_poses(count, options.keypoints)
            for make in (ours,) if options.ours_only else (ours, plain):
                figures = measure(browser, make, poses, Path(folder))
                shown = f"{figures[0]:10.1f}{figures[1]:10.2f}"
                shown += "".join(f"{each:10.0f}" for each in figures[2:])
                name = "posenb" if make is ours else "plotly"
                sys.stdout.write(f"{count:10,}{name:>10}{shown}\n")
                sys.stdout.flush()
        browser.close()


if __name__ == "__main__":
    main()
