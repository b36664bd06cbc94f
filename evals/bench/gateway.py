"""What the gateway itself costs: the null engine behind it, authenticated and metered, against a bare FastAPI."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from evals.bench.figure import Figure
from evals.bench.load import post, saturate, sequential
from evals.bench.process import answers, await_ready, child, free_port, gateway

ROUNDS = 7
REQUESTS = 500
CONNECTIONS = 32
SECONDS = 3.0
_MESSAGE = {"role": "user", "content": "How long do I have to send back a tent that I have used once?"}


def measure() -> list[Figure]:
    """Sequential p50 and p99, and requests a second on 32 connections, in turns."""
    with (
        echo() as bare,
        tempfile.TemporaryDirectory() as folder,
        gateway(Path(folder), WAYSIDE_NULL_ENGINE="true") as ours,
    ):
        null = next(name for name in ours.models() if name != "wayside")
        sides = {
            "bare": (bare, post("/v1/chat/completions", {"model": "echo", "messages": [_MESSAGE]})),
            "ours": (ours.port, post("/v1/chat/completions", {"model": null, "messages": [_MESSAGE]}, ours.key)),
        }
        for port, request in sides.values():
            sequential(port, [request] * REQUESTS)
        times: dict[str, list[list[float]]] = {side: [] for side in sides}
        rates: dict[str, list[float]] = {side: [] for side in sides}
        for turn in range(ROUNDS):
            for side in sorted(sides, reverse=bool(turn % 2)):
                port, request = sides[side]
                times[side].append(sequential(port, [request] * REQUESTS))
                rates[side].append(saturate(port, request, CONNECTIONS, SECONDS))
    p50, p99 = ({side: np.percentile(times[side], q, axis=1).tolist() for side in sides} for q in (50, 99))
    over = float(np.median(p50["ours"]) - np.median(p50["bare"]))
    rate = float(np.median(rates["ours"]))
    against = "bare FastAPI echo"
    gap, busy = f"≤ 1.5 ms over it: {over:.2f}", f"{CONNECTIONS} connections"
    return [
        Figure("one at a time, p50", "ms", p50["ours"], p50["bare"], against, gap, over <= 1.5),
        Figure("one at a time, p99", "ms", p99["ours"], p99["bare"], against),
        Figure(busy, "req/s", rates["ours"], rates["bare"], against, "≥ 1,000", rate >= 1000),
    ]


@contextmanager
def echo() -> Iterator[int]:
    """The bare FastAPI on a port of its own."""
    port = free_port()
    with child(["-m", "evals.bench.echo", str(port)]) as process:
        await_ready(process, lambda: answers(port, "/readyz"))
        yield port
