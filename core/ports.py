"""The seams that LangChain does not already have.

Where LangChain has the interface (`BaseChatModel`, `Embeddings`, `BaseTool`), that interface is the port.
Every port here has a deterministic fake in `tests/fakes/`, and one contract suite in `tests/contract/`
that runs on the fake and on each real adapter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from core.types import Audience, Findings, Passage, Scope

if TYPE_CHECKING:
    from core.types import Vector

PointId = int | str
"""What an index calls one passage of one revision of a document; nothing is to be read out of it."""


@dataclass(frozen=True, slots=True)
class IndexedPassage:
    """A passage with its unit-length vectors by name (the names are the index's layout: `text`, `title`)."""

    passage: Passage
    vectors: Mapping[str, Vector]


@dataclass(frozen=True, slots=True)
class HybridQuery:
    """A search request: the words for BM25, the unit-length vector for the dense halves.

    `limit` is the number of candidates that each half contributes, not the number of results.
    """

    text: str
    vector: Vector
    scope: Scope
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage that at least one half found, by its raw scores.

    `point` names it until its document is replaced or removed. `cosines` has one entry for each named vector;
    `bm25` is 0.0 where the lexical half did not find it.
    """

    point: PointId
    cosines: Mapping[str, float]
    bm25: float


class VectorIndex(Protocol):
    """Keeps passages and finds them again, within a scope.

    * A document is whole or absent: `replace` makes all its new passages visible at once and drops its old
      ones; killed in between, a search sees the old ones or none, and repeating the call repairs it.
    * The scope is applied inside the engine, on every half of a search: a passage of another tenant or
      audience is never a candidate.
    * Raises `InvalidInput` when a vector's name or size is not the index's.
    """

    async def replace(
        self, tenant: str, document_id: str, audience: Audience, passages: Sequence[IndexedPassage]
    ) -> None:
        """Make `passages` the whole content of the document. Returns when they can be found and survive a kill."""

    async def remove(self, tenant: str, document_id: str) -> None:
        """Forget the document. Afterwards no search finds it; removing what is not there is fine."""

    async def search(self, query: HybridQuery) -> list[Candidate]:
        """Return the union of the halves' best `limit` candidates, in no particular order."""

    async def passages(self, scope: Scope, points: Sequence[PointId]) -> dict[PointId, Passage]:
        """Return what these points hold, but for those that are gone by now or lie outside of the scope.

        Apart from `search`, because most candidates are only weighed: reading them all would cost more than
        finding them.
        """


class PassageSearch(Protocol):
    """Finds the passages that speak to a question."""

    async def search(self, query: str, scope: Scope, limit: int = 10) -> Findings:
        """Return up to `limit` hits, best first, ties by passage identity, so that equal input gives equal output.

        Raises `InvalidInput` when the query is empty.
        """
