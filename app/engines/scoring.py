"""What llama.cpp thinks of the next token: for comparing exported files with the model that they came from."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import xllamacpp
from numpy.typing import NDArray

from app.engines.llamacpp import parameters, serve
from core.errors import EngineUnavailable

Floats = NDArray[np.float32]
_CONTEXT = 2048
_SPOKEN = 64
_ROUNDS = 3


class LlamaCpp:
    """`finetune.parity.Served`, in this process, on so many threads."""

    def __init__(self, threads: int) -> None:
        self._threads = threads

    def logits(
        self, model: Path, adapter: Path | None, prompts: Sequence[Sequence[int] | str], vocabulary: int
    ) -> list[Floats]:
        """Log-probabilities of all tokens after each prompt; llama.cpp makes the tokens of a text itself."""
        with self._server(model, adapter, exact=True) as server:
            return [_after(server, prompt, vocabulary) for prompt in prompts]

    def continuations(
        self, model: Path, adapter: Path | None, prompts: Sequence[Sequence[int]], tokens: int
    ) -> list[list[int]]:
        """The likeliest tokens after each prompt."""
        with self._server(model, adapter, exact=True) as server:
            bodies = ({"prompt": [*prompt], "n_predict": tokens, "n_probs": 1} for prompt in prompts)
            return [[int(each["id"]) for each in _chosen(_complete(server, body))] for body in bodies]

    def speed(self, model: Path, adapter: Path | None) -> float:
        """Tokens a second, as the server measures them itself, the prompt left out."""
        with self._server(model, adapter, exact=False) as server:
            body = {"prompt": "Once upon a time", "n_predict": _SPOKEN, "ignore_eos": True}
            told = [_complete(server, body)["timings"]["predicted_per_second"] for _ in range(_ROUNDS)]
            return statistics.median(map(float, told))

    @contextmanager
    def _server(self, model: Path, adapter: Path | None, *, exact: bool) -> Iterator[Any]:
        adapters = [] if adapter is None else [adapter]
        params = parameters(model, slots=1, context=_CONTEXT, batch=512, threads=self._threads, adapters=adapters)
        params.lora_init_without_apply = False
        if exact:
            # Keys and values are otherwise kept in half precision, which alone moves logits by hundredths.
            params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
        held = [serve(params)]
        try:
            yield held[0]
        finally:
            held.clear()


def _after(server: Any, prompt: Sequence[int] | str, vocabulary: int) -> Floats:
    read = prompt if isinstance(prompt, str) else [*prompt]
    told = _complete(server, {"prompt": read, "n_predict": 1, "n_probs": vocabulary})
    found = np.full(vocabulary, -np.inf, np.float32)
    for each in _chosen(told)[0]["top_logprobs"]:
        found[each["id"]] = each["logprob"]
    return found


def _chosen(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """The tokens that were written, each with the likeliest ones in its place."""
    content: list[dict[str, Any]] = answer["choices"][0]["logprobs"]["content"]
    return content


def _complete(server: Any, body: dict[str, Any]) -> dict[str, Any]:
    answers: list[dict[str, Any]] = []
    server.handle_completions({"temperature": 0.0, "cache_prompt": False, **body}, answers.append)
    (answer,) = answers
    if "error" in answer:
        raise EngineUnavailable(f"llama.cpp failed: {answer['error']['message']}")
    return answer
