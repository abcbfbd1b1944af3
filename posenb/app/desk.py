"""Where the page and the work meet: messages come in, the state changes, a view goes out.

Messages are small dicts; nothing here knows widgets. The page says once a second that it is
there, and hears then what has changed, so nothing is sent to it from other threads.
"""

from __future__ import annotations

import base64
import time
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, ClassVar

from posenb import zoo
from posenb.app.arrival import Reception
from posenb.app.results import TAKEN_HOME
from posenb.app.showing import show_walk
from posenb.app.state import (
    Clip,
    Found,
    Step,
    Trial,
    Walk,
    choose_model,
    expect_clip,
    fail,
    finish,
    go_to,
    set_options,
    start,
    take_clip,
    take_trial,
)
from posenb.app.visit import Visit, forget
from posenb.app.words import explain, explain_refusal
from posenb.app.work import Job, Worker
from posenb.errors import PosenbError, VideoError, ZooWarning
from posenb.widgets.quantities import say_bytes
from posenb.zoo.page import read_preview

__all__ = ["Desk"]

Message = dict[str, Any]

_PIECE = 2**19  # bytes of a file that go to the page at once


class Desk:
    """One visitor's way from a video to poses.

    Parameters
    ----------
    visit : Visit, optional
        By default a new one.
    clock : callable, optional
        Seconds that never run backwards.

    Attributes
    ----------
    walk : Walk
    pictures : dict of str to str
        That of the video and those of the models, as ``data:`` URLs.
    """

    walk: Walk
    pictures: dict[str, str]

    def __init__(
        self, visit: Visit | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.walk = Walk()
        self.pictures = {}
        self._clock = clock
        self._visit = visit or Visit()
        self._worker = Worker(self._visit)
        self._reception = Reception(self._visit, clock)
        self._path: Path | None = None
        self._folder: Path | None = None
        self._job: Job | None = None
        self._arriving: tuple[Path, str] | None = None
        self._looking: Future[tuple[Clip, str]] | None = None
        self._trying: Future[tuple[Trial, str]] | None = None
        self._running: Future[tuple[Found, Path]] | None = None
        self._trouble = ""  # that a trial had
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ZooWarning)  # what can be reached is enough
            self._cards = {card.name: card for card in zoo.list()}

    def handle(self, message: Message, buffers: Sequence[Any] = ()) -> list[tuple[Message, bytes]]:
        """Take a message from the page and return those that go back, with their bytes.

        What is not understood is ignored: a page may be older than the kernel.
        """
        act = str(message.get("do"))
        self._settle()
        if act == "give":
            return self._give(message)
        if act in self._ACTS:
            try:
                self._ACTS[act](self, message)
            except PosenbError as error:
                self.walk = fail(self.walk, self._explained(error))
            return []
        if act == "pick" and (self.walk.step is Step.RUN or self._looking is not None):
            return []
        answers = self._reception.handle(message, buffers)
        arrived = self._reception.take_arrived()
        if arrived is not None:
            self._arriving = arrived
            self._looking = self._worker.look_at(*arrived)
        if act == "pick":
            self.walk = fail(go_to(self.walk, Step.VIDEO), "")
        self._note_coming()
        return [(answer, b"") for answer in answers]

    def view(self) -> Message:
        """Return all that the page shows."""
        return {
            **show_walk(self.walk, self._cards, self._job, self._clock()),
            "arrival": self._reception.view(),
            "looking": None if self._arriving is None else self._arriving[1],
            "trying": self._trying is not None,
            "trouble": self._trouble,
            "problem": self.walk.problem or self._reception.problem,
            "limit": say_bytes(self._visit.limit),
        }

    def close(self) -> None:
        """End the visit and remove all that it left."""
        self._worker.close()
        self._visit.close()

    # --- what has ended meanwhile ---------------------------------------------------------

    def _settle(self) -> None:
        """Take up what the thread has finished."""
        if self._looking is not None and self._looking.done():
            self._take_looked(self._looking)
        if self._trying is not None and self._trying.done():
            self._take_tried(self._trying)
        if self._running is not None and self._running.done():
            self._take_run(self._running)
        self._note_coming()

    def _note_coming(self) -> None:
        coming = self._reception.busy or self._looking is not None
        self.walk = expect_clip(self.walk, coming)

    def _take_looked(self, looked: Future[tuple[Clip, str]]) -> None:
        assert self._arriving is not None
        path, name = self._arriving
        self._arriving = self._looking = None
        error = looked.exception()
        if error is None:
            clip, picture = looked.result()
            old, self._path = self._path, path
            self.walk = take_clip(self.walk, clip)
            self._trying, self._trouble = None, ""  # they were about the old one
            self.pictures = {**self.pictures, "clip": picture}
        else:
            if isinstance(error, VideoError):
                said = explain_refusal(error, path, name)
            else:
                said = self._explained(error)
            self.walk = fail(self.walk, said)
            old = path
        if old is not None:
            forget(old)

    def _take_tried(self, tried: Future[tuple[Trial, str]]) -> None:
        self._trying = None
        error = tried.exception()
        if error is None:
            trial, picture = tried.result()
            self.walk = take_trial(self.walk, trial)
            self.pictures = {**self.pictures, "trial": picture}
        else:
            self._trouble = self._explained(error)

    def _take_run(self, run: Future[tuple[Found, Path]]) -> None:
        self._running = self._job = None
        error = run.exception()
        if error is None:
            found, self._folder = run.result()
            self.walk = finish(self.walk, found)
        else:
            self.walk = fail(self.walk, self._explained(error))

    def _explained(self, error: BaseException) -> str:
        shown = {} if self.walk.clip is None else {str(self._path): self.walk.clip.name}
        return explain(error, {**shown, f"{self._visit.folder}/": "", str(self._visit.folder): ""})

    # --- what the page asks for -----------------------------------------------------------

    def _go(self, message: Message) -> None:
        if str(message["step"]) in set(Step):
            self.walk = go_to(self.walk, Step(str(message["step"])))

    def _choose(self, message: Message) -> None:
        """Choose a model, by the name of one that was shown."""
        name = str(message["model"])
        if name not in self._cards:
            return
        self._bring_picture(name)
        self.walk = choose_model(self.walk, name)
        if self.walk.trial is None:
            self._try()

    def _try(self) -> None:
        if self._trying is not None:
            self._trying.cancel()
        if self._path is not None and self.walk.model is not None:
            self._trouble = ""
            self._trying = self._worker.try_out(self._path, self.walk.model, self.walk.options)

    def _set(self, message: Message) -> None:
        before = self.walk.options.size
        self.walk = set_options(self.walk, **dict(message["options"]))
        if self.walk.options.size != before:
            self._try()

    def _start(self, message: Message) -> None:
        walk = start(set_options(self.walk, **dict(message["options"])))
        assert self._path is not None
        assert walk.clip is not None
        assert walk.model is not None
        self._folder = None
        options = walk.options
        if options.size is None and walk.trial is not None:
            options = options.replace(size=walk.trial.size)  # it was measured for this
        self._job, self._running = self._worker.run(self._path, walk.clip.name, walk.model, options)
        self.walk = walk

    def _stop(self, _: Message) -> None:
        self._worker.stop()

    def _cancel(self, _: Message) -> None:
        self._reception.cancel()
        self._note_coming()

    def _pictures(self, _: Message) -> None:
        """Bring the pictures of all models, once the page stands."""
        for name in self._cards:
            self._bring_picture(name)

    def _bring_picture(self, name: str) -> None:
        if name in self.pictures:
            return
        picture = read_preview(self._cards[name])
        if picture is not None:
            data = base64.b64encode(picture).decode()
            self.pictures = {**self.pictures, name: f"data:image/png;base64,{data}"}

    def _give(self, message: Message) -> list[tuple[Message, bytes]]:
        """Give a piece of a file; the page asks for one after the other."""
        what, start_at = str(message.get("what")), int(message.get("start", 0))
        if self._folder is None or what not in TAKEN_HOME or start_at < 0:
            return []
        with (self._folder / TAKEN_HOME[what]).open("rb") as file:
            size = file.seek(0, 2)
            file.seek(min(start_at, size))
            data = file.read(_PIECE)
        return [({"ask": "take", "what": what, "start": start_at, "size": size}, data)]

    _ACTS: ClassVar[dict[str, Callable[[Desk, Message], None]]] = {
        "go": _go,
        "choose": _choose,
        "set": _set,
        "start": _start,
        "stop": _stop,
        "cancel": _cancel,
        "pictures": _pictures,
    }
