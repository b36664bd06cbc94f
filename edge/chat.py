"""A bundle's GGUF on the device, by llama-cpp-python: chat, and JSON by a schema, token by token.

llama-cpp-python is compiled for the device that it runs on, and brings llama.cpp alone: no server, no HTTP.
"""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from llama_cpp import Llama, LlamaGrammar, llama_model_get_vocab, llama_vocab_is_eog
from llama_cpp.llama_chat_format import Jinja2ChatFormatter

from core.errors import CorruptArtefact, InvalidInput

TEMPLATE = "tokenizer.chat_template"
CONTEXT = 2048
"""Tokens of a prompt and its answer together, unless somebody says otherwise."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are drawn: the defaults are llama.cpp's own."""

    temperature: float = 0.8
    top_p: float = 0.95
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """Text as it comes, with the tokens that were read and written until then. The last piece says why it ended."""

    text: str
    prompt_tokens: int
    completion_tokens: int
    finish: str | None = None


class DeviceChat:
    """One model that writes one answer at a time. Not to be shared between threads."""

    def __init__(self, gguf: Path, *, context: int = CONTEXT, threads: int = 0) -> None:
        """Load the file. `threads`: 0 means one a core. Raises `CorruptArtefact` for what llama.cpp cannot load."""
        number = threads or os.cpu_count() or 1
        try:
            self._llama = Llama(
                str(gguf),
                n_ctx=context,
                n_threads=number,
                n_threads_batch=number,
                verbose=False,
            )
        except (ValueError, RuntimeError) as problem:
            raise CorruptArtefact(f"llama.cpp cannot load {gguf.name}: {problem}") from problem
        template = self._llama.metadata.get(TEMPLATE)
        if template is None:
            raise CorruptArtefact(f"{gguf.name} has no chat template")
        self._template = Jinja2ChatFormatter(template, self._special("eos"), self._special("bos"))
        self._vocabulary = llama_model_get_vocab(self._llama.model)
        self.context = context

    def write(
        self,
        messages: Sequence[Mapping[str, Any]],
        sampling: Sampling,
        *,
        most: int | None = None,
        schema: Mapping[str, Any] | None = None,
    ) -> Iterator[Piece]:
        """Answer the messages with `most` tokens at most; with a `schema`, with JSON that fits it.

        What the last call has read is not read again where this one begins alike. Raises `InvalidInput` for a prompt
        that fills the context, and for a schema or messages that cannot be used; at the first piece.
        """
        prompt = self._prompt(messages)
        room = self.context - len(prompt)
        if room < 1:
            told = f"the prompt has {len(prompt)} tokens, and the model reads at most {self.context - 1}"
            raise InvalidInput(told, param="messages")
        limit = min(most or room, room)
        if sampling.seed is not None:
            self._llama.set_seed(sampling.seed)
        tokens = self._llama.generate(
            prompt,
            temp=sampling.temperature,
            top_p=sampling.top_p,
            frequency_penalty=sampling.frequency_penalty,
            presence_penalty=sampling.presence_penalty,
            repeat_penalty=1.0,
            grammar=None if schema is None else _grammar(schema),
        )
        decoder, written = codecs.getincrementaldecoder("utf-8")("replace"), 0
        finish = "length"
        for token in tokens:
            if self._ends(token):
                finish = "stop"
                break
            written += 1
            text = decoder.decode(self._llama.detokenize([token]))
            if written == limit:
                yield Piece(text, len(prompt), written)
                break
            yield Piece(text, len(prompt), written)
        yield Piece(decoder.decode(b"", final=True), len(prompt), written, finish)

    def close(self) -> None:
        """Let go of the model's memory."""
        self._llama.close()

    def _prompt(self, messages: Sequence[Mapping[str, Any]]) -> list[int]:
        try:
            said = self._template(messages=[*messages]).prompt.encode()
        except Exception as problem:  # a template is a program of its own: whatever it raises is about these messages
            raise InvalidInput(
                f"the model's template cannot put these messages: {problem}", param="messages"
            ) from problem
        # The template writes every special token itself.
        tokens: list[int] = self._llama.tokenize(said, add_bos=False, special=True)
        return tokens

    def _special(self, which: str) -> str:
        token = getattr(self._llama, f"token_{which}")()
        return self._llama.detokenize([token], special=True).decode() if token != -1 else ""

    def _ends(self, token: int) -> bool:
        return bool(llama_vocab_is_eog(self._vocabulary, token))


def _grammar(schema: Mapping[str, Any]) -> Any:
    try:
        return LlamaGrammar.from_json_schema(orjson.dumps(schema).decode(), verbose=False)
    except Exception as problem:  # the converter has no error of its own
        raise InvalidInput(f"the schema cannot be a grammar: {problem}", param="response_format") from problem
