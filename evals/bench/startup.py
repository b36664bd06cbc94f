"""How soon a second start is ready, and what memory a gateway takes once its models are loaded. Linux only."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from evals.bench.figure import Figure, Skipped
from evals.bench.process import Gateway, answers, await_ready, child, free_port, gateway, resident, tree

ROUNDS = 5
READY_SECONDS, RESIDENT_MB = 4.0, 900.0
_QUESTION = "How much is standard shipping to Germany?"


def measure() -> list[Figure]:
    """Start, ask (which loads every model), look, stop: in turns with a bare FastAPI."""
    if not sys.platform.startswith("linux"):
        raise Skipped("memory is read from /proc, which this system does not have")
    with tempfile.TemporaryDirectory() as folder:
        with gateway(Path(folder), WAYSIDE_DEMO="true") as first:
            ask(first, _QUESTION)
        ready, bare_ready, memory, bare_memory, torch = [], [], [], [], []
        for _ in range(ROUNDS):
            with gateway(Path(folder), WAYSIDE_DEMO="true") as again:
                ask(again, _QUESTION)
                ready.append(again.seconds)
                memory.append(resident(again.pid))
                torch.append(float(any(_maps(pid, "torch") for pid in tree(again.pid))))
            seconds, megabytes = _bare()
            bare_ready.append(seconds)
            bare_memory.append(megabytes)
    against = "bare FastAPI echo"
    soon, small = sorted(ready)[ROUNDS // 2] <= READY_SECONDS, sorted(memory)[ROUNDS // 2] <= RESIDENT_MB
    return [
        Figure("second start, ready", "s", ready, bare_ready, against, f"≤ {READY_SECONDS:.0f} s", soon),
        Figure("memory after an answer", "MB", memory, bare_memory, against, f"≤ {RESIDENT_MB:.0f} MB", small),
        Figure("processes with torch loaded", "", torch, (), "", "none", not any(torch)),
    ]


def ask(server: Gateway, question: str) -> str:
    """Ask the assistant over the API; returns what it said."""
    body = {"model": "wayside", "messages": [{"role": "user", "content": question}]}
    with server.client() as client:
        answer = client.post("/v1/chat/completions", json=body).raise_for_status().json()
    return str(answer["choices"][0]["message"]["content"])


def _bare() -> tuple[float, float]:
    port = free_port()
    begun = time.perf_counter()
    with child(["-m", "evals.bench.echo", str(port)]) as process:
        await_ready(process, lambda: answers(port, "/readyz"))
        return time.perf_counter() - begun, resident(process.pid)


def _maps(pid: int, library: str) -> bool:
    return f"/{library}/" in Path(f"/proc/{pid}/maps").read_text()
