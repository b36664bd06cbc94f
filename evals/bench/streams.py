"""Streams that are cut off at random bytes and taken up again, as often as it takes, through both doors.

    python -m evals.bench streams

Runs are taken up by `Last-Event-ID`, responses by `starting_after`. Each stream is read whole once, and once in pieces
by a reader that loses its connection again and again; the two must be the same, byte for byte. The gateway is a real
process on SQLite with the demo company and the embedded model.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import httpx2

from evals.bench.figure import Figure
from evals.bench.process import gateway

STREAMS = 200
_SEED = 20261121
_QUESTIONS = (
    "How long do I have to send something back?",
    "What does standard delivery to Germany cost?",
    "How do I wash a down sleeping bag?",
    "Which documents do I need for a warranty claim?",
)


@dataclass(frozen=True, slots=True)
class Door:
    """A way to a stream: how it is begun, what its last event is called, and how it is asked for the rest."""

    name: str
    path: str
    last: bytes

    def body(self, question: str) -> dict[str, Any]:
        """The request that begins the stream."""
        if self is RESPONSES:
            return {"model": "wayside", "input": question, "stream": True}
        modes = ["values", "updates", "messages", "custom"]
        said = {"messages": [{"role": "user", "content": question}]}
        return {"assistant_id": "wayside", "input": said, "stream_mode": modes}

    def rest(self, told: bytes) -> dict[str, Any]:
        """What asks for all that comes after these events."""
        if self is RUNS:
            return {"headers": {"last-event-id": _last(told, b"id: ", b"\n")} if told else {}}
        seen = {"starting_after": _last(told, b'"sequence_number":', b",")} if told else {}
        return {"params": {"stream": "true", **seen}}


RUNS = Door("runs", "/runs/stream", b"\nevent: end\n")
RESPONSES = Door("responses", "/v1/responses", b"event: response.completed\n")


def measure() -> list[Figure]:
    """For each door: how many streams came through whole, in how many pieces, and how soon a reader was back on one."""
    with (
        tempfile.TemporaryDirectory() as folder,
        gateway(Path(folder) / "workspace", WAYSIDE_DEMO="true") as served,
        served.client() as client,
    ):
        # How long anything takes is not in question here.
        client.timeout = httpx2.Timeout(None)
        return [figure for door in (RUNS, RESPONSES) for figure in _through(door, client)]


def _through(door: Door, client: httpx2.Client) -> list[Figure]:
    randomness = random.Random(_SEED)  # noqa: S311 (where to cut, not a secret)
    same = 0
    pieces: list[float] = []
    returns: list[float] = []
    for number in range(STREAMS):
        cut = CutReader(client, randomness, returns, door)
        told = cut.read(_QUESTIONS[number % len(_QUESTIONS)])
        same += told == cut.whole()
        pieces.append(float(cut.pieces))
    return [
        Figure(
            f"{door.name}: streams of {STREAMS} that were the same byte for byte",
            "streams",
            [float(same)],
            goal=f"{STREAMS}",
            met=same == STREAMS,
        ),
        Figure(f"{door.name}: connections a stream was read through", "connections", [median(pieces)]),
        Figure(f"{door.name}: from reconnecting to the first byte", "ms", [1000 * median(returns)]),
    ]


class CutReader:
    """Reads a stream, closes the connection after a random number of bytes, and comes back for the rest.

    What it keeps are whole events only, as a client's decoder does.
    """

    def __init__(
        self, client: httpx2.Client, randomness: random.Random, returns: list[float], door: Door = RUNS
    ) -> None:
        self._client = client
        self._random = randomness
        self._returns = returns
        self._door = door
        self.location = ""
        self.pieces = 0

    def read(self, question: str) -> bytes:
        """Everything from the first event to the last."""
        told = b""
        method, path = "POST", self._door.path
        asking: dict[str, Any] = {"json": self._door.body(question)}
        while self._door.last not in told:
            self.pieces += 1
            start = perf_counter()
            with self._client.stream(method, path, **asking) as response:
                response.raise_for_status()
                self.location = response.headers["location"]
                piece = b"".join(self._some(response.iter_raw(), start if told else None))
            whole = piece[: piece.rfind(b"\n\n") + 2] if b"\n\n" in piece else b""
            told += b"".join(event + b"\n\n" for event in whole.split(b"\n\n")[:-1] if not event.startswith(b":"))
            # Even when nothing has come yet the run is there: to ask again would be another run.
            method, path, asking = "GET", self.location, self._door.rest(told)
        return told

    def whole(self) -> bytes:
        """The same stream, read at once."""
        return self._client.get(self.location, **self._door.rest(b"")).raise_for_status().content

    def _some(self, chunks: Iterator[bytes], start: float | None) -> Iterator[bytes]:
        left = self._random.randint(1, 3000)
        for chunk in chunks:
            if start is not None:
                self._returns.append(perf_counter() - start)
                start = None
            yield chunk[:left]
            left -= len(chunk)
            if left <= 0:
                return


def _last(told: bytes, before: bytes, after: bytes) -> str:
    """What stands between these two, for the last time."""
    return told[told.rfind(before) + len(before) :].split(after, 1)[0].decode()
