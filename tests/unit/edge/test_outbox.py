"""What a device keeps for the network: once a place, in order, and never forgotten before its end is known."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.errors import Conflict, NotFound
from core.intents import Intent, Records, Settlement, State
from edge.outbox import Outbox

START = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    made = Outbox(tmp_path / "device" / "outbox.db")
    yield made
    made.close()


def wish(minute: int = 0) -> Intent:
    return Intent.make("create_ticket", {"n": minute}, moment=START + timedelta(minutes=minute))


def ended(intent: Intent, state: State = State.APPLIED, text: str = "done", version: str | None = None) -> Settlement:
    return Settlement(id=intent.id, state=state, text=text, version=version)


def test_a_place_has_one_intent(outbox: Outbox, tmp_path: Path) -> None:
    first, second = wish(), wish(1)
    assert outbox.add("a", first).intent == first
    assert outbox.add("a", second).intent == first
    outbox.add("b", second)
    # Another process, after this one was killed, finds the same.
    again = Outbox(tmp_path / "device" / "outbox.db")
    assert [each.intent for each in again.all()] == [first, second]
    again.close()


def test_they_are_sent_in_the_order_in_which_they_were_made(outbox: Outbox) -> None:
    made = [wish(minute) for minute in (5, 1, 9, 3)]
    for intent in made:
        outbox.add(str(intent.id), intent)
    assert outbox.unsettled() == sorted(made, key=lambda each: each.made)


@pytest.mark.parametrize("state", [State.APPLIED, State.MERGED, State.REJECTED])
def test_an_end_stays(outbox: Outbox, state: State) -> None:
    intent = wish()
    outbox.add("a", intent)
    outbox.settle([ended(intent, State.WAITING)])
    assert outbox.unsettled() == [intent], "it is asked after until it has ended"
    outbox.settle([ended(intent, state)])
    outbox.settle([ended(intent, State.LATER)])
    assert outbox.get(intent.id).settlement == ended(intent, state)
    assert outbox.unsettled() == []


def test_what_the_person_is_asked_is_not_sent_before_they_agree(outbox: Outbox) -> None:
    intent = wish()
    outbox.add("a", intent)
    with pytest.raises(Conflict):
        outbox.confirm(intent.id)
    with pytest.raises(Conflict):
        outbox.drop(intent.id)
    outbox.settle([ended(intent, State.NEEDS_USER, "Shall it?", "v2")])
    assert (outbox.unsettled(), [each.intent for each in outbox.asking()]) == ([], [intent])
    agreed = outbox.confirm(intent.id)
    assert (agreed.confirmed, agreed.id, agreed.fingerprint) == ("v2", intent.id, intent.fingerprint)
    assert outbox.unsettled() == [agreed]
    outbox.settle([ended(intent, State.NEEDS_USER, "Shall it now?", "v3")])
    outbox.drop(intent.id)
    assert (outbox.unsettled(), outbox.asking()) == ([], [])


def test_settlements_are_kept_together_or_not_at_all(outbox: Outbox) -> None:
    first, second = wish(), wish(1)
    outbox.add("a", first)
    outbox.add("b", second)
    with pytest.raises(AttributeError):
        outbox.settle([ended(first), None])  # type: ignore[list-item]
    assert outbox.get(first.id).settlement is None
    outbox.settle([ended(wish(7))])  # What is not ours changes nothing.
    assert [each.settlement for each in outbox.all()] == [None, None]
    with pytest.raises(NotFound):
        outbox.get(wish(8).id)


def test_the_latest_records_are_kept(outbox: Outbox) -> None:
    assert outbox.records() is None
    for number in range(2):
        outbox.keep(Records(as_of=START, orders=[{"id": f"ORD-{number}"}], versions={f"ORD-{number}": "v"}))
    kept = outbox.records()
    assert kept is not None and kept.orders == [{"id": "ORD-1"}]
