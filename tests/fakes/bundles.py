"""Bundles in a few bytes, and a connection to them that breaks where it is told to."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core.errors import DownloadFailed
from core.types import Audience
from edge.chunks import cut
from edge.download import Piece
from edge.manifest import RUNTIMES, Artefact, Chunk, Kind, Manifest, Reach
from edge.signing import Signer

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TENANT = "acme"
SMALL = 128
"""The average chunk of these bundles, in bytes."""


def signer(number: int = 1) -> Signer:
    """The same key for the same number."""
    return Signer(Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32))


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def artefact(content: bytes, artefact_id: str = "model", kind: Kind = Kind.GGUF, **more: Any) -> Artefact:
    if kind is Kind.SNAPSHOT:
        more = {"reach": Reach(tenant=TENANT, audience=Audience.PUBLIC), "expires": NOW + timedelta(days=7), **more}
    chunks = tuple(Chunk(digest(piece), len(piece)) for piece in cut(io.BytesIO(content), SMALL))
    fields: dict[str, Any] = {
        "id": artefact_id,
        "kind": kind,
        "runtime": RUNTIMES[kind],
        "file": f"{artefact_id}.bin",
        "sha256": digest(content),
        "size": len(content),
        "peak_memory": 2 * len(content),
        "licence": "Apache-2.0",
        "chunks": chunks,
        **more,
    }
    return Artefact(**fields)


def manifest(*artefacts: Artefact, counter: int = 1, **more: Any) -> Manifest:
    fields: dict[str, Any] = {
        "name": "assistant",
        "tenant": TENANT,
        "counter": counter,
        "created": NOW,
        "expires": NOW + timedelta(days=30),
        "artefacts": artefacts or (artefact(b"weights"),),
        **more,
    }
    return Manifest(**fields)


class Line:
    """A `Source` of the given contents. Each connection carries as many bytes as `breaks` says next, then breaks.

    Without more breaks it holds. `silent` lets it end early as if all had come; `wrong` is what it does to the bytes.
    """

    def __init__(
        self,
        contents: Mapping[str, bytes],
        breaks: Iterable[int] = (),
        *,
        silent: bool = False,
        wrong: Callable[[bytes], bytes] = bytes,
        piece: int = 97,
    ) -> None:
        self._contents = contents
        self._breaks = iter(breaks)
        self._silent = silent
        self._wrong = wrong
        self._piece = piece
        self.ranges: list[tuple[str, int, int]] = []
        self.sent = 0

    def fetch(self, artefact: Artefact, start: int, stop: int) -> Piece:
        """See `Source.fetch`."""
        self.ranges.append((artefact.id, start, stop))
        content = self._contents[artefact.id]
        return Piece(f'"{digest(content)}"', self._carry(self._wrong(content)[start:stop], next(self._breaks, None)))

    def _carry(self, content: bytes, most: int | None) -> Iterator[bytes]:
        carried = content if most is None else content[:most]
        for start in range(0, len(carried), self._piece):
            piece = carried[start : start + self._piece]
            self.sent += len(piece)
            yield piece
        if len(carried) < len(content) and not self._silent:
            raise DownloadFailed("the connection broke")
