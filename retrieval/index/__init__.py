"""Where passages are kept and found again: Qdrant Edge in a process of its own, or a Qdrant server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from core.ports import IndexedPassage, VectorIndex
from core.types import Scope


class PassageStore(VectorIndex, Protocol):
    """A `VectorIndex` as its owner sees it: it can be counted, and must be closed."""

    async def count(self, scope: Scope) -> int:
        """Return how many passages a caller with this scope could find."""

    async def count_document(self, tenant: str, document_id: str) -> int:
        """Return how many points there are of the document, those not published yet included."""

    async def export(self, scope: Scope, document_id: str) -> Sequence[IndexedPassage]:
        """Return the document's passages with their vectors, in their order, as far as this scope may see them."""

    async def close(self) -> None:
        """Write everything through and let go of all resources."""
