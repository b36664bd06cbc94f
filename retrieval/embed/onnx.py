"""all-MiniLM-L6-v2 on ONNX Runtime, in float32 and without torch.

Shapes: `n` texts become an array of `(n, 384)` float32, each row of unit length, in the order of the texts.

How it is fast on few cores (figures in `evals/bench/`): one single-threaded computation a core, because threads that
share one small matrix product spend their time waiting for each other, the more so on a busy machine; and only texts
of one length in a batch, so that nothing is padded or masked.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path

import numpy as np
import onnxruntime
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray
from tokenizers import Tokenizer

from core.errors import InvalidInput

# all-MiniLM-L6-v2 was trained on texts of up to 256 word pieces and loses quality beyond (its model card).
MAX_TOKENS = 256
# Short texts share a batch; one that is larger than this is no faster a text, and holds up a single one longer.
_BATCH_TOKENS = 256
# What lies beyond reaches the model only when a text is nearly all white space, and would be read for nothing.
_MAX_CHARACTERS = 100_000
# Queries kept, of 3 kB each.
_REMEMBERED = 1_024
# Counts up when the graph that `bert_onnx` writes changes, so that an old file is not found again.
_LAYOUT = 1

Tokens = NDArray[np.int64]


class OnnxEmbeddings(Embeddings):
    """Embeds texts on every core. Safe to use from any thread; the async methods do not block the event loop.

    A single text does not queue behind a bulk of others. The last queries are remembered: people repeat themselves,
    and a turn asks with the same words more than once.
    """

    dimensions = 384

    def __init__(self, model: Path, *, workers: int = 0) -> None:
        """Load the model whose files lie in the folder `model` (what `ModelStore.path` gives).

        `workers` is the number of cores used at the same time, 0 for all. Raises `InvalidInput` as `bert_onnx`.
        """
        graph = _graph(model)
        self._fingerprint = f"{graph.stem}-{MAX_TOKENS}"
        self._tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.no_padding()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
        workers = workers or os.cpu_count() or 1
        self._queries: OrderedDict[str, list[float]] = OrderedDict()
        self._bulk = ThreadPoolExecutor(workers, "embed-bulk")
        self._single = ThreadPoolExecutor(workers, "embed-single")

    @property
    def fingerprint(self) -> str:
        """Equal for vectors that may be compared: the model's hash, its precision and its limit of tokens."""
        return self._fingerprint

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one row for each text; over-long texts count with their first 256 word pieces.

        Raises `InvalidInput` when a text is no valid Unicode.
        """
        vectors, batches = self._prepare(texts)
        for done in [self._bulk.submit(self._fill, vectors, *batch) for batch in batches]:
            done.result()
        return vectors

    async def aembed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """`embed`, off the event loop. When it is cancelled, what has not begun is not done."""
        loop = asyncio.get_running_loop()
        if len(texts) == 1:
            return await loop.run_in_executor(self._single, self._alone, texts)
        vectors, batches = await loop.run_in_executor(self._single, self._prepare, texts)
        await asyncio.gather(*(loop.run_in_executor(self._bulk, self._fill, vectors, *each) for each in batches))
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
        row: list[float] = self._alone([text])[0].tolist()
        return row

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        """`embed_documents`, off the event loop."""
        rows: list[list[float]] = (await self.aembed(texts)).tolist()
        return rows

    async def aembed_query(self, text: str) -> list[float]:
        """`embed_query`, off the event loop; not computed again for one of the last queries."""
        row = self._queries.pop(text, None) or (await self.aembed_documents([text]))[0]
        # Put back at the end: what was asked last is forgotten last.
        self._queries[text] = row
        if len(self._queries) > _REMEMBERED:
            self._queries.popitem(last=False)
        return row

    def close(self) -> None:
        """End the threads. Calls in progress end first."""
        self._single.shutdown()
        self._bulk.shutdown()

    def _prepare(self, texts: Sequence[str]) -> tuple[NDArray[np.float32], list[tuple[list[int], Tokens]]]:
        return np.empty((len(texts), self.dimensions), np.float32), list(self._batches(texts))

    def _batches(self, texts: Sequence[str]) -> Iterator[tuple[list[int], Tokens]]:
        """The texts' places in the answer, and their word pieces (b, s), longest first so that cores end together."""
        tokens = self._tokens(texts)
        order = sorted(range(len(tokens)), key=lambda place: len(tokens[place]), reverse=True)
        for length, places in groupby(order, lambda place: len(tokens[place])):
            alike = [*places]
            step = max(1, _BATCH_TOKENS // length)
            for start in range(0, len(alike), step):
                batch = alike[start : start + step]
                yield batch, np.array([tokens[place] for place in batch], np.int64)

    def _tokens(self, texts: Sequence[str]) -> list[list[int]]:
        try:
            encoded = self._tokenizer.encode_batch_fast([text[:_MAX_CHARACTERS] for text in texts])
        except (TypeError, UnicodeEncodeError) as problem:
            raise InvalidInput("a text to embed is no valid Unicode", param="input") from problem
        return [encoding.ids for encoding in encoded]

    def _alone(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One text, on the caller's own thread."""
        vectors, batches = self._prepare(texts)
        self._fill(vectors, *batches[0])
        return vectors

    def _fill(self, vectors: NDArray[np.float32], places: list[int], tokens: Tokens) -> None:
        vectors[places] = self._session.run(None, {"input_ids": tokens})[0]


def _graph(model: Path) -> Path:
    """The graph's file beside the weights, written once; two processes may write it at the same time."""
    with (model / "model.safetensors").open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    target = model / f"model-f32-{digest[:16]}-{_LAYOUT}.onnx"
    if not target.exists():
        # Writing needs the `onnx` package, once in a model's life, so its import is kept off every other start.
        from retrieval.embed.bert_onnx import bert_onnx

        graph = bert_onnx(model).SerializeToString()
        with tempfile.NamedTemporaryFile(dir=model, suffix=".partial", delete=False) as partial:
            partial.write(graph)
            partial.flush()
            os.fsync(partial.fileno())
        Path(partial.name).replace(target)
    return target
