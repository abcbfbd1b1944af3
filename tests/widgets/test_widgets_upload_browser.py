"""The uploader in real notebooks: files travel from Chromium through Jupyter into a project."""

import base64
import hashlib
from pathlib import Path

import google_crc32c
import numpy as np
import pytest
from upload_notebooks import arrived, choose, make_clip, make_video, show, wait_until_some_came

from posenb import storage
from posenb.project import create_project, open_project
from posenb.widgets import upload_view

pytestmark = pytest.mark.browser

DROP = """([name, text]) => {
    const data = new DataTransfer();
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    data.items.add(new File([bytes], name));
    const area = document.querySelector(".pnb-up-drop");
    for (const kind of ["dragenter", "dragover", "drop"])
        area.dispatchEvent(new DragEvent(kind, { dataTransfer: data, bubbles: true }));
}"""
LOSE_CONNECTION = (
    "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.reconnect()"
)
SLOW = """
import time
desk, real = uploader._desk, uploader._desk.handle
def slowly(message, buffers=()):
    time.sleep(0.1 if message.get("do") == "piece" else 0)
    return real(message, buffers)
desk.handle = slowly
"""
FAST = "desk.handle = real"


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A small video."""
    return make_clip(tmp_path_factory.mktemp("clip") / "clip.mp4")


@pytest.fixture
def project(tmp_path: Path) -> str:
    return create_project(tmp_path / "reach", keypoints=["nose"]).url


@pytest.mark.parametrize(("surface", "version"), [("lab", "8"), ("voila", "8"), ("colab", "7.7.1")])
def test_a_chosen_video_arrives_whole_and_is_shown(
    open_notebook, project, tmp_path, clip, surface, version
):
    digest = make_video(tmp_path / "m3v1.mp4", clip, 10_000_000)
    notebook = open_notebook([show(project)], surface)
    choose(notebook, tmp_path / "m3v1.mp4")
    widgets = notebook.ask("import ipywidgets\nprint(ipywidgets.__version__)")
    assert widgets.startswith(version)
    row = notebook.wait_for("[data-phase=done]")
    assert arrived(project, "m3v1.mp4") == digest
    assert open_project(project).videos == {"m3v1": "videos/m3v1.mp4"}
    assert row.locator("img").get_attribute("src").startswith("data:image/jpeg")
    assert "2 s · 20 frames · 10 frames/s · 160 × 120 · 10 MB" in row.inner_text()
    notebook.screenshot(f"upload-done-{surface}")


@pytest.mark.slow
def test_a_large_file_needs_little_memory_and_outlasts_pauses_and_lost_connections(
    open_notebook, project, tmp_path, clip
):
    digest = make_video(tmp_path / "large.mp4", clip, 60_000_000)
    notebook = open_notebook([show(project)])
    notebook.wait_for(".pnb-up-drop")
    notebook.ask(SLOW)  # first, or a quiet machine has it all before it can be paused
    before = notebook.kernel_memory()
    choose(notebook, tmp_path / "large.mp4")
    wait_until_some_came(notebook, 10)
    notebook.page.keyboard.press("Tab")
    notebook.page.locator("button[title='Pause large.mp4']").focus()
    notebook.page.keyboard.press("Enter")
    notebook.wait_for("[data-phase=paused]")
    notebook.screenshot("upload-paused")
    notebook.page.keyboard.press("Enter")  # the focus is on what the button has become
    notebook.wait_for("[data-phase=sending]")
    wait_until_some_came(notebook, 30)
    notebook.screenshot("upload-sending")
    for _ in range(2):
        notebook.page.evaluate(LOSE_CONNECTION)
        notebook.page.wait_for_timeout(300)
    notebook.ask(FAST)
    notebook.wait_for("[data-phase=done]")
    assert arrived(project, "large.mp4") == digest
    assert notebook.kernel_memory("VmHWM") - before < 100


@pytest.mark.slow
def test_after_the_kernel_was_killed_the_same_file_goes_on(open_notebook, project, tmp_path, clip):
    digest = make_video(tmp_path / "m.mp4", clip, 40_000_000)
    notebook = open_notebook([show(project)])
    notebook.wait_for(".pnb-up-drop")
    victim = notebook.kernel_pid()
    notebook.ask(SLOW)
    choose(notebook, tmp_path / "m.mp4")
    wait_until_some_came(notebook, 50)
    notebook.kill_kernel(victim)
    assert arrived_files(project) == []
    notebook.run_all()
    notebook.wait_for("[data-phase=missing]")
    notebook.screenshot("upload-missing")
    there = notebook.ask("print(uploader._desk.view()['rows'][0]['position'])")
    assert int(there) >= 8 * 2**20
    choose(notebook, tmp_path / "m.mp4")
    notebook.wait_for("[data-phase=done]")
    assert arrived(project, "m.mp4") == digest


def arrived_files(project: str) -> list[str]:
    return storage.list_files(storage.join(project, "videos"))


@pytest.mark.slow
def test_dropped_files_found_files_and_a_busy_kernel(open_notebook, project, tmp_path, clip):
    (tmp_path / "raw").mkdir()
    for n in range(3):
        (tmp_path / "raw" / f"cam{n}.mp4").write_bytes(clip)
    notebook = open_notebook(
        [show(project), "import time\nfor _ in range(70): time.sleep(0.1)"], run=False
    )
    notebook.start_all()
    notebook.wait_for(".pnb-up-choose")
    for name, data in (("../m.mp4", clip), ("notes.mp4", b"words")):
        notebook.page.evaluate(DROP, [name, base64.b64encode(data).decode()])
    notebook.wait_for(".pnb-up-note:has-text('While a cell runs, the upload waits')")
    notebook.screenshot("upload-busy")
    notebook.wait_for("[data-phase=refused]")
    notebook.wait_for("[data-phase=done]")
    assert [storage.name(url) for url in arrived_files(project)] == ["m.mp4"]
    assert not notebook.page.locator(".pnb-up-note").inner_text()
    notebook.page.evaluate(DROP, ["m.mp4", base64.b64encode(clip + bytes(8)).decode()])
    field = notebook.wait_for(".pnb-up-rename input")
    assert field.input_value() == "m-2.mp4"
    notebook.page.locator(".pnb-up-field").fill(f"{tmp_path}/raw")
    notebook.page.keyboard.press("Enter")
    notebook.wait_for("button:has-text('Add 3 videos')")
    notebook.page.locator(".pnb-up-item input").first.uncheck()
    notebook.screenshot("upload-found")
    notebook.wait_for("button:has-text('Add 2 videos')").click()
    notebook.wait_for(".pnb-up-row:has-text('cam2.mp4') >> text=Added where it lies.")
    assert sorted(open_project(project).videos) == ["cam1", "cam2", "m"]
    field.fill("again.mp4")
    field.press("Enter")
    notebook.wait_for(".pnb-up-row:has-text('again.mp4')[data-phase=done]")
    assert [storage.name(url) for url in arrived_files(project)] == ["again.mp4", "m.mp4"]


@pytest.mark.slow
@pytest.mark.parametrize("closed", [False, True], ids=["reachable", "closed"])
def test_a_browser_sends_straight_to_the_bucket_if_it_can(
    open_notebook, gs_server, gs_bucket, tmp_path, clip, monkeypatch, closed
):
    monkeypatch.setattr(gs_server, "closed_to_pages", closed)
    gs_server.origins.clear()
    url = create_project(storage.join(gs_bucket, "reach"), keypoints=["nose"]).url
    digest = make_video(tmp_path / "m.mp4", clip, 9_000_000 if closed else 20_000_000)
    notebook = open_notebook([show(url, STORAGE_EMULATOR_HOST=gs_server.url)])
    choose(notebook, tmp_path / "m.mp4")
    notebook.wait_for("[data-phase=done]")
    assert arrived(url, "m.mp4") == digest
    assert open_project(url).videos == {"m": "videos/m.mp4"}
    # How far, then three parts; where a page may not, its question is all that comes of it.
    assert len(gs_server.origins) == (0 if closed else 4)
    notebook.screenshot(f"upload-bucket-{'closed' if closed else 'reachable'}")


def test_the_pages_own_sums_are_the_known_ones(browser):
    page = browser.new_page()
    rng = np.random.default_rng(0)
    samples = [rng.bytes(size) for size in (0, 1, 3, 55, 56, 63, 64, 65, 119, 120, 1000, 100_000)]
    page.goto("about:blank")
    sums = page.evaluate(
        """async ([source, texts]) => {
            const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
            const { plainSha256, crc32c } = await import(url);
            return texts.map((text) => {
                const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
                return [plainSha256(bytes), crc32c(0, bytes)];
            });
        }""",
        [upload_view.Uploader._esm, [base64.b64encode(data).decode() for data in samples]],
    )
    page.close()
    for data, (sha256, crc) in zip(samples, sums, strict=True):
        assert sha256 == hashlib.sha256(data).hexdigest()
        assert crc == google_crc32c.value(data)
