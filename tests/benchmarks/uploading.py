"""How fast a large file travels from the browser into a project, and what memory that takes.

    python tests/benchmarks/uploading.py [--megabytes 300] [--surface lab] [--bucket]

Chromium uploads a file made on the fly through JupyterLab (``lab``, ipywidgets 8) or through
the second environment with Colab's ipywidgets 7 (``colab``) into a project on this disk, or
with ``--bucket`` straight into an emulated bucket. Checksums are compared at the end.
"""

import argparse
import os
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "widgets"))


def test_upload(open_notebook, tmp_path, request):
    from upload_notebooks import arrived, choose, make_clip, make_video, show

    from posenb import storage
    from posenb.project import create_project

    size = int(os.environ["UPLOAD_MEGABYTES"]) * 10**6
    folder, environment = str(tmp_path), {}
    if os.environ["UPLOAD_BUCKET"]:
        environment = {"STORAGE_EMULATOR_HOST": request.getfixturevalue("gs_server").url}
        folder = request.getfixturevalue("gs_bucket")
    project = create_project(storage.join(folder, "reach"), keypoints=["nose"]).url
    digest = make_video(tmp_path / "large.mp4", make_clip(tmp_path / "clip.mp4"), size)
    notebook = open_notebook([show(project, **environment)], os.environ["UPLOAD_SURFACE"])
    notebook.wait_for(".pnb-up-choose")
    before = notebook.kernel_memory()
    began = time.perf_counter()
    choose(notebook, tmp_path / "large.mp4")
    notebook.wait_for("[data-phase=done]", seconds=3600)
    seconds = time.perf_counter() - began
    assert arrived(project, "large.mp4") == digest
    grown = notebook.kernel_memory("VmHWM") - before
    sys.stdout.write(
        f"\n{size / 1e6:.0f} MB in {seconds:.1f} s: {size / 1e6 / seconds:.1f} MB/s\n"
        f"kernel: {before:.0f} MB before, at most {grown:.0f} MB more; checksums are equal\n"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=300)
    parser.add_argument("--surface", choices=["lab", "colab"], default="lab")
    parser.add_argument("--bucket", action="store_true")
    chosen = parser.parse_args()
    os.environ["UPLOAD_MEGABYTES"] = str(chosen.megabytes)
    os.environ["UPLOAD_SURFACE"] = chosen.surface
    os.environ["UPLOAD_BUCKET"] = "yes" if chosen.bucket else ""
    # Pytest brings the servers and the browser, which are fixtures of the tests.
    return int(pytest.main(["-q", "-s", "-p", "no:cacheprovider", __file__]))


if __name__ == "__main__":
    sys.exit(main())
