"""What a device notes down: whose it is, whom it trusts, and which builds are and were in use."""

from __future__ import annotations

import hashlib

from pydantic import BaseModel, ConfigDict

from edge.manifest import Manifest, Sha256
from edge.signing import Envelope


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Build(_Frozen):
    """A build by its counter, and the SHA-256 of what its signature was over."""

    counter: int
    digest: Sha256


class State(_Frozen):
    """What is known of one bundle on the device. `highest` is the newest build that was ever in use."""

    current: Build | None = None
    previous: Build | None = None
    highest: Build | None = None


class Identity(_Frozen):
    """Whose device it is, the keys that it trusts (id → base64), and those that it never will again."""

    tenant: str
    keys: dict[str, str]
    revoked: tuple[str, ...] = ()


def build_of(envelope: Envelope, manifest: Manifest) -> Build:
    """The build that a signed manifest is of."""
    return Build(counter=manifest.counter, digest=hashlib.sha256(envelope.signed_bytes()).hexdigest())
