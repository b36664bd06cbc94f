"""The assistant's answer is on its thread by the time that it is given."""

from __future__ import annotations

import pytest

from app.assistant import Assistant
from core.errors import InvalidInput
from core.types import Answer, Message, Principal, Role, TextDelta, Turn
from tests.fakes.assistant import RETURNS, NoHands, make_assistant
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
