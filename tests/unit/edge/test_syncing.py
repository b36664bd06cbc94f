"""Synchronising over a network that loses requests and answers: each intent takes effect once, whatever is lost."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import GatewayUnreachable
from core.intents import MOST, Intent, Records, Settlement, State
from edge.outbox import Outbox
from edge.syncing import synchronise

START = datetime(2026, 3, 1, tzinfo=UTC)
# What the network does to a call: it arrives and is answered, it never arrives, or its answer is lost.
WHOLE, LOST, UNANSWERED = "whole", "lost", "unanswered"


class Server:
    """Brings each id about once, behind a network with a script; after the script it holds."""

    def __init__(self, script: Sequence[str] = ()) -> None:
        self.script = list(script)
        self.effects: Counter[UUID] = Counter()
        self.order: list[UUID] = []
        self.sizes: list[int] = []
        self.states: dict[UUID, State] = {}

    def settle(self, intents: Sequence[Intent]) -> list[Settlement]:
        """See `Wire`."""
        with _Network(self.script):
            self.sizes.append(len(intents))
            for intent in intents:
                state = self.states.get(intent.id, State.APPLIED)
                if state is State.APPLIED and intent.id not in self.effects:
                    self.effects[intent.id] += 1
                    self.order.append(intent.id)
            return [
                Settlement(id=each.id, state=self.states.get(each.id, State.APPLIED), text="done") for each in intents
            ]

    def records(self) -> Records:
        """See `Wire`."""
        with _Network(self.script):
            return Records(as_of=START, orders=[{"id": "ORD-1"}], versions={})


class _Network:
    def __init__(self, script: list[str]) -> None:
        self._does = script.pop(0) if script else WHOLE

    def __enter__(self) -> None:
        if self._does == LOST:
            raise GatewayUnreachable("lost")

    def __exit__(self, *_: object) -> None:
        if self._does == UNANSWERED:
            raise GatewayUnreachable("unanswered")


def filled(folder: Path, number: int) -> tuple[Outbox, list[Intent]]:
    outbox = Outbox(folder / "outbox.db")
    made = [Intent.make("create_ticket", {"n": n}, moment=START + timedelta(seconds=n)) for n in range(number)]
    for intent in made:
        outbox.add(str(intent.id), intent)
    return outbox, made


@settings(max_examples=40)
@given(st.lists(st.sampled_from([WHOLE, LOST, UNANSWERED]), max_size=12), st.integers(0, 4), st.integers(1, 3))
def test_whatever_is_lost_each_takes_effect_once_and_in_order(script: list[str], number: int, patience: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        outbox, made = filled(Path(folder), number)
        server = Server(script)
        for _ in range(len(script) + 1):
            try:
                synchronise(outbox, server, patience=patience, pause=lambda _: None)
            except GatewayUnreachable:
                continue
            break
        assert server.order == [each.id for each in made]
        assert set(server.effects.values()) <= {1}
        assert outbox.unsettled() == []
        assert outbox.records() is not None
        server.script.clear()
        assert synchronise(outbox, server, pause=lambda _: None).news == ()
        outbox.close()


def test_many_are_sent_in_parts(tmp_path: Path) -> None:
    outbox, made = filled(tmp_path, 2 * MOST + 3)
    server = Server([WHOLE, LOST])
    with pytest.raises(GatewayUnreachable):
        synchronise(outbox, server, patience=1)
    assert len(outbox.unsettled()) == MOST + 3, "what was heard before the network went is kept"
    assert len(synchronise(outbox, server, pause=lambda _: None).news) == MOST + 3
    assert (server.sizes, len(server.effects)) == ([MOST, MOST, 3], len(made))
    outbox.close()


def test_only_what_is_new_is_news(tmp_path: Path) -> None:
    outbox, [intent] = filled(tmp_path, 1)
    server = Server()
    server.states[intent.id] = State.WAITING
    assert [each.state for each in synchronise(outbox, server).news] == [State.WAITING]
    assert synchronise(outbox, server).news == ()
    server.states[intent.id] = State.LATER
    synced = synchronise(outbox, server)
    assert ([each.state for each in synced.news], synced.left) == ([State.LATER], 1)
    again = synchronise(outbox, server)
    assert (again.news, again.left) == ((), 1), "it is no news, and still left"
    outbox.close()


def test_it_waits_longer_each_time(tmp_path: Path) -> None:
    outbox, _ = filled(tmp_path, 1)
    pauses: list[float] = []
    synchronise(outbox, Server([LOST] * 4), pause=pauses.append)
    assert pauses == sorted(pauses) and len(pauses) == 4
    outbox.close()
