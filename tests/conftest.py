"""Fixtures that every room's tests share."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from jupyter_servers import browser, chrome, jupyter, jupyter_colab, open_notebook
from storage_servers import gs_bucket, gs_server, s3_bucket, s3_server

__all__ = [  # fixtures for every room
    "browser",
    "chrome",
    "gs_bucket",
    "gs_server",
    "jupyter",
    "jupyter_colab",
    "open_notebook",
    "s3_bucket",
    "s3_server",
]

ROOT = Path(__file__).parent.parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files of slow tests, so that no process is left alone with them."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real labelled data beside the checkout."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("real data (../shared/data) is not at hand")
    return folder


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Wheel built from this checkout."""
    from uv import find_uv_bin

    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [find_uv_bin(), "build", "--quiet", "--wheel", "--out-dir", str(folder), str(ROOT)],
        check=True,
    )
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="session")
def chromium() -> Path:
    """Executable of a Chromium that tests can drive; CI must have one."""
    from playwright.sync_api import sync_playwright

    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found is not None:
            return Path(found)
    with sync_playwright() as playwright:
        own = Path(playwright.chromium.executable_path)
    if own.exists():
        return own
    reason = "no Chromium: apt-get install chromium, or playwright install chromium"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
