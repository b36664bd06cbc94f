"""all-MiniLM-L6-v2 served by llama.cpp in this process, without torch.

Shapes: `n` texts become an array of `(n, 384)` float32, each row of unit length, in the order of the texts.

How it is fast on few cores (figures in `evals/bench/`): one single-threaded server a core, because threads that
share one small matrix product spend their time waiting for each other, the more so on a busy machine; requests
that fill one batch of `BATCH_TOKENS`, because attention is computed over the whole batch and a larger one is
mostly mask; texts packed by length, flash attention, 8-bit weights.
"""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
import orjson
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray
from tokenizers import Tokenizer

from core.errors import EngineRejected, InvalidInput
from core.llamacpp import embedding, parameters, serve
from retrieval.embed.gguf import bert_gguf

# all-MiniLM-L6-v2 was trained on texts of up to 256 word pieces and loses quality beyond (its model card).
MAX_TOKENS = 256
BATCH_TOKENS = 256
# Short texts share a batch; each needs a slot. Beyond 16 in one batch nothing is gained.
SLOTS = 16
# What lies beyond reaches the model only when a text is nearly all white space, and would be read for nothing.
_MAX_CHARACTERS = 100_000


@dataclass(frozen=True, slots=True)
class _Batch:
    """Texts that are computed together: their places in the answer and their word pieces."""

    places: list[int]
    tokens: list[list[int]]


class LlamaEmbeddings(Embeddings):
    """Embeds texts on every core. Safe to use from any thread; the async methods do not block the event loop.

    A single text does not queue behind a bulk of others: it joins the server's next batch.
    """

    dimensions = 384

    def __init__(self, model: Path, *, quantisation: str = "q8_0", workers: int = 0) -> None:
        """Load the model whose files lie in the folder `model` (what `ModelStore.path` gives).

        `workers` is the number of cores used at the same time, 0 for all. Raises `InvalidInput` as `bert_gguf`.
        """
        self._gguf = bert_gguf(model, quantisation)
        self._tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.no_padding()
        self._servers = [_serve(self._gguf) for _ in range(workers or os.cpu_count() or 1)]
        self._bulk = ThreadPoolExecutor(len(self._servers), "embed-bulk")
        self._single = ThreadPoolExecutor(len(self._servers), "embed-single")
        self._turn = count()
        self._idle: SimpleQueue[Any] = SimpleQueue()
        for server in self._servers:
            self._idle.put(server)

    @property
    def fingerprint(self) -> str:
        """Equal for vectors that may be compared: the model's hash, its quantisation and its limit of tokens."""
        return f"{self._gguf.stem}-{MAX_TOKENS}"

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one row for each text; over-long texts count with their first 256 word pieces.

        Raises `InvalidInput` when a text is no valid Unicode.
        """
        if len(texts) == 1:
            return self._alone(texts)
        vectors, batches = self._prepare(texts)
        for done in [self._bulk.submit(self._compute, vectors, batch) for batch in batches]:
            done.result()
        return vectors

    async def aembed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """`embed`, off the event loop. When it is cancelled, what has not begun is not done."""
        loop = asyncio.get_running_loop()
        if len(texts) == 1:
            return await loop.run_in_executor(self._single, self._alone, texts)
        vectors, batches = await loop.run_in_executor(self._single, self._prepare, texts)
        await asyncio.gather(*(loop.run_in_executor(self._bulk, self._compute, vectors, each) for each in batches))
        return vectors

    def count_tokens(self, texts: Sequence[str]) -> int:
        """Word pieces of the texts as they are embedded: special ones included, at most 256 a text."""
        return sum(len(tokens) for tokens in self._tokens(texts))

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """`embed`, as LangChain wants it."""
        rows: list[list[float]] = self.embed(texts).tolist()
        return rows

    def embed_query(self, text: str) -> list[float]:
        """Embed one text. all-MiniLM-L6-v2 makes no difference between a query and a document."""
        return self.embed_documents([text])[0]

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        """`embed_documents`, off the event loop."""
        rows: list[list[float]] = (await self.aembed(texts)).tolist()
        return rows

    async def aembed_query(self, text: str) -> list[float]:
        """`embed_query`, off the event loop."""
        return (await self.aembed_documents([text]))[0]

    def close(self) -> None:
        """End the threads and let go of the model. Calls in progress end first."""
        self._single.shutdown()
        self._bulk.shutdown()
        while not self._idle.empty():
            self._idle.get()
        self._servers.clear()

    def _prepare(self, texts: Sequence[str]) -> tuple[NDArray[np.float32], list[_Batch]]:
        return np.empty((len(texts), self.dimensions), np.float32), list(self._batches(texts))

    def _batches(self, texts: Sequence[str]) -> Iterator[_Batch]:
        """Pack the texts, longest first, so that each batch is as full as can be and holds texts of one length."""
        tokens = self._tokens(texts)
        batch, room = _Batch([], []), BATCH_TOKENS
        for place in sorted(range(len(tokens)), key=lambda place: len(tokens[place]), reverse=True):
            if len(tokens[place]) > room or len(batch.places) == SLOTS:
                yield batch
                batch, room = _Batch([], []), BATCH_TOKENS
            batch.places.append(place)
            batch.tokens.append(tokens[place])
            room -= len(tokens[place])
        if batch.places:
            yield batch

    def _tokens(self, texts: Sequence[str]) -> list[list[int]]:
        try:
            encoded = self._tokenizer.encode_batch_fast([text[:_MAX_CHARACTERS] for text in texts])
        except (TypeError, UnicodeEncodeError) as problem:
            raise InvalidInput("a text to embed is no valid Unicode", param="input") from problem
        return [encoding.ids for encoding in encoded]

    def _alone(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One text, on the next server in turn, whether that is busy or not."""
        vectors, batches = self._prepare(texts)
        self._fill(vectors, batches[0], self._servers[next(self._turn) % len(self._servers)])
        return vectors

    def _compute(self, vectors: NDArray[np.float32], batch: _Batch) -> None:
        """One batch of many. There are as many threads for this as servers, so that one is always idle."""
        server = self._idle.get()
        try:
            self._fill(vectors, batch, server)
        finally:
            self._idle.put(server)

    def _fill(self, vectors: NDArray[np.float32], batch: _Batch, server: Any) -> None:
        request = orjson.dumps({"input": batch.tokens, "encoding_format": "base64"}).decode()
        answer = orjson.loads(server.handle_embeddings(request))
        if "error" in answer:
            raise EngineRejected(f"llama.cpp refused to embed: {answer['error']['message']}")
        for row in answer["data"]:
            raw = base64.b64decode(row["embedding"])
            vectors[batch.places[row["index"]]] = np.frombuffer(raw, np.float32)


def _serve(gguf: Path) -> Any:
    return serve(embedding(parameters(gguf, slots=SLOTS, context=MAX_TOKENS * SLOTS, batch=BATCH_TOKENS, threads=1)))
