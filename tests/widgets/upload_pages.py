"""A browser's page with files, told in Python: it answers the desk as upload_agent.js does."""

import hashlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from posenb.widgets.upload_desk import Desk
from posenb.widgets.upload_state import PIECE, START, Phase, chained

Message = dict[str, Any]


class Clock:
    """Time that passes only when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass
class File:
    name: str
    data: bytes
    modified: int = 1_700_000_000_000
    type: str = "video/mp4"


class Page:
    """Holds files, and hands over what the desk asks for, one message after the other."""

    def __init__(self, desk: Desk, clock: Clock, name: str = "page") -> None:
        self.desk, self.clock, self.name = desk, clock, name
        self.files: dict[str, File] = {}
        self.waiting: deque[Message] = deque()
        self.asked: list[str] = []
        self.spoil: Callable[[Message, bytes], bytes | None] = lambda message, data: data

    def say(self, do: str, *buffers: bytes, **more: Any) -> None:
        answers = self.desk.handle({"do": do, **more}, buffers)
        for answer in answers:
            if answer["ask"] == "pieces":
                self.waiting.extend({**answer, "spans": [span]} for span in answer["spans"])
            else:
                self.waiting.append(answer)
        self.asked += [answer["ask"] for answer in answers]

    def pick(self, *files: File) -> list[str]:
        keys = [f"{self.name}:{len(self.files) + n}" for n in range(len(files))]
        self.files |= dict(zip(keys, files, strict=True))
        told = [
            {"key": key, "name": file.name, "size": len(file.data), "modified": file.modified}
            | {"type": file.type}
            for key, file in zip(keys, files, strict=True)
        ]
        self.say("pick", origin="http://localhost:8888", files=told)
        return keys

    def tick(self, seconds: float = 1.0, jobs: tuple[str, ...] = ()) -> None:
        self.clock.now += seconds
        self.say("tick", agent=self.name, keys=[*self.files], jobs=[*jobs])

    def run(self, most: int = 10_000) -> None:
        """Do what is asked until nothing is, or `most` messages were answered."""
        while self.waiting and most:
            most -= 1
            message = self.waiting.popleft()
            if message.get("key") in self.files:
                getattr(self, f"on_{message['ask']}")(message, self.files[message["key"]].data)

    def on_pieces(self, message: Message, data: bytes) -> None:
        for start, stop in message["spans"]:
            digest = hashlib.sha256(data[start:stop]).hexdigest()
            piece = self.spoil(message, data[start:stop])
            if piece is not None:
                self.say("piece", piece, key=message["key"], start=start, digest=digest)

    def on_proof(self, message: Message, data: bytes) -> None:
        chains = {str(position): chain_of(data[:position]) for position in message["positions"]}
        self.say("proof", key=message["key"], chains=chains)

    def on_sample(self, message: Message, data: bytes) -> None:
        digests = [hashlib.sha256(data[a:b]).hexdigest() for a, b in message["spans"]]
        self.say("sample", key=message["key"], digests=digests)

    def on_finish(self, message: Message, data: bytes) -> None:
        self.say("finish", key=message["key"])

    def on_put(self, message: Message, data: bytes) -> None:
        self.say("put_failed", key=message["key"], reason="no network")

    def on_hold(self, message: Message, data: bytes) -> None:
        """Nothing is under way here."""

    def row(self, key: str) -> Message:
        (row,) = [row for row in self.desk.view()["rows"] if row["key"] == key]
        return row

    def phase(self, key: str) -> Phase:
        return Phase(self.row(key)["phase"])


def chain_of(data: bytes) -> str:
    chain = START
    for start in range(0, len(data), PIECE):
        chain = chained(chain, hashlib.sha256(data[start : start + PIECE]).hexdigest())
    return chain
