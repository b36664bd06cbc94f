import base64
import json
from typing import Any

import pytest

from core.errors import BundleTampered, BundleUnreadable, BundleUnsigned, RevokedSigner, UnknownSigner
from edge.signing import KEYS_DOMAIN, Envelope, KeyStatement, PublicKey, SignedStatement, Trust
from tests.fakes.bundles import NOW, manifest, signer

FIRST, SECOND, THIRD = signer(1), signer(2), signer(3)


def says(by: int, adds: int | None = None, revokes: tuple[int, ...] = ()) -> SignedStatement:
    added = None if adds is None else signer(adds).public
    statement = KeyStatement(adds=added, revokes=tuple(signer(each).public.id for each in revokes), made=NOW)
    return signer(by).keys(statement)


def test_a_signed_manifest_survives_the_journey() -> None:
    envelope = Envelope.parse(FIRST.bundle(manifest()).content())
    made, trust = Trust.of(FIRST.public).verify(envelope)
    assert made == manifest()
    assert trust == Trust.of(FIRST.public)


@pytest.mark.parametrize(
    "path", [("counter",), ("expires",), ("tenant",), ("artefacts", 0, "sha256"), ("artefacts", 0, "chunks", 0, 1)]
)
def test_a_changed_manifest_does_not_verify(path: tuple[Any, ...]) -> None:
    content = json.loads(FIRST.bundle(manifest()).content())
    place = content["manifest"]
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = place[path[-1]] + 1 if isinstance(place[path[-1]], int) else place[path[-1]][::-1]
    with pytest.raises(BundleTampered):
        Trust.of(FIRST.public).verify(Envelope.parse(json.dumps(content).encode()))


def test_what_is_added_to_a_manifest_breaks_its_signature() -> None:
    content = json.loads(FIRST.bundle(manifest()).content())
    content["manifest"]["more"] = True
    with pytest.raises(BundleTampered):
        Trust.of(FIRST.public).verify(Envelope.parse(json.dumps(content).encode()))


def test_each_refusal_has_its_own_error() -> None:
    envelope = FIRST.bundle(manifest())
    with pytest.raises(BundleUnsigned):
        Trust.of(FIRST.public).verify(envelope.model_copy(update={"signatures": ()}))
    with pytest.raises(UnknownSigner):
        Trust.of(SECOND.public).verify(envelope)
    with pytest.raises(UnknownSigner):
        Trust().verify(envelope)
    revoked = Trust.of(FIRST.public, SECOND.public).after([says(2, revokes=(1,))])
    with pytest.raises(RevokedSigner):
        revoked.verify(envelope)


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{", b'{"manifest": 1}', b'{"manifest": {}, "more": 1}', b'{"manifest": {}, "signatures": [{}]}'],
)
def test_what_is_no_envelope_is_unreadable(content: bytes) -> None:
    with pytest.raises(BundleUnreadable):
        Envelope.parse(content)


def test_a_signed_manifest_of_a_later_format_is_unreadable_not_tampered() -> None:
    later = {**manifest().model_dump(mode="json"), "format": 2}
    plain = Envelope(manifest=later)
    signature = FIRST._sign(plain.signed_bytes())
    with pytest.raises(BundleUnreadable, match="format"):
        Trust.of(FIRST.public).verify(plain.model_copy(update={"signatures": (signature,)}))


def test_numbers_that_json_readers_read_differently_are_refused() -> None:
    with pytest.raises(BundleUnreadable, match="canonical"):
        Envelope(manifest={"counter": 2**60}).signed_bytes()


def test_a_device_catches_up_over_several_rotations() -> None:
    statements = [says(1, adds=2, revokes=(1,)), says(2, adds=3)]
    made, trust = Trust.of(FIRST.public).verify(THIRD.bundle(manifest(), statements))
    assert made == manifest()
    assert set(trust.keys) == {SECOND.public.id, THIRD.public.id}
    assert trust.revoked == {FIRST.public.id}
    # It reads the same statements again with the next bundle.
    assert trust.verify(THIRD.bundle(manifest(counter=2), statements))[1] == trust
    with pytest.raises(RevokedSigner):
        trust.verify(FIRST.bundle(manifest(counter=3)))


def test_a_revoked_key_neither_vouches_nor_comes_back() -> None:
    trust = Trust.of(FIRST.public).after([says(1, adds=2, revokes=(1,))])
    assert trust.after([says(1, adds=3)]) == trust
    assert trust.after([says(2, adds=1)]) == trust


def test_statements_of_strangers_and_forged_ones_change_nothing() -> None:
    trust = Trust.of(FIRST.public)
    assert trust.after([says(2, adds=3), says(2, revokes=(1,))]) == trust
    forged = says(2, adds=3).model_copy(
        update={"signature": says(2, adds=3).signature.model_copy(update={"key": FIRST.public.id})}
    )
    assert trust.after([forged]) == trust


def test_a_signature_of_one_kind_is_none_of_the_other() -> None:
    """The bytes of a statement, offered as a manifest, are not signed: the domains differ."""
    signed = says(1, adds=2)
    content = signed.statement.model_dump(mode="json")
    assert signed.statement.signed_bytes().startswith(KEYS_DOMAIN)
    with pytest.raises(BundleTampered):
        Trust.of(FIRST.public).verify(Envelope(manifest=content, signatures=(signed.signature,)))


def test_an_id_cannot_be_claimed_for_another_key() -> None:
    with pytest.raises(ValueError, match="not the id"):
        PublicKey(id=FIRST.public.id, public=SECOND.public.public)
    with pytest.raises(ValueError, match="instead of 32"):
        PublicKey(id=FIRST.public.id, public=base64.b64encode(b"short").decode())
    with pytest.raises(ValueError, match="base64"):
        PublicKey(id=FIRST.public.id, public="?")
