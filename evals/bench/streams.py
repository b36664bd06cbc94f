"""Streams of runs that are cut off at random bytes, and taken up again by `Last-Event-ID`, as often as it takes.

    python -m evals.bench streams

Each stream is read whole once, and once in pieces by a reader that loses its connection again and again; the two must
be the same, byte for byte. The gateway is a real process on SQLite with the demo company and the embedded model.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from time import perf_counter

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


def measure() -> list[Figure]:
    """How many streams came through whole, in how many pieces, and how long it took to be back on one."""
    randomness = random.Random(_SEED)  # noqa: S311 (where to cut, not a secret)
    same = 0
    pieces: list[float] = []
    returns: list[float] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        gateway(Path(folder) / "workspace", WAYSIDE_DEMO="true") as served,
        served.client() as client,
    ):
        # How long anything takes is not in question here.
        client.timeout = httpx2.Timeout(None)
        for number in range(STREAMS):
            body = {
                "assistant_id": "knowledge",
                "input": {"messages": [{"role": "user", "content": _QUESTIONS[number % len(_QUESTIONS)]}]},
                "stream_mode": ["values", "updates", "messages", "custom"],
            }
            cut = CutReader(client, randomness, returns)
            told = cut.read("POST", "/runs/stream", body)
            whole = client.get(cut.location).raise_for_status().content
            same += told == whole
            pieces.append(float(cut.pieces))
    return [
        Figure(
            f"streams of {STREAMS} that were the same byte for byte",
            "streams",
            [float(same)],
            goal=f"{STREAMS}",
            met=same == STREAMS,
        ),
        Figure("connections a stream was read through", "connections", [median(pieces)]),
        Figure("from reconnecting to the first byte", "ms", [1000 * median(returns)]),
    ]


class CutReader:
    """Reads a stream, closes the connection after a random number of bytes, and comes back for the rest.

    What it keeps are whole events only, as a client's decoder does.
    """

    def __init__(self, client: httpx2.Client, randomness: random.Random, returns: list[float]) -> None:
        self._client = client
        self._random = randomness
        self._returns = returns
        self.location = ""
        self.pieces = 0

    def read(self, method: str, path: str, body: object) -> bytes:
        """Everything from the first event to the last."""
        told = b""
        ended = False
        while not ended:
            self.pieces += 1
            headers = {"last-event-id": last_id(told)} if told else {}
            start = perf_counter()
            with self._client.stream(
                method, path, headers=headers, json=body if method == "POST" else None
            ) as response:
                response.raise_for_status()
                self.location = response.headers["location"]
                piece = b"".join(self._some(response.iter_raw(), start if told else None))
            whole = piece[: piece.rfind(b"\n\n") + 2] if b"\n\n" in piece else b""
            told += b"".join(event + b"\n\n" for event in whole.split(b"\n\n")[:-1] if not event.startswith(b":"))
            ended = b"\nevent: end\n" in told
            # Even when nothing has come yet the run is there: to ask again would be another run.
            method, path = "GET", self.location
        return told

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


def last_id(told: bytes) -> str:
    """The id of the last whole event."""
    return told[told.rfind(b"id: ") + 4 :].split(b"\n", 1)[0].decode()
