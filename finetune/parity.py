"""Does llama.cpp compute with the exported files what torch computed? Logits and generations side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Prompt = Sequence[int]


class Served(Protocol):
    """llama.cpp on a GGUF and, perhaps, an adapter. Raises `EngineUnavailable` for files that it cannot load."""

    def logits(self, model: Path, adapter: Path | None, prompts: Sequence[Prompt], vocabulary: int) -> list[Floats]:
        """What it thinks of each token (vocabulary,) after each prompt, as log-probabilities, computed in float32."""

    def continuations(
        self, model: Path, adapter: Path | None, prompts: Sequence[Prompt], tokens: int
    ) -> list[list[int]]:
        """The likeliest tokens after each prompt, at most so many."""

    def speed(self, model: Path, adapter: Path | None) -> float:
        """Tokens a second that it writes, the median of a few answers."""


@dataclass(frozen=True, slots=True)
class Parity:
    """`difference` is the greatest one of any logit after any prompt; `same` of `prompts` continuations are equal."""

    difference: float
    same: int
    prompts: int


def compare(
    model: Any, served: Served, gguf: Path, adapter: Path | None, prompts: Sequence[Prompt], tokens: int = 16
) -> Parity:
    """Compare a model of torch with what is served from `gguf` (and `adapter`) on the prompts.

    Logits count as log-probabilities: that takes off the one number that all logits of a place may share.
    """
    model.eval()
    theirs = served.logits(gguf, adapter, prompts, model.config.vocab_size)
    difference = max(
        float(np.abs(_logits(model, prompt) - each).max()) for prompt, each in zip(prompts, theirs, strict=True)
    )
    written = served.continuations(gguf, adapter, prompts, tokens)
    same = sum(_continued(model, prompt, len(each)) == each for prompt, each in zip(prompts, written, strict=True))
    return Parity(difference, same, len(prompts))


def _logits(model: Any, prompt: Prompt) -> Floats:
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([prompt]), logits_to_keep=1).logits[0, -1]
    found: Floats = torch.log_softmax(logits.float(), -1).numpy()
    return found


def _continued(model: Any, prompt: Prompt, tokens: int) -> list[int]:
    whole = [*prompt]
    for _ in range(tokens):
        whole.append(int(_logits(model, whole).argmax()))
    return whole[len(prompt) :]
