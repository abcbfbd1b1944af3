"""A new user in JupyterLab: types cells, clicks, and counts what it takes.

The walk goes from a video on this machine to its trajectories, in one notebook that is empty
at first. Who walks it has no code but the cells that are typed here.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jupyter_servers import Notebook

from posenb.core import FrameName
from posenb.labels import read_labels
from posenb.project import Project, list_frames, open_project
from posenb.widgets.label_viewport import Viewport

__all__ = ["KEYPOINTS", "Newcomer", "Step"]

KEYPOINTS = ("snout", "leftear", "rightear", "tailbase")
_LAST = ".jp-Notebook .jp-CodeCell >> nth=-1"
_VIEW = "[o for o in __import__('gc').get_objects() if type(o).__name__ == 'LabelView'][-1]"

Eyes = Callable[[Project, FrameName], np.ndarray]


@dataclass
class Step:
    """What one step took: cells and words that were typed, and clicks."""

    name: str
    cells: int = 0
    clicks: int = 0
    words: int = 0


@dataclass
class Newcomer:
    """Somebody before an empty notebook.

    Parameters
    ----------
    notebook : Notebook
        With one empty cell.
    folder : str
        Of the project, below where the notebook lies.
    seconds : float
        How long they wait for anything.
    """

    notebook: Notebook
    folder: str = "reach"
    seconds: float = 240
    steps: list[Step] = field(default_factory=list)

    @property
    def project(self) -> Project:
        return open_project(self.notebook.server.root / self.folder)

    def total(self, what: str) -> int:
        return sum(getattr(step, what) for step in self.steps)

    # Hands

    def begin(self, name: str) -> None:
        self.steps.append(Step(name))

    def type(self, code: str) -> None:
        """Type a cell at the end of the notebook and run it."""
        cell = self.notebook.page.locator(_LAST).locator(".cm-content")
        cell.scroll_into_view_if_needed()
        cell.click()
        self.notebook.page.keyboard.insert_text(code)
        self.notebook.page.keyboard.press("Shift+Enter")
        self._count(cells=1, clicks=1, words=len(re.findall(r"\w+", code)))

    def click(self, selector: str) -> None:
        found = self.notebook.wait_for(selector, seconds=self.seconds)
        found.scroll_into_view_if_needed()
        found.click()
        self._count(clicks=1)

    def fill(self, selector: str, text: str) -> None:
        self.click(selector)
        self.notebook.page.locator(selector).first.fill(text)
        self._count(words=1)

    def see(self, selector: str) -> None:
        self.notebook.wait_for(selector, seconds=self.seconds)

    def _count(self, *, cells: int = 0, clicks: int = 0, words: int = 0) -> None:
        step = self.steps[-1]
        step.cells += cells
        step.clicks += clicks
        step.words += words

    # Steps

    def upload(self, video: Path) -> None:
        self.begin("upload")
        names = ", ".join(f'"{name}"' for name in KEYPOINTS)
        self.type(
            "import posenb as pn\n"
            f'project = pn.create_project("{self.folder}", keypoints=[{names}])\n'
            "pn.upload(project)"
        )
        self.notebook.wait_for(".pnb-up-choose", seconds=self.seconds)
        with self.notebook.page.expect_file_chooser() as choice:
            self.click(".pnb-up-choose")
        choice.value.set_files(str(video))
        self._count(clicks=2)  # the file, and Open
        self.see("[data-phase=done]")

    def pick(self, count: int) -> tuple[FrameName, ...]:
        self.begin(f"pick {count} frames")
        self.type("pn.pick_frames(project)")
        self.see(".pnb-pick-picture[alt='Frame 0']")
        if count != 20:  # what stands there already
            self.fill(".pnb-pick-count", str(count))
        self.click(".pnb-pick-ask button")
        self.see(".pnb-pick-tile-suggested")
        self.click(".pnb-pick-list-suggested button:has-text('Take all')")
        self.see(".pnb-pick-tile-taken")
        self.click(".pnb-pick-write")
        self.see(".pnb-pick-tile-there")
        (video,) = self.project.videos
        return list_frames(self.project, video)

    def label(self, eyes: Eyes) -> np.ndarray:
        """Label every frame where `eyes` sees the keypoints; return how far the table is off.

        Distances of x and y, pixels, shape (frames, keypoints, 2).
        """
        self.begin("label")
        self.type("pn.label(project)")
        self.see(".pnb-stage canvas")
        self._settle()
        count = int(self.notebook.ask(f"print(len({_VIEW}.state.frames))"))
        wanted: dict[FrameName, np.ndarray] = {}
        for n in range(count):
            self._until(f"{_VIEW}.state.frame", n)
            text = self.notebook.ask(f"f = {_VIEW}.state.frames[{n}]; print((f.video, f.image))")
            frame = FrameName(*eval(text))
            wanted[frame] = eyes(self.project, frame)
            for k, place in enumerate(wanted[frame], start=1):
                self.notebook.page.mouse.click(*self._at(*place))
                self._count(clicks=1)
                self._until(f"int(({_VIEW}.state.here.visibility > 0).sum())", k)
            if n + 1 < count:
                self.click(".pnb-tools .pnb-icon-next")
        assert self.notebook.ask(f"print({_VIEW}.saver.flush(30))") == "True"
        (video,) = self.project.videos
        found = read_labels(Path(self.project.labels_url(video) + ".csv"))
        assert set(found.frames) == set(wanted)
        intended = np.stack([wanted[frame] for frame in found.frames])
        return np.abs(found.positions[:, 0] - intended)

    def train(self, options: str) -> None:
        self.begin("train and watch")
        self.type(f"run = pn.train(project, background=True{options})\nrun.watch()")
        ended = [f".pnb-state-{phase}" for phase in ("finished", "failed", "died")]
        self.see(", ".join(ended))
        assert self.notebook.page.locator(ended[0]).count(), "the training did not finish"

    def browse(self, options: str = "") -> None:
        self.begin("analyze and browse")
        (video,) = self.project.videos
        self.type(f'pn.browse(pn.analyze(run, "{video}"{options}))')
        self.see(".pnb-br-stage[data-frame='0']")

    def _until(self, what: str, value: int) -> None:
        """Wait until the kernel says so: a person sees what has happened and waits for it."""
        deadline = time.monotonic() + 20
        while (said := self.notebook.ask(f"print({what})")) != str(value):
            assert time.monotonic() < deadline, f"{what} is {said} instead of {value}"
            self.notebook.page.wait_for_timeout(50)

    def _settle(self) -> None:
        """Wait until the labeller knows its room, and bring it into view."""
        canvas = self.notebook.page.locator(".pnb-stage canvas").first
        canvas.scroll_into_view_if_needed()
        for _ in range(100):
            width = canvas.bounding_box()["width"]
            known = float(self.notebook.ask(f"print({_VIEW}.state.viewport.canvas[0])"))
            if abs(known - width) < 1 and width != 640:
                break
            self.notebook.page.wait_for_timeout(100)
        canvas.scroll_into_view_if_needed()

    def _at(self, x: float, y: float) -> tuple[int, int]:
        """Where an image coordinate lies on the screen, in whole pixels as a mouse has them."""
        text = self.notebook.ask(f"print(repr({_VIEW}.state.viewport))")
        viewport = eval(text, {"Viewport": Viewport})
        u, v = viewport.to_canvas(x, y)
        canvas = self.notebook.page.locator(".pnb-stage canvas").first
        canvas.scroll_into_view_if_needed()  # nobody clicks where they see nothing
        box = canvas.bounding_box()
        return math.floor(box["x"] + u), math.floor(box["y"] + v)
