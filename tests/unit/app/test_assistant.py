"""The assistant's answer is on its thread by the time that it is given."""

from __future__ import annotations

import pytest

from agents.conversation import Call
from agents.hands import Outcome, Waiting
from agents.tools.tool import Caller
from app.assistant import Assistant
from core.errors import InvalidInput
from core.types import Answer, Message, Principal, Role, TextDelta, Turn
from tests.fakes.assistant import RETURNS, NoHands, make_assistant, make_graph
from tests.fakes.search import FakeSearch


def assistant() -> tuple[Assistant, FakeSearch]:
    search = FakeSearch({"return": [RETURNS]})
    return make_assistant(NoHands(), search=search), search


def asking(text: str, *, thread: str = "one", key: str = "alice", tenant: str = "acme") -> Turn:
    return Turn(Principal(key, tenant, Role.CLIENT), thread, (Message("user", text),))


async def test_a_follow_up_asked_at_once_finds_the_question_before_it() -> None:
    ours, search = assistant()
    await ours.answer(asking("How long may I return a tent?"))
    await ours.answer(asking("And a rope?"))
    assert search.asked[-1][0] == "How long may I return a tent? And a rope?"


async def test_so_it_does_after_a_stream() -> None:
    ours, search = assistant()
    pieces = [piece async for piece in ours.stream(asking("How long may I return a tent?"))]
    assert isinstance(pieces[-1], Answer)
    assert pieces[-1].text == "".join(piece.text for piece in pieces if isinstance(piece, TextDelta))
    await ours.answer(asking("And a rope?"))
    assert search.asked[-1][0].startswith("How long may I return a tent?")


@pytest.mark.parametrize("other", [{"thread": "two"}, {"key": "bob"}, {"tenant": "globex"}])
async def test_another_thread_key_or_tenant_starts_afresh(other: dict[str, str]) -> None:
    ours, search = assistant()
    await ours.answer(asking("How long may I return a tent?"))
    await ours.answer(asking("And a rope?", **other))
    assert search.asked[-1][0] == "And a rope?"


@pytest.mark.parametrize("messages", [(), (Message("user", "  "),), (Message("assistant", "Hello."),)])
async def test_a_turn_without_a_question_is_refused(messages: tuple[Message, ...]) -> None:
    ours, _ = assistant()
    with pytest.raises(InvalidInput):
        await ours.answer(Turn(Principal("alice", "acme", Role.CLIENT), "one", messages))


async def test_of_a_spoken_answer_the_thread_has_what_was_heard() -> None:
    hands, search = NoHands(), FakeSearch({"return": [RETURNS]})
    graph, desk = make_graph(hands, search=search)
    ours = Assistant(graph, desk, hands)
    turn = asking("How long may I return a tent?")
    said = (await ours.answer(turn)).text
    assert await ours.heard(turn.principal, "one", said, "You may")
    assert not await ours.heard(turn.principal, "one", "never said", "")
    assert not await ours.heard(turn.principal, "two", said, "")
    # Told again more exactly, it is the same answer.
    assert await ours.heard(turn.principal, "one", said, "You may return")
    state = await graph.aget_state({"configurable": {"thread_id": "acme/key:alice/one"}})
    answer = state.values["messages"][-1]
    assert (answer.text, answer.response_metadata["said"]) == ("You may return", said)
    assert not state.next
    await ours.answer(asking("And a rope?"))
    assert search.asked[-1][0] == "How long may I return a tent? And a rope?"


class Proposing(NoHands):
    """Whatever is to be done waits for people."""

    def tools(self, principal: Principal) -> frozenset[str]:
        return frozenset({"escalate_to_human"})

    async def perform(self, caller: Caller, thread: str, call: Call) -> Outcome:
        return Waiting("apr_1", "it needs consent")


async def test_a_thread_that_waits_is_left_as_it_is() -> None:
    hands = Proposing()
    graph, desk = make_graph(hands, {"I want to talk to a person": "escalate_to_human"})
    ours = Assistant(graph, desk, hands)
    turn = asking("I want to talk to a person")
    said = (await ours.answer(turn)).text
    state = await graph.aget_state({"configurable": {"thread_id": "acme/key:alice/one"}})
    assert state.next, said
    assert not await ours.heard(turn.principal, "one", said, "")
    after = await graph.aget_state({"configurable": {"thread_id": "acme/key:alice/one"}})
    assert (after.values["messages"], after.interrupts) == (state.values["messages"], state.interrupts)
