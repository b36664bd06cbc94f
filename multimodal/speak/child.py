"""The process that hibari speaks in: its text front end is Python and would hold the gateway's loop.

Read from stdin: a line of JSON a sentence (text, voice, model file, its SHA-256 or null, speed). Written to stdout,
for each: a line of JSON with the number of bytes, and the samples; or with the name of what went wrong.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
from hibari import SAMPLE_RATE, Hibari
from hibari.voices import sha256_of

from multimodal.speak.tempo import hurried

if TYPE_CHECKING:
    from core.types import Vector

# The noise of a voice's breath comes from this: equal sentences sound equal.
_SEED = 0
# Beyond this its sounds are as short as it can make them.
_FASTEST = 2.0


def main() -> None:
    """Speak until stdin ends."""
    voices: dict[str, Any] = {}
    for line in sys.stdin.buffer:
        request = json.loads(line)
        try:
            if request["voice"] not in voices:
                voices[request["voice"]] = _load(request)
            samples = _said(voices[request["voice"]], request["text"], request["speed"])
        except Exception as problem:  # whatever it is, the next sentence may be spoken; the parent tells of it
            _answer({"error": f"{type(problem).__name__}: {problem}"})
        else:
            _answer({}, _pcm(samples))


def _load(request: dict[str, Any]) -> Any:
    if request["sha256"] is not None and sha256_of(request["model"]) != request["sha256"]:
        raise ValueError(f"the file of the voice {request['voice']} is not the published one")
    return Hibari(request["voice"], model=request["model"])


def _said(voice: Any, text: str, speed: float) -> Vector:
    samples: Vector = voice(text, speed=min(speed, _FASTEST), seed=_SEED)
    return hurried(samples, SAMPLE_RATE, speed / _FASTEST) if speed > _FASTEST and len(samples) else samples


def _pcm(samples: Vector) -> bytes:
    return (np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()


def _answer(header: dict[str, Any], content: bytes = b"") -> None:
    sys.stdout.buffer.write(json.dumps({**header, "bytes": len(content)}).encode() + b"\n" + content)
    sys.stdout.buffer.flush()
