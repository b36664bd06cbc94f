"""Signatures on bundles: Ed25519 (RFC 8032), over canonical JSON, each kind of statement in a domain of its own.

A device starts with the keys it was shipped with. A bundle may carry statements about keys: signed by a key that is
trusted, one adds a key, revokes keys, or both. They are read in order, so a device that was away for several rotations
catches up, and it remembers what was revoked: a revoked key never comes back.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.canonical import canonical
from core.errors import (
    BundleTampered,
    BundleUnreadable,
    BundleUnsigned,
    InvalidInput,
    RevokedSigner,
    UnknownSigner,
)
from edge.manifest import Manifest

# What is signed begins with one of these, so that no signature of one kind passes for one of the other.
BUNDLE_DOMAIN = b"wayside edge bundle 1\n"
KEYS_DOMAIN = b"wayside edge keys 1\n"

KeyId = Annotated[str, Field(pattern=r"^ed25519-[0-9a-f]{16}$")]


def _decoded(text: str, size: int) -> bytes:
    try:
        value = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as problem:
        raise ValueError("not base64") from problem
    if len(value) != size:
        raise ValueError(f"{len(value)} bytes instead of {size}")
    return value


def _key(text: str) -> str:
    _decoded(text, 32)
    return text


def _signature(text: str) -> str:
    _decoded(text, 64)
    return text


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PublicKey(_Frozen):
    """A public key in base64. Its id is derived from it, so that an id cannot be claimed for another key."""

    id: KeyId
    public: Annotated[str, AfterValidator(_key)]

    @model_validator(mode="after")
    def _own_id(self) -> PublicKey:
        if key_id(base64.b64decode(self.public)) != self.id:
            raise ValueError(f"{self.id} is not the id of this key")
        return self


class Signature(_Frozen):
    """A signature in base64, and the key that made it."""

    key: KeyId
    value: Annotated[str, AfterValidator(_signature)]


class KeyStatement(_Frozen):
    """That a key is to be trusted as well, that keys are not to be trusted any more, or both at once."""

    adds: PublicKey | None = None
    revokes: tuple[KeyId, ...] = ()
    made: AwareDatetime

    def signed_bytes(self) -> bytes:
        """What a signature is over."""
        return KEYS_DOMAIN + canonical(self.model_dump(mode="json")).encode()


class SignedStatement(_Frozen):
    """A statement about keys, and the signature under it."""

    statement: KeyStatement
    signature: Signature


class Envelope(_Frozen):
    """A manifest as it travels: what was signed, the signatures, and what is to be known about keys.

    `manifest` is kept as it came, for the signature is over it whole, also over what a later format adds.
    """

    manifest: dict[str, Any]
    signatures: tuple[Signature, ...] = Field((), max_length=8)
    statements: tuple[SignedStatement, ...] = Field((), max_length=64)

    @classmethod
    def parse(cls, content: bytes) -> Envelope:
        """Read an envelope. Raises `BundleUnreadable`."""
        try:
            return cls.model_validate(orjson.loads(content))
        except orjson.JSONDecodeError as problem:
            raise BundleUnreadable(f"the manifest is not JSON: {problem}") from problem
        except ValidationError as problem:
            raise BundleUnreadable(f"the manifest's envelope cannot be read: {_told(problem)}") from problem

    def content(self) -> bytes:
        """The envelope as it is written and sent."""
        return canonical(self.model_dump(mode="json")).encode()

    def signed_bytes(self) -> bytes:
        """What the signatures are over. Raises `BundleUnreadable` when the manifest has no canonical form."""
        try:
            return BUNDLE_DOMAIN + canonical(self.manifest).encode()
        except InvalidInput as problem:
            raise BundleUnreadable(f"the manifest has no canonical form: {problem.message}") from problem

    def unverified(self) -> Manifest:
        """What the manifest claims, whoever signed it. Raises `BundleUnreadable`."""
        try:
            return Manifest.model_validate(self.manifest)
        except ValidationError as problem:
            raise BundleUnreadable(f"the manifest cannot be read: {_told(problem)}") from problem


class TrustFile(_Frozen):
    """The keys that a device is shipped with, as a file: what `wayside edge keys export` prints."""

    keys: tuple[PublicKey, ...] = Field(min_length=1)

    @classmethod
    def read(cls, content: bytes) -> TrustFile:
        """Read such a file. Raises `InvalidInput`."""
        try:
            return cls.model_validate_json(content)
        except ValidationError as problem:
            raise InvalidInput(f"this is no file of keys: {_told(problem)}", param="trust") from problem


class Signer:
    """A private key that signs."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        raw = private.public_key().public_bytes_raw()
        self.public = PublicKey(id=key_id(raw), public=base64.b64encode(raw).decode())

    def bundle(self, manifest: Manifest, statements: Iterable[SignedStatement] = ()) -> Envelope:
        """The manifest, signed, with the statements that devices should learn of."""
        plain = Envelope(manifest=manifest.model_dump(mode="json"), statements=tuple(statements))
        return plain.model_copy(update={"signatures": (self._sign(plain.signed_bytes()),)})

    def keys(self, statement: KeyStatement) -> SignedStatement:
        """The statement, signed."""
        return SignedStatement(statement=statement, signature=self._sign(statement.signed_bytes()))

    def _sign(self, message: bytes) -> Signature:
        return Signature(key=self.public.id, value=base64.b64encode(self._private.sign(message)).decode())


