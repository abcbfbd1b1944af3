"""The same steps as forms: each a cell of a notebook, whose code is hidden.

Each step shows itself, and says in plain words what went wrong or is still missing; so a
notebook can be run to its end at any time.
"""

from __future__ import annotations

import base64
import warnings
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import quote

from posenb import storage, zoo
from posenb.app import engine
from posenb.app.cells import (
    Shown,
    clip_cell,
    files_cell,
    found_cell,
    models_cell,
    note,
    options_cell,
)
from posenb.app.runner import Order, Outcome, run
from posenb.app.showing import show_walk
from posenb.app.state import (
    Step,
    Walk,
    choose_model,
    fail,
    finish,
    go_to,
    open_steps,
    set_options,
    start,
    take_clip,
    take_trial,
)
from posenb.app.words import explain, explain_refusal
from posenb.demonstration import sample_project
from posenb.errors import InvalidInputError, PosenbError, StorageError, VideoError, ZooWarning
from posenb.project import Project, create_project
from posenb.views import plot_trajectories
from posenb.widgets import upload
from posenb.widgets.environment import in_colab
from posenb.widgets.quantities import say_bytes
from posenb.zoo import Card
from posenb.zoo.page import read_preview

__all__ = ["Forms"]

_LARGEST_SHOWN = 60_000_000  # bytes of a video within a notebook
_WIDTH = 640  # pixels
_PLAYER = (
    '<video controls loop width="{width}" style="max-width: 100%" poster="{poster}" '
    'src="data:video/mp4;base64,{data}"></video>'
)
_STOPPED = "Stopped. What is finished is kept: run this step again, and it goes on."


