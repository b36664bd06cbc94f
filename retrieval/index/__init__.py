"""Where passages are kept and found again: Qdrant Edge in a process of its own, or a Qdrant server."""

from __future__ import annotations

from typing import Protocol

from core.ports import VectorIndex
from core.types import Scope


class PassageStore(VectorIndex, Protocol):
    """A `VectorIndex` as its owner sees it: it can be counted, and must be closed."""

    async def count(self, scope: Scope) -> int:
        """Return how many passages a caller with this scope could find."""

    async def count_document(self, tenant: str, document_id: str) -> int:
        """Return how many points there are of the document, those not published yet included."""

    async def close(self) -> None:
        """Write everything through and let go of all resources."""
