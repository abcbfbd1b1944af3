"""The walk of somebody who does not program: from a dropped video to a zip, in a real browser."""

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from jupyter_servers import _free_port
from playwright.sync_api import BrowserContext, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SIZES = {"wide": (1280, 720), "narrow": (680, 900)}
OVERFLOWING = """() => {
    const app = document.querySelector(".pnb-app");
    const edge = app.getBoundingClientRect().right + 1;
    return [...app.querySelectorAll("*")]
        .filter((one) => one.getBoundingClientRect().right > edge)
        .map((one) => one.className);
}"""


@pytest.fixture(scope="module")
def visits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the visitors' folders are."""
    return tmp_path_factory.mktemp("visits")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, visits: Path) -> Iterator[str]:
    """Address of the app, as the command serves it; in the end nothing may be left behind."""
    pytest.importorskip("voila", reason="the extra app is not installed")
    place = tmp_path_factory.mktemp("served")
    surroundings = {
        **{key: value for key, value in os.environ.items() if not key.startswith("JUPYTER")},
        "TMPDIR": str(visits),
        "POSENB_CACHE": str(place / "cache"),
        "POSENB_ZOO": "",
        "JUPYTER_RUNTIME_DIR": str(place / "runtime"),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }
    command = [
        *(sys.executable, "-c", "from posenb.cli import main; main()"),
        *("app", "--no-open", "--port", str(_free_port())),
    ]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=surroundings
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.search(r"http://\S+", line)
    try:
        assert found is not None, process.communicate(timeout=20)[1]
        yield found.group()
    finally:
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(30)
        process.kill()
        process.communicate()
    assert list(visits.glob("posenb-visit-*")) == []


@pytest.fixture
def page(browser: BrowserContext, served: str) -> Iterator[Page]:
    page = browser.new_page()
    page.set_viewport_size({"width": 1280, "height": 720})
    page.set_default_timeout(60_000)
    page.goto(served)
    page.locator(".pnb-app-drop").wait_for()
    yield page
    page.close()


@pytest.fixture
def show(page: Page, tmp_path: Path):
    """Take pictures of a step at both widths, and see that nothing sticks out."""
    pictures = Path(os.environ.get("POSENB_SCREENSHOTS", tmp_path / "screenshots"))

    def show_(name: str) -> None:
        for width, (across, down) in SIZES.items():
            page.set_viewport_size({"width": across, "height": down})
            page.screenshot(path=pictures / f"app-{name}-{width}.png")
            assert page.evaluate(OVERFLOWING) == []
        page.set_viewport_size({"width": 1280, "height": 720})

    return show_


def execute(served: str, kernel: str, code: str) -> None:
    """Ask a visitor's process to run code, as whoever means harm would."""
    from tornado.websocket import websocket_connect

    header = {"msg_id": "1", "msg_type": "execute_request", "session": "s", "version": "5.3"}
    message = {
        "header": header,
        "parent_header": {},
        "metadata": {},
        "channel": "shell",
        "content": {"code": code, "silent": False},
    }

    async def send() -> None:
        url = served.replace("http", "ws", 1)
        connection = await websocket_connect(f"{url}api/kernels/{kernel}/channels")
        await connection.write_message(json.dumps(message))
        with suppress(TimeoutError):
            await asyncio.wait_for(connection.read_message(), 1.5)
        connection.close()

    with ThreadPoolExecutor(1) as thread:  # Playwright has this one's loop
        thread.submit(lambda: asyncio.run(send())).result()


