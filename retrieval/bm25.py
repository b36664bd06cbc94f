"""The lexical half: BM25 as sparse vectors, one configuration for Qdrant Edge and for a Qdrant server.

A passage's sparse vector holds the saturated, length-normalised term frequencies; the engine multiplies them
with the inverse document frequencies (the IDF modifier of the field), so that the product is BM25
(Robertson & Zaragoza, "The Probabilistic Relevance Framework", 2009).
"""

from __future__ import annotations

from collections.abc import Sequence

from qdrant_edge import Bm25, Bm25Config

# k and b are the usual ones (Robertson & Zaragoza, section 3.5). The engine wants the average length in
# advance; passages are at most about 250 word pieces, of which some 100 remain once stop words are gone.
_MODEL = Bm25(Bm25Config(k=1.2, b=0.75, avg_len=100.0))

Terms = tuple[list[int], list[float]]


def passage_terms(title: str, headings: Sequence[str], text: str) -> Terms:
    """The terms of a passage (hashes) and their weights. Title and headings count as words of the passage."""
    vector = _MODEL.embed_document("\n".join((title, *headings, text)))
    return list(vector.indices), list(vector.values)


def query_terms(text: str) -> Terms:
    """The distinct terms of a query, each of weight 1. Both lists are empty when only stop words are left."""
    vector = _MODEL.embed_query(text)
    return list(vector.indices), list(vector.values)
