"""A device's model: start, memory, first token and tokens a second, against bare llama-cpp-python on the same file.

Each round is a process of its own on each side, in turns: it loads the model, answers one prompt to warm up and then
another one, which shares nothing with the first.

`python -m evals.bench.device ours|bare GGUF` is one such process.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import orjson

from core.modelstore import ModelStore
from core.settings import Settings
from evals.bench.figure import Figure, Skipped
from evals.bench.process import ROOT

ROUNDS, TOKENS, CONTEXT, GOAL = 7, 64, 2048, 1.15
UNITS = {"start": "s", "memory": "MB", "first token": "ms", "generation": "tokens/s"}
_PROMPTS = ("Name five things to take along to the hills, and why.", "Tell at length how a tent is put up in the wind.")


def measure() -> list[Figure]:
    """Needs llama-cpp-python."""
    if importlib.util.find_spec("llama_cpp") is None:
        raise Skipped("llama-cpp-python is not installed: pip install -c constraints.txt -e '.[device]'")
    gguf = ModelStore().path(Settings().embedded.model)
    told: dict[str, list[dict[str, float]]] = {"ours": [], "bare": []}
    for turn in range(ROUNDS):
        for side in sorted(told, reverse=bool(turn % 2)):
            command = [sys.executable, "-m", "evals.bench.device", side, str(gguf)]
            said = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout  # noqa: S603 - ourselves
            told[side].append(orjson.loads(said.splitlines()[-1]))
    figures = []
    for name, unit in UNITS.items():
        ours, bare = ([each[name] for each in told[side]] for side in ("ours", "bare"))
        ratio = median(ours) / median(bare)
        faster = name == "generation"
        met, goal = (ratio >= 1 / GOAL, f"ratio ≥ {1 / GOAL:.2f}") if faster else (ratio <= GOAL, f"ratio ≤ {GOAL}")
        figures.append(Figure(name, unit, ours, bare, "llama-cpp-python", goal, met))
    return figures


def _messages(prompt: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": prompt}]


def _has_text(chunk: dict[str, Any]) -> bool:
    return bool(chunk["choices"][0]["delta"].get("content"))


async def _ours(gguf: Path) -> dict[str, float]:
    begun = time.perf_counter()
    from app.device.engine import DeviceEngine

    engine = DeviceEngine(gguf, context=CONTEXT)
    start = time.perf_counter() - begun
    arrivals: list[float] = []
    for prompt in _PROMPTS:
        arrivals = [time.perf_counter()]
        stream = await engine.stream({"messages": _messages(prompt), "max_tokens": TOKENS, "temperature": 0})
        arrivals += [
            time.perf_counter() async for chunk in stream.chunks if chunk["choices"][0]["delta"].get("content")
        ]
    told = _told(start, arrivals)
    await engine.close()
    return told


def _bare(gguf: Path) -> dict[str, float]:
    begun = time.perf_counter()
    from llama_cpp import Llama

    cores = os.cpu_count()
    model: Any = Llama(str(gguf), n_ctx=CONTEXT, n_threads=cores, n_threads_batch=cores, verbose=False)
    start = time.perf_counter() - begun
    arrivals: list[float] = []
    for prompt in _PROMPTS:
        arrivals = [time.perf_counter()]
        chunks = model.create_chat_completion(_messages(prompt), max_tokens=TOKENS, temperature=0, stream=True)
        arrivals += [time.perf_counter() for chunk in chunks if _has_text(chunk)]
    return _told(start, arrivals)


def _told(start: float, arrivals: list[float]) -> dict[str, float]:
    asked, first, last = arrivals[0], arrivals[1], arrivals[-1]
    return {
        "start": start,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000,
        "first token": (first - asked) * 1000,
        "generation": (len(arrivals) - 2) / (last - first),
    }


if __name__ == "__main__":
    path = Path(sys.argv[2])
    print(orjson.dumps(asyncio.run(_ours(path)) if sys.argv[1] == "ours" else _bare(path)).decode())
