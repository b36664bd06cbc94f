from datetime import timedelta
from pathlib import Path

import pytest

from core.errors import Conflict, CorruptArtefact, NotFound, RevokedSigner
from edge.keyring import Keyring
from edge.signing import Trust
from tests.fakes.bundles import NOW, manifest


def test_private_keys_are_their_owners_only(tmp_path: Path) -> None:
    ring = Keyring(tmp_path / "keys")
    made = ring.create(NOW)
    assert ring.signer().public == made.key
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
    for path in (tmp_path / "keys").iterdir():
        assert path.stat().st_mode & 0o777 == 0o600, path


def test_rotation_is_followed_by_a_device_that_trusts_the_first_key(tmp_path: Path) -> None:
    ring = Keyring(tmp_path / "keys")
    first = ring.create(NOW)
    device = Trust.of(first.key)
    early = ring.signer().bundle(manifest())
    second = ring.rotate(NOW + timedelta(days=1))
    third = ring.rotate(NOW + timedelta(days=2), revoke=True)
    record = ring.record()
    assert record.active == third.key.id
    assert [each.revoked is None for each in record.keys] == [True, False, True]
    _, learned = device.verify(ring.signer().bundle(manifest(counter=2), record.statements))
    assert set(learned.keys) == {first.key.id, third.key.id}
    learned.verify(early)  # Rotated away in peace, the first key is still trusted.
    ring.revoke(first.key.id, NOW)
    _, learned = learned.verify(ring.signer().bundle(manifest(counter=3), ring.record().statements))
    assert learned.revoked == {first.key.id, second.key.id}
    with pytest.raises(RevokedSigner):
        learned.verify(early)


def test_what_cannot_be_is_refused(tmp_path: Path) -> None:
    ring = Keyring(tmp_path / "keys")
    with pytest.raises(NotFound, match="keys new"):
        ring.signer()
    first = ring.create(NOW)
    with pytest.raises(Conflict, match="rotate"):
        ring.create(NOW)
    with pytest.raises(Conflict, match="signs"):
        ring.revoke(first.key.id, NOW)
    with pytest.raises(NotFound):
        ring.revoke("ed25519-0000000000000000", NOW)
    second = ring.rotate(NOW)
    ring.revoke(first.key.id, NOW)
    with pytest.raises(Conflict, match="before"):
        ring.revoke(first.key.id, NOW)
    path = tmp_path / "keys" / f"{second.key.id}.pem"
    path.write_text("no key")
    with pytest.raises(CorruptArtefact, match="no private key"):
        ring.signer()
    path.unlink()
    with pytest.raises(NotFound, match="gone"):
        ring.signer()
    (tmp_path / "keys" / "keyring.json").write_text("{}")
    with pytest.raises(CorruptArtefact):
        ring.record()
