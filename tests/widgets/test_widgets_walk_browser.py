"""A new user's walk in real JupyterLab: a video, three frames by mouse, training, browsing."""

import numpy as np
import pytest
from newcomer import KEYPOINTS, Newcomer

from posenb.project import list_runs

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TINY = (
    ', backbone="mobilenet_v2_035", weights=None, width=8, scale=0.25, window=96'
    ", steps=2, validate_every=1"
)
PLACES = np.array([[300.0, 200.0], [280.0, 220.0], [320.0, 220.0], [300.0, 280.0]])


def test_a_new_user_walks_from_a_video_to_its_trajectories(open_notebook, shared_data):
    notebook = open_notebook([""], "lab", size=(1280, 900), run=False)
    user = Newcomer(notebook, "reach-of-a-newcomer")
    user.upload(shared_data / "openfield" / "videos" / "m3v1mp4.mp4")
    assert len(user.pick(3)) == 3
    off = user.label(lambda project, frame: PLACES)
    assert off.shape == (3, len(KEYPOINTS), 2)
    assert off.max() <= 0.5  # pixels of the image, at fit
    user.train(TINY)
    user.browse(", stop=12")
    notebook.screenshot("walk_end")
    red = notebook.page.locator("[data-mime-type='application/vnd.jupyter.stderr']")
    assert "Traceback" not in " ".join(red.all_inner_texts())
    (run,) = list_runs(user.project.url)
    assert run.finished
    assert user.total("cells") == 5
    assert user.total("clicks") <= 5 + 7 + 3 * len(KEYPOINTS) + 2  # cells, buttons, labels, next
