"""The issuer's keys: private ones, readable by their owner only, and what was ever said about them.

A folder with `<id>.pem` (PKCS 8, mode 600) for each private key, and `keyring.json`. Every statement is kept and goes
into each bundle, so that a device which missed some of them catches up.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import AwareDatetime, BaseModel, ConfigDict

from core.errors import Conflict, CorruptArtefact, NotFound
from edge.durable import write
from edge.signing import KeyId, KeyStatement, PublicKey, SignedStatement, Signer

_RECORD = "keyring.json"


class IssuedKey(BaseModel):
    """A key of the ring. One that is revoked signs nothing any more."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: PublicKey
    created: AwareDatetime
    revoked: AwareDatetime | None = None


class Record(BaseModel):
    """What `keyring.json` holds: the keys, oldest first, the one that signs, and the statements in their order."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    active: KeyId
    keys: tuple[IssuedKey, ...]
    statements: tuple[SignedStatement, ...] = ()


class Keyring:
    """The keys in a folder, which is made when the first key is."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def create(self, now: datetime) -> IssuedKey:
        """Make the first key. Raises `Conflict` when there is one: devices learn of others by rotation only."""
        if (self._folder / _RECORD).exists():
            raise Conflict("there is a key already: devices that trust it learn of a new one by  keys rotate")
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        made = self._generate(now)
        self._save(Record(active=made.key.id, keys=(made,)))
        return made

    def record(self) -> Record:
        """All keys and statements. Raises `NotFound` before the first key, `CorruptArtefact` for a broken file."""
        try:
            return Record.model_validate_json((self._folder / _RECORD).read_bytes())
        except FileNotFoundError:
            raise NotFound("there is no signing key yet: run  wayside edge keys new") from None
        except ValueError as problem:
            raise CorruptArtefact(f"{self._folder / _RECORD} cannot be read: {problem}") from problem

    def signer(self) -> Signer:
        """The key that signs now. Raises as `record` does, and `NotFound` when its file is gone."""
        return self._signer(self.record().active)

    def rotate(self, now: datetime, *, revoke: bool = False) -> IssuedKey:
        """Make a new key sign from now on, vouched for by the one so far; `revoke` ends that one's life at once."""
        record = self.record()
        made, old = self._generate(now), self._signer(record.active)
        statement = KeyStatement(adds=made.key, revokes=(record.active,) if revoke else (), made=now)
        keys = _ended(record.keys, record.active, now) if revoke else record.keys
        self._save(Record(active=made.key.id, keys=(*keys, made), statements=(*record.statements, old.keys(statement))))
        return made

    def revoke(self, key: str, now: datetime) -> None:
        """Have devices stop to trust a key, by a statement of the one that signs.

        Raises `NotFound` for a key that is not of this ring, `Conflict` for the one that signs (rotate instead) and
        for one that was revoked before.
        """
        record = self.record()
        found = next((each for each in record.keys if each.key.id == key), None)
        if found is None:
            raise NotFound(f"no key {key} in this ring", param="key")
        if found.revoked is not None:
            raise Conflict(f"{key} was revoked before", param="key")
        if key == record.active:
            raise Conflict(f"{key} is the one that signs: run  wayside edge keys rotate --revoke", param="key")
        signed = self._signer(record.active).keys(KeyStatement(revokes=(key,), made=now))
        keys = _ended(record.keys, key, now)
        self._save(Record(active=record.active, keys=keys, statements=(*record.statements, signed)))

    def _generate(self, now: datetime) -> IssuedKey:
        private = Ed25519PrivateKey.generate()
        key = Signer(private).public
        pem = private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        write(self._folder / f"{key.id}.pem", pem, mode=0o600)
        return IssuedKey(key=key, created=now)

    def _signer(self, key: str) -> Signer:
        path = self._folder / f"{key}.pem"
        if not path.exists():
            raise NotFound(f"the private key {path} is gone")
        try:
            private = serialization.load_pem_private_key(path.read_bytes(), password=None)
        except ValueError as problem:
            raise CorruptArtefact(f"{path} is no private key: {problem}") from problem
        if not isinstance(private, Ed25519PrivateKey):
            raise CorruptArtefact(f"{path} is no Ed25519 key")
        return Signer(private)

    def _save(self, record: Record) -> None:
        write(self._folder / _RECORD, record.model_dump_json(indent=2).encode(), mode=0o600)


def _ended(keys: tuple[IssuedKey, ...], key: str, now: datetime) -> tuple[IssuedKey, ...]:
    return tuple(each.model_copy(update={"revoked": now}) if each.key.id == key else each for each in keys)
