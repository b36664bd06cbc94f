"""What the gateway adds to the embedded engine: against llama.cpp's own server on the same model and prompts."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import numpy as np

from core.modelstore import ModelStore
from core.settings import Settings
from evals.beir import read_demo
from evals.bench.figure import Figure
from evals.bench.process import answers, await_ready, child, free_port, gateway

ROUNDS = 15
TOKENS = 64
GOAL = 1.15


def measure() -> list[Figure]:
    """Time to the first token and tokens a second, the two sides in turns with equal prompts.

    Every round has a prompt of its own that differs from its first word on, so that neither prompt cache helps.
    """
    embedded = Settings().embedded
    with tempfile.TemporaryDirectory() as folder, gateway(Path(folder)) as ours, _bare() as port:
        sides = {
            "bare": (f"http://127.0.0.1:{port}", {}),
            "ours": (f"http://127.0.0.1:{ours.port}", {"Authorization": f"Bearer {ours.key}"}),
        }
        first: dict[str, list[float]] = {side: [] for side in sides}
        rate: dict[str, list[float]] = {side: [] for side in sides}
        for turn in range(-1, ROUNDS):
            for side in sorted(sides, reverse=bool(turn % 2)):
                milliseconds, tokens = _stream(*sides[side], embedded.model, turn)
                if turn >= 0:  # The round before the first warms both sides up.
                    first[side].append(milliseconds)
                    rate[side].append(tokens)
    against = "llama.cpp's server"
    met = float(np.median(first["ours"])) <= GOAL * float(np.median(first["bare"]))
    return [
        Figure("first token", "ms", first["ours"], first["bare"], against, f"ratio ≤ {GOAL}", met),
        Figure("generation", "tokens/s", rate["ours"], rate["bare"], against),
    ]


def _stream(url: str, headers: dict[str, str], model: str, turn: int) -> tuple[float, float]:
    """Milliseconds to the first text, and chunks (tokens) a second from there.

    On a connection of its own: while the other side has its turn, a server may close one that waits.
    """
    article = read_demo().documents[turn % 40].content.decode()[:800]
    body = {
        "model": model,
        "messages": [
            {"role": "user", "content": f"{turn}{turn}: tell this at length, in your own words.\n\n{article}"}
        ],
        "max_tokens": TOKENS,
        "temperature": 0,
        "stream": True,
    }
    begun = time.perf_counter()
    with (
        httpx2.Client(base_url=url, headers=headers, timeout=120, trust_env=False) as client,
        client.stream("POST", "/v1/chat/completions", json=body) as answer,
    ):
        answer.raise_for_status()
        lines = (line for line in answer.iter_lines() if line.startswith("data: {"))
        arrivals = [time.perf_counter() for line in lines if _has_text(line)]
    assert len(arrivals) > TOKENS // 2, f"the model said only {len(arrivals)} tokens: too few to time"
    return (arrivals[0] - begun) * 1000, (len(arrivals) - 1) / (arrivals[-1] - arrivals[0])


def _has_text(line: str) -> bool:
    choices = json.loads(line.removeprefix("data: "))["choices"]
    return bool(choices and choices[0]["delta"].get("content"))


@contextmanager
def _bare() -> Iterator[int]:
    embedded, port = Settings().embedded, free_port()
    threads = embedded.threads or os.cpu_count() or 1
    path = ModelStore().path(embedded.model)
    arguments = [str(each) for each in (port, path, embedded.context, embedded.slots, threads)]
    with child(["-m", "evals.bench.llama", *arguments]) as process:
        await_ready(process, lambda: answers(port, "/health"))
        yield port