def test_a_clip_is_dropped_tracked_looked_at_and_taken_home(
    page, served, show, mouse_clip, tmp_path
):
    show("video")
    page.set_input_files("input[type=file]", mouse_clip)
    page.locator(".pnb-app-card img").first.wait_for()
    show("model")
    page.locator(".pnb-app-card:has-text('Mouse in an open field') button").click()
    page.locator(".pnb-app-verdict.pnb-app-good").wait_for()
    page.fill("input[aria-label='Last second']", "1")
    page.locator(".pnb-app-facts dd:text-is('30')").wait_for()
    show("options")
    page.locator("button:has-text('Find the animal')").click()
    page.locator(".pnb-app-stages .pnb-app-doing").wait_for()
    show("run")
    report = page.frame_locator(".pnb-app-report")
    report.locator("h1:has-text('m3v1.mp4')").wait_for()
    assert page.locator(".pnb-app-share b").inner_text() == "100 %"
    show("look")
    with page.expect_download() as download:
        page.locator("button:has-text('Everything')").click()
    assert download.value.suggested_filename == "m3v1_posenb.zip"
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.testzip() is None
        assert "posenb-results/labelled.mp4" in archive.namelist()
    page.locator("button:has-text('Another video')").click()
    page.locator("h2:has-text('Drop another video here')").wait_for()
    assert "replaces what was found in m3v1.mp4" in page.locator(".pnb-app-main").inner_text()

    # The same visit, as whoever means harm would see it.
    config = json.loads(page.locator("#jupyter-config-data").text_content() or "")
    execute(served, config["kernelId"], f"open({str(tmp_path / 'harm')!r}, 'w').close()")
    assert not (tmp_path / "harm").exists()
    for inside in ("app.ipynb", "templates/posenb/conf.json", "../engine.py"):
        assert page.request.get(f"{served}voila/files/{inside}").status in (403, 404)


def test_a_clip_of_3840_by_2160_is_walked_through_with_words_on_what_follows(
    page, show, sharp_clip
):
    page.set_input_files("input[type=file]", sharp_clip)
    page.locator(".pnb-app-clip .pnb-warn:has-text('3840 × 2160 pixels are many')").wait_for()
    page.locator(".pnb-app-card:has-text('Mouse in an open field') button").click()
    page.locator(".pnb-app-verdict.pnb-app-good").wait_for()
    show("sharp-options")
    page.locator(".pnb-app-choice:has-text('Fast')").click()
    page.fill("input[aria-label='Last second']", "0.3")
    page.locator(".pnb-app-facts dd:text-is('9')").wait_for()
    page.locator("button:has-text('Find the animal')").click()
    page.frame_locator(".pnb-app-report").locator("h1:has-text('sharp.mp4')").wait_for()
    assert "in 9 frames of sharp.mp4" in page.locator(".pnb-app-found").inner_text()
    show("sharp-look")


def test_wrong_files_end_in_plain_words_and_the_way_stays_open(page, show, tmp_path, empty_clip):
    problem = page.locator(".pnb-app-problem")
    (tmp_path / "paper.mp4").write_bytes(b"%PDF-1.7" + bytes(1000))
    page.set_input_files("input[type=file]", tmp_path / "paper.mp4")
    page.locator(".pnb-app-problem:has-text('is a PDF document')").wait_for()
    show("problem")
    (tmp_path / "zero.mp4").touch()
    page.set_input_files("input[type=file]", tmp_path / "zero.mp4")
    page.locator(".pnb-app-problem:has-text('“zero.mp4” is empty')").wait_for()
    shutil.copy(empty_clip, tmp_path / "arena.mp4")
    page.set_input_files("input[type=file]", tmp_path / "arena.mp4")
    page.locator(".pnb-app-card").first.wait_for()
    assert problem.inner_text() == ""
    page.locator(".pnb-app-card:has-text('Mouse in an open field') button").click()
    page.locator(".pnb-app-verdict.pnb-app-poor").wait_for()
    show("no-animal")
    page.locator("button.pnb-app-step:has-text('Model')").click()
    page.locator(".pnb-app-chosen").wait_for()


def test_who_leaves_while_there_is_something_to_lose_is_asked_and_a_closed_page_is_a_visit_gone(
    page, visits, empty_clip
):
    before = set(visits.glob("posenb-visit-*"))
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.set_input_files("input[type=file]", empty_clip)
    page.locator(".pnb-app-card:has-text('Mouse in an open field') button").click()
    page.locator(".pnb-app-verdict.pnb-app-poor").wait_for()
    page.locator("button:has-text('Find the animal')").click()
    page.frame_locator(".pnb-app-report").locator("h1").wait_for()
    page.close(run_before_unload=True)
    page.wait_for_timeout(500)
    assert asked == ["beforeunload"]
    page.locator("button:has-text('Another model')").click()  # whoever stayed can go on
    page.locator(".pnb-app-card").first.wait_for()
    page.close()
    deadline = time.monotonic() + 30
    while before <= set(visits.glob("posenb-visit-*")) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert len(before - set(visits.glob("posenb-visit-*"))) == 1
