"""Is the right document found? The hybrid search, and its dense and BM25 halves alone, on the same index.

A document scores as its best passage does.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from functools import partial

from core.ports import HybridQuery
from evals import scorers
from evals.beir import Question, read, read_demo
from evals.suite import Options, Scorer, Suite, refuse_foreign, sample
from evals.suites.workspace import CALLER, Indexed, indexed
from retrieval.encode import TEXT, embed_query

# Passages looked at: the most that the API gives, and enough for ten documents when each has several good ones.
DEPTH = 50
K = 10

Rankings = Mapping[str, list[str]]
Judge = Callable[[Question, Rankings], float]


@asynccontextmanager
async def open_suite(options: Options) -> AsyncIterator[Suite[Question, Rankings]]:
    """The suite on the folder that `options` names."""
    refuse_foreign("retrieval", options)
    folder = read(options.data) if options.data else read_demo()
    async with indexed(folder) as index:
        yield Suite(
            name="retrieval",
            cases=sample(folder.questions, options),
            task=partial(rankings, index),
            scorers=SCORERS,
            details=_details,
            facts={key: text for key, text in index.facts.items() if key != "engine"},
        )


async def rankings(index: Indexed, case: Question) -> Rankings:
    """The documents, best first, as each side finds them."""
    (query,) = case.turns
    findings = await index.search.search(query, CALLER.scope, limit=DEPTH)
    vector = await embed_query(index.embeddings, query)
    candidates = await index.index.search(HybridQuery(query, vector, CALLER.scope, limit=DEPTH))
    passages = await index.index.passages(CALLER.scope, [each.point for each in candidates])
    scores = [(passages[each.point].document_id, each) for each in candidates]
    dense = sorted(scores, key=lambda each: (-each[1].cosines[TEXT], each[0]))
    lexical = sorted((each for each in scores if each[1].bm25 > 0), key=lambda each: (-each[1].bm25, each[0]))
    found = {
        "hybrid": [hit.passage.document_id for hit in findings.hits],
        "dense": [document for document, _ in dense],
        "bm25": [document for document, _ in lexical],
    }
    return {side: _once(index.names[document] for document in documents) for side, documents in found.items()}


def _once(documents: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(documents))


def ndcg(side: str, case: Question, found: Rankings) -> float:
    """nDCG@10 of one side."""
    return scorers.ndcg(found[side], case.gains, K)


def recall(side: str, case: Question, found: Rankings) -> float:
    """Recall@10 of one side."""
    return scorers.recall(found[side], case.gains, K)


def mrr(side: str, case: Question, found: Rankings) -> float:
    """Reciprocal rank of one side's first relevant document."""
    return scorers.reciprocal_rank(found[side], case.gains)


def gain(half: str, case: Question, found: Rankings) -> float:
    """How much nDCG@10 the hybrid adds to a half, question by question: its interval is that of a paired test."""
    return ndcg("hybrid", case, found) - ndcg(half, case, found)


def _side(side: str, prefix: str) -> list[Scorer[Question, Rankings]]:
    judges: dict[str, Callable[[str, Question, Rankings], float]] = {"ndcg_10": ndcg, "recall_10": recall, "mrr": mrr}
    return [Scorer(prefix + name, partial(judge, side)) for name, judge in judges.items()]


SCORERS: tuple[Scorer[Question, Rankings], ...] = (
    *_side("hybrid", ""),
    Scorer("gain_over_dense", partial(gain, "dense")),
    Scorer("gain_over_bm25", partial(gain, "bm25")),
    *_side("dense", "dense_"),
    *_side("bm25", "bm25_"),
)


def _details(case: Question, found: Rankings) -> Mapping[str, str]:
    first = {side: ", ".join(documents[:5]) or "nothing" for side, documents in found.items()}
    return {"question": case.turns[0], "relevant": ", ".join(case.gains), **first}
