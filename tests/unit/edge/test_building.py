from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import BundleUnreadable, Conflict, InvalidInput, NotFound, WrongBase
from edge.building import Order, Ware, build
from edge.keyring import Keyring
from edge.manifest import Kind
from edge.shelf import Shelf
from edge.signing import Envelope, Trust
from tests.fakes.bundles import NOW, TENANT, digest


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    ring = Keyring(tmp_path / "keys")
    ring.create(NOW)
    return ring


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "shelf")


@pytest.fixture
def order(tmp_path: Path) -> Order:
    (tmp_path / "chat.gguf").write_bytes(b"chat")
    (tmp_path / "tools.gguf").write_bytes(b"tools")
    chat = Ware(tmp_path / "chat.gguf", "chat", Kind.GGUF, "Apache-2.0", 100, sha256=digest(b"chat"))
    tools = Ware(tmp_path / "tools.gguf", "tools", Kind.ADAPTER, "Apache-2.0", 10, base="chat")
    return Order("assistant", TENANT, (chat, tools), days=30)


def test_a_bundle_is_signed_and_offered(order: Order, shelf: Shelf, keyring: Keyring) -> None:
    made = build(order, shelf, keyring, NOW)
    [published] = shelf.published(TENANT)
    assert published == shelf.get(TENANT, "assistant")
    assert published.manifest == made
    verified, _ = Trust.of(keyring.record().keys[0].key).verify(Envelope.parse(published.content))
    assert verified == made
    assert [published.path(each).read_bytes() for each in made.artefacts] == [b"chat", b"tools"]
    assert made.artefacts[1].base == digest(b"chat")
    assert shelf.published("rival") == []
    with pytest.raises(NotFound):
        shelf.get("rival", "assistant")


def test_counters_only_rise_and_the_build_before_is_kept(
    order: Order, shelf: Shelf, keyring: Keyring, tmp_path: Path
) -> None:
    assert [build(order, shelf, keyring, NOW).counter for _ in range(4)] == [1, 2, 3, 4]
    folder = shelf.get(TENANT, "assistant").folder
    assert sorted(path.name for path in folder.parent.iterdir() if path.is_dir()) == ["3", "4"]
    # A build that was killed before it was offered has used up its number.
    (folder.parent / "7").mkdir()
    (folder.parent / ".arriving-x").mkdir()
    assert build(order, shelf, keyring, NOW).counter == 8
    assert sorted(path.name for path in folder.parent.iterdir() if path.is_dir()) == ["4", "8"]


def test_what_may_not_be_shipped_is_refused_and_leaves_the_shelf_alone(
    order: Order, shelf: Shelf, keyring: Keyring, tmp_path: Path
) -> None:
    build(order, shelf, keyring, NOW)
    before = {path: path.read_bytes() for path in (tmp_path / "shelf").rglob("*") if path.is_file()}
    chat, tools = order.wares
    cases = [
        (InvalidInput, "no licence", (replace(chat, licence=" "),)),
        (NotFound, "no file", (replace(chat, path=tmp_path / "gone"),)),
        (InvalidInput, "is declared", (replace(chat, sha256="0" * 64),)),
        (WrongBase, digest(b"chat"), (replace(tools, base=digest(b"chat")),)),
        (InvalidInput, "base", (replace(tools, base="nonsense"),)),
        (InvalidInput, "no name for a file", (replace(chat, file="../out"),)),
        (InvalidInput, "already", (chat, replace(chat, id="again"))),
        (InvalidInput, "already", (replace(chat, file="manifest.json"),)),
        (InvalidInput, "snapshot", (replace(chat, kind=Kind.SNAPSHOT),)),
        (InvalidInput, "artefacts", ()),
    ]
    for error, told, wares in cases:
        with pytest.raises(error, match=told):
            build(replace(order, wares=wares), shelf, keyring, NOW)
        assert {path: path.read_bytes() for path in (tmp_path / "shelf").rglob("*") if path.is_file()} == before, told


def test_a_base_that_devices_have_is_declared(order: Order, shelf: Shelf, keyring: Keyring) -> None:
    base = digest(b"on the device")
    wares = (replace(order.wares[1], base=base),)
    assert build(replace(order, wares=wares, bases=(base,)), shelf, keyring, NOW).bases == (base,)


def test_nothing_is_built_without_a_key(order: Order, shelf: Shelf, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="keys new"):
        build(order, shelf, Keyring(tmp_path / "none"), NOW)


def test_two_builds_of_one_name_do_not_meet(order: Order, shelf: Shelf, keyring: Keyring) -> None:
    with shelf.arriving(TENANT, "assistant"), pytest.raises(Conflict):
        build(order, shelf, keyring, NOW)


def test_every_bundle_carries_what_was_said_about_keys(order: Order, shelf: Shelf, keyring: Keyring) -> None:
    first = keyring.record().keys[0].key
    keyring.rotate(NOW, revoke=True)
    build(order, shelf, keyring, NOW)
    _, trust = Trust.of(first).verify(Envelope.parse(shelf.get(TENANT, "assistant").content))
    assert trust.revoked == {first.id}


def test_a_broken_manifest_on_the_shelf_is_told(order: Order, shelf: Shelf, keyring: Keyring) -> None:
    build(order, shelf, keyring, NOW)
    (shelf.get(TENANT, "assistant").folder / "manifest.json").write_bytes(b"{}")
    with pytest.raises(BundleUnreadable):
        shelf.get(TENANT, "assistant")
