"""Ranks the sentences of the passages by how well they answer a question: by its words first, then by meaning.

The words alone (`agents.extract`) miss that "send something back" answers "return"; embedding every sentence would
cost more than the rest of the path. So the words make a short list, and the short list is embedded, unless the words
have decided already: exactly one sentence has all of them, and it leads. Sentences of popular passages come up again
and again, so their vectors are remembered.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from agents.extract import Extract, rank
from agents.grounding import Evidence

# How many sentences are embedded, and how much meaning weighs against words (docs/decisions/0004-answering.md).
SHORTLIST = 12
MEANING = 2.5
# 1.5 kB each.
REMEMBERED = 8192


class Relevance:
    """Ranks sentences with an embedding model. Safe to share between requests."""

    def __init__(self, embeddings: Embeddings) -> None:
        self._embeddings = embeddings
        self._vectors: OrderedDict[str, NDArray[np.float32]] = OrderedDict()

    async def rank(self, question: str, evidence: Sequence[Evidence], *, context: str = "") -> list[Extract]:
        """The sentences most worth quoting, best first, at most `SHORTLIST`. Empty when there are no passages.

        `context` is the earlier question that a follow-up leans on.
        """
        shortlist = rank(question, evidence, context=context)[:SHORTLIST]
        if not shortlist or (shortlist[0].complete and sum(extract.complete for extract in shortlist) == 1):
            return shortlist
        asked = f"{context} {question}".strip()
        # The search has embedded these very words already, and embeddings that remember their queries give them again.
        query = np.asarray(await self._embeddings.aembed_query(asked), dtype=np.float32)
        vectors = await self._embed([_meant(evidence[e.hit], e.sentence) for e in shortlist])
        cosines = vectors @ (query / max(float(np.linalg.norm(query)), 1e-12))
        scored = [
            replace(extract, score=extract.score + MEANING * max(0.0, float(cosine)))
            for extract, cosine in zip(shortlist, cosines, strict=True)
        ]
        return sorted(scored, key=lambda extract: (-extract.score, extract.hit, extract.sentence))

    async def _embed(self, texts: list[str]) -> NDArray[np.float32]:
        """Unit vectors of the texts, one row each, embedding only what is not remembered."""
        # Taken out before the wait: another request may make room of them meanwhile.
        known = {text: self._vectors[text] for text in texts if text in self._vectors}
        new = [text for text in dict.fromkeys(texts) if text not in known]
        if new:
            rows = np.asarray(await self._embeddings.aembed_documents(new), dtype=np.float32)
            rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
            known.update(zip(new, rows, strict=True))
        found = np.stack([known[text] for text in texts])
        self._vectors.update(known)
        for text in known:
            self._vectors.move_to_end(text)
        while len(self._vectors) > REMEMBERED:
            self._vectors.popitem(last=False)
        return found


def _meant(passage: Evidence, index: int) -> str:
    """What a sentence means to its reader, who knows what it stands under: of two cards' fees, this card's."""
    path = " > ".join((passage.hit.passage.title, *passage.hit.passage.headings))
    return f"{path}: {passage.text(index)}"
