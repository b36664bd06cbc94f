"""Bundles in a few bytes, and a connection to them that breaks where it is told to."""

from __future__ import annotations

import hashlib
import io
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core.types import Audience
from edge.chunks import cut
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