class Forms:
    """The way of a video to its poses, for a notebook of forms.

    Parameters
    ----------
    folder : str or PathLike, optional
        Where the videos and all that is found are kept.

    Attributes
    ----------
    walk : Walk
    outcome : Outcome or None
        Of the last run.
    """

    walk: Walk
    outcome: Outcome | None

    def __init__(self, folder: storage.Url = "") -> None:
        self.walk = Walk()
        self.outcome = None
        self._home = storage.resolve(folder or Path.cwd())
        self._project: Project | None = None
        self._wanted = ""
        self._video = ""
        self._picture = ""
        self._cards: dict[str, Card] = {}

    def video(self, own: bool = False, name: str = "") -> Any:
        """Step 2: a field to drop one's own video into, or the sample.

        Parameters
        ----------
        own : bool, optional
            Whether it is one's own; else a made mouse.
        name : str, optional
            Which of one's own; by default the one that came last.
        """

        def act() -> Any:
            self._wanted = name.strip() if own else ""
            if not own:
                self._project = sample_project(self._place("sample-project"), labelled=False)
                self._take_video()
                return self._clip()
            self._project = create_project(self._place("videos"), keypoints=["any"])
            return upload(self._project)

        return self._plainly(act)

    def models(self, model: str, index: str = "") -> Any:
        """Step 3: all models with their pictures, and the one that is chosen.

        Parameters
        ----------
        model : str
            Name, or the folder of a model.
        index : str, optional
            Address of a further index of models.
        """
        return self._plainly(lambda: self._choose(model.strip(), index.strip()))

    def options(
        self, quality: str = "normal", first: float = 0, last: float = 0, size: float = 0
    ) -> Any:
        """Step 4: how to look, and what the model sees in a few frames.

        Parameters
        ----------
        quality : {"fast", "normal", "exact"}, optional
        first, last : float, optional
            Seconds of the part to look at; a `last` of 0 is the end.
        size : float, optional
            Of the animal, relative to those that the model learned from; 0 finds it.
        """

        def act() -> Shown:
            self._need_model()
            self.walk = set_options(
                self.walk, quality=quality, start=first, stop=last or None, size=size or None
            )
            model = self.walk.model
            assert model is not None
            trial, picture = engine.try_model(Path(self._video), model, self.walk.options)
            self.walk = take_trial(self.walk, trial)
            return options_cell(self._view(), picture)

        return self._plainly(act)

    def find(self) -> Any:
        """Step 5: find the animal in every frame, draw it and tell of it."""

        def act() -> Shown:
            self._need_model()
            self.outcome = None
            self.walk = start(self.walk)
            model, clip = self.walk.model, self.walk.clip
            assert model is not None
            assert clip is not None
            outcome = run(Order(self._video, model, self.walk.options, clip.name))
            self.walk = finish(self.walk, outcome.found)
            self.outcome = outcome
            rows = outcome.summary.itertuples(index=False, name=None)
            return found_cell(self._view(), list(rows), clip.name)

        return self._plainly(act)

    def watch(self) -> Any:
        """Step 6: the labelled video."""

        def act() -> Any:
            url = self._need_outcome().files["video"]
            size = storage.size(url)
            if size > _LARGEST_SHOWN:
                said = (
                    f"The labelled video has {say_bytes(size)}, too much to be shown here. It is "
                )
                return note(f"{said} {url}, and among what step 8 hands out.", problem=False)
            data = base64.b64encode(storage.read_bytes(url)).decode()
            return Shown(
                _PLAYER.format(data=data, poster=self._picture, width=_WIDTH),
                f"The labelled video: {url}",
            )

        return self._plainly(act)

    def trajectories(self) -> Any:
        """Step 7: where every part of the body went, to turn and to zoom."""
        return self._plainly(
            lambda: plot_trajectories(self._need_outcome().poses, video=self._video)
        )

    def take_home(self) -> Any:
        """Step 8: everything in one zip; in Colab it comes at once."""

        def act() -> Shown:
            files = self._need_outcome().files
            archive = Path(files["all"])
            link = ""
            if in_colab():
                import_module("google.colab.files").download(str(archive))
            elif archive.is_relative_to(Path.cwd()):
                address = quote(archive.relative_to(Path.cwd()).as_posix())
                link = (
                    f'<p><a href="{address}" download target="_blank">Everything as one zip</a></p>'
                )
            return files_cell(self._view(), files, link)

        return self._plainly(act)

    # --- what the steps have in common ----------------------------------------------------

    def _plainly(self, act: Callable[[], Any]) -> Any:
        """Do a step; what goes wrong is shown in plain words."""
        try:
            return act()
        except KeyboardInterrupt:
            said = _STOPPED
        except (PosenbError, OSError, MemoryError) as error:
            said = explain(error, {})
        self.walk = fail(self.walk, said)
        return note(said)

    def _place(self, name: str) -> str:
        return storage.join(self._home, name)

    def _view(self) -> dict[str, Any]:
        return show_walk(self.walk, self._cards, None, 0.0)

    def _clip(self) -> Shown:
        return clip_cell(self._view(), self._picture)

    def _take_video(self) -> None:
        """Take up the video that came last, or the one that was named, if it is another one."""
        if self._project is None:
            raise InvalidInputError("There is no video yet. Run step 2 first.")
        self._project = self._project.reload()
        names = list(self._project.videos)
        if not names:
            raise InvalidInputError(
                "There is no video yet: drop one into the field of step 2, wait until it is all "
                "there, then run this step again."
            )
        url = self._project.video_url(self._wanted or names[-1])
        if url == self._video and self.walk.clip is not None:
            return
        path, name = Path(url), storage.name(url)
        try:
            clip, self._picture = engine.look_at_clip(path, name)
        except VideoError as error:
            raise InvalidInputError(explain_refusal(error, path, name)) from error
        self._video, self.outcome = url, None
        self.walk = take_clip(self.walk, clip)

    def _choose(self, model: str, index: str) -> Shown:
        said = []
        if index:
            try:
                zoo.add_index(index)
            except StorageError:
                said.append(
                    f"No models can be read at “{index}”, so only the others are shown. Check the "
                    "address, or ask whoever gave it to you."
                )
            except PosenbError as error:
                said.append(explain(error, {}))
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always", ZooWarning)
            cards = {card.name: card for card in zoo.list()}
        said += [str(each.message) for each in told if issubclass(each.category, ZooWarning)]
        notes = note(" ".join(said))
        self._cards, name = cards, model
        try:
            card = zoo.show(model)
            self._cards, name = {**cards, card.name: card}, card.name
            self._take_video()
            self.walk = choose_model(go_to(self.walk, Step.MODEL), model)
            shown = self._clip()
        except (PosenbError, OSError) as error:  # the pictures are worth showing all the same
            shown = note(explain(error, {}))
        pictures = {each.name: self._preview(each, model, name) for each in self._cards.values()}
        return notes + shown + models_cell(self._view(), pictures, name)

    def _preview(self, card: Card, model: str, name: str) -> str:
        picture = read_preview(card, model if card.name == name else None)
        return (
            "" if picture is None else f"data:image/png;base64,{base64.b64encode(picture).decode()}"
        )

    def _need_model(self) -> None:
        self._take_video()
        self.walk = go_to(self.walk, Step.OPTIONS)
        if Step.OPTIONS not in open_steps(self.walk):
            raise InvalidInputError("There is no model yet. Run step 3, then this step again.")

    def _need_outcome(self) -> Outcome:
        if self.outcome is None:
            raise InvalidInputError("Nothing has been found yet. Run step 5, then this step again.")
        return self.outcome
