"""Reports of made analyses, and a browser without a network to open them in."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from made_analyses import make_project, until
from playwright.sync_api import Browser, Page, Request

from posenb._progress import silent_progress
from posenb.reports import report


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSENB_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with everything, of poses that know their run."""
    project = make_project(tmp_path_factory.mktemp("made") / "reach")
    return Path(report(project / "poses" / "clip" / "first", progress=silent_progress))


@pytest.fixture(scope="session")
def made_of_two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a run that has analyzed two videos."""
    project = make_project(tmp_path_factory.mktemp("made") / "reach", ("one", "two"))
    return Path(report(project / "runs" / "first", progress=silent_progress))


@pytest.fixture
def opened(chrome: Browser) -> Iterator[Callable[..., Page]]:
    """Open a page without a network; whatever it complains of or asks for fails the test."""
    pages: list[Page] = []
    wrong: list[str] = []

    def note(request: Request) -> None:
        if not request.url.startswith(("file:", "data:", "blob:")):
            wrong.append(request.url)

    def open_page(path: Path, width: int = 1280, height: int = 720, **options: str) -> Page:
        context = chrome.new_context(
            viewport={"width": width, "height": height}, offline=True, **options
        )
        page = context.new_page()
        pages.append(page)
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", note)
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-ready]", state="attached")
        return page

    yield open_page
    for page in pages:
        page.context.close()
    assert wrong == []


@pytest.fixture
def with_video(opened: Callable[..., Page]) -> Callable[..., Page]:
    """The same, where the browser plays H.264."""

    def open_page(path: Path, **options: int) -> Page:
        page = opened(path, **options)
        kind = 'video/mp4; codecs="avc1.64000a"'
        if not page.evaluate("k => document.createElement('video').canPlayType(k)", kind):
            pytest.skip("this Chromium is built without H.264")
        until(page, "document.getElementById('clip').readyState >= 2")
        return page

    return open_page
