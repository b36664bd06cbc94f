"""What the points of every index look like, whichever engine keeps them.

A point is a passage of one revision of one document. Its payload has `tenant`, `document_id`, `revision`, the rest
of the passage, and, once it is published, `scope`: `tenant/audience`, the one field that makes it visible.
A point without a scope is in nobody's scope, so a document's new points can be written at leisure and be
published together.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from core.errors import InvalidInput
from core.ports import HybridQuery, IndexedPassage
from core.types import Audience, Passage, Scope

if TYPE_CHECKING:
    from core.types import Vector

BM25 = "bm25"
SCOPE, TENANT, DOCUMENT, REVISION, PASSAGE = "scope", "tenant", "document_id", "revision", "passage"
_POINTS = uuid.UUID("a3c1f0de-6a53-4b0e-9c3e-5d0b0f1f7c55")


@dataclass(frozen=True, slots=True)
class Layout:
    """The dense vectors of an index: their names, and the one size that they share with the query's vector."""

    names: tuple[str, ...] = ("text",)
    size: int = 384

    def check_query(self, query: HybridQuery) -> None:
        """Raise `InvalidInput` unless the query fits this layout."""
        self._check("vector", query.vector)
        if query.limit < 1:
            raise InvalidInput(f"limit must be at least 1, not {query.limit}", param="limit")

    def check_passages(self, document_id: str, passages: Sequence[IndexedPassage]) -> None:
        """Raise `InvalidInput` unless every passage is the document's and has exactly this layout's vectors."""
        for item in passages:
            if item.passage.document_id != document_id:
                raise InvalidInput(
                    f"a passage of {item.passage.document_id} among those of {document_id}", param="passages"
                )
            if set(item.vectors) != set(self.names):
                raise InvalidInput(f"vectors are {sorted(item.vectors)}, not {sorted(self.names)}", param="vectors")
            for name, vector in item.vectors.items():
                self._check(name, vector)

    def _check(self, name: str, vector: Vector) -> None:
        if vector.shape != (self.size,):
            raise InvalidInput(f"vector {name} has shape {vector.shape}, not ({self.size},)", param=name)
        if not np.isfinite(vector).all():
            raise InvalidInput(f"vector {name} has values that are not finite", param=name)


def scope_of(tenant: str, audience: Audience) -> str:
    """The value that makes a point visible. An audience has no slash, so two tenants never share one."""
    return f"{tenant}/{audience.value}"


def scopes_of(scope: Scope) -> list[str]:
    """Every value that a caller with this scope may see."""
    return [scope_of(scope.tenant, audience) for audience in scope.audiences]


def point_id(tenant: str, passage: Passage, revision: str) -> uuid.UUID:
    """The identity of a passage within one revision of its document."""
    return uuid.uuid5(_POINTS, "\0".join((tenant, passage.document_id, revision, str(passage.position))))


def to_payload(tenant: str, passage: Passage, revision: str) -> dict[str, Any]:
    """The payload of a point that is not published yet.

    What no filter asks for is one JSON string: an engine hands out one field much faster than six.
    """
    rest = [passage.title, passage.headings, passage.text, passage.start, passage.end, passage.position]
    return {
        TENANT: tenant,
        DOCUMENT: passage.document_id,
        REVISION: revision,
        PASSAGE: orjson.dumps(rest).decode(),
    }


def from_payload(payload: Mapping[str, Any]) -> Passage:
    """The passage that a point holds."""
    title, headings, text, start, end, position = orjson.loads(payload[PASSAGE])
    return Passage(payload[DOCUMENT], title, tuple(headings), text, start, end, position)