@dataclass(frozen=True, slots=True)
class Trust:
    """The keys that a device trusts (id → base64), and those that it will never trust again."""

    keys: Mapping[str, str] = field(default_factory=dict)
    revoked: frozenset[str] = frozenset()

    @classmethod
    def of(cls, *keys: PublicKey) -> Trust:
        """Trust in exactly these keys."""
        return cls({key.id: key.public for key in keys})

    def after(self, statements: Iterable[SignedStatement]) -> Trust:
        """The trust once these statements were read in order. A statement by a key that is not trusted is no news."""
        keys, revoked = dict(self.keys), set(self.revoked)
        for each in statements:
            public = keys.get(each.signature.key)
            if public is None or not _holds(public, each.signature, each.statement.signed_bytes()):
                continue
            revoked.update(each.statement.revokes)
            added = each.statement.adds
            if added is not None and added.id not in revoked:
                keys[added.id] = added.public
            keys = {key: value for key, value in keys.items() if key not in revoked}
        return Trust(keys, frozenset(revoked))

    def verify(self, envelope: Envelope) -> tuple[Manifest, Trust]:
        """The manifest, if a trusted key signed it, and the trust that its statements lead to.

        Raises `BundleUnsigned`, `BundleTampered` when a trusted key's signature does not hold, `RevokedSigner` and
        `UnknownSigner` when there is no signature by a trusted key, `BundleUnreadable`.
        """
        if not envelope.signatures:
            raise BundleUnsigned("the bundle is not signed")
        learned = self.after(envelope.statements)
        message = envelope.signed_bytes()
        known = [each for each in envelope.signatures if each.key in learned.keys]
        for signature in known:
            if not _holds(learned.keys[signature.key], signature, message):
                raise BundleTampered(f"the signature of {signature.key} does not hold: the manifest was changed")
        signers = ", ".join(each.key for each in envelope.signatures)
        if not known and any(each.key in learned.revoked for each in envelope.signatures):
            raise RevokedSigner(f"the bundle was signed by {signers}, which was revoked")
        if not known:
            raise UnknownSigner(f"the bundle was signed by {signers}, which this device does not trust")
        return envelope.unverified(), learned


def key_id(raw: bytes) -> str:
    """The id of a public key of 32 bytes."""
    return f"ed25519-{hashlib.sha256(raw).hexdigest()[:16]}"


def _holds(public: str, signature: Signature, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(base64.b64decode(public)).verify(base64.b64decode(signature.value), message)
    except InvalidSignature:
        return False
    return True


def _told(problem: ValidationError) -> str:
    first = problem.errors()[0]
    return f"{'.'.join(map(str, first['loc'])) or 'it'}: {first['msg']}"
