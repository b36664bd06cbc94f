"""The whole assistant on the fake office: wishes are known by their words, documents by theirs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from langchain_core.embeddings import DeterministicFakeEmbedding
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver

from agents.actions import NONE, Actions, Wish
from agents.conversation import Call
from agents.graph import Graph, build_assistant
from agents.hands import Hands, Outcome, ToolHands
from agents.reception import Reception
from agents.router import Route, Router, Specialist, Step
from agents.tools.tool import Caller
from agents.triage import Judged, Triage, Triaged
from app.assistant import Assistant
from core.canonical import JSON
from core.types import Answer, Message, Principal, Turn, TurnEvent
from tests.fakes.acting import Office
from tests.fakes.models import ScriptedModel
from tests.fakes.search import FakeSearch, passage

RETURNS = passage("You have 30 days to return a tent. A rope has to be returned within 5 days.")


class NoHands:
    """No tools, so that nothing is asked of them."""

    def tools(self, principal: Principal) -> frozenset[str]:
        return frozenset()

    async def read(self, caller: Caller, tool: str, arguments: Mapping[str, Any]) -> JSON:
        raise AssertionError("no tool is offered")

    async def perform(self, caller: Caller, thread: str, call: Call) -> Outcome:
        raise AssertionError("no tool is offered")


class KnownWishes:
    """`Actions` that know some messages by heart; every other one asks for nothing."""

    def __init__(self, wishes: Mapping[str, str | Wish]) -> None:
        self._wishes = wishes

    async def wish(self, text: str, tools: frozenset[str]) -> Wish:
        known = self._wishes.get(text, NONE)
        wish = known if isinstance(known, Wish) else Wish(known, 0.9, clear=True)
        return wish if wish.action in {*tools, "news"} else Wish(NONE, 1.0, clear=True)


class SameRoute:
    """A `Router` of one opinion."""

    def __init__(self, specialist: Specialist = Specialist.SUPPORT, step: Step = Step.GO) -> None:
        self._route = Route(specialist, 0.9, step)

    async def route(self, text: str) -> Route:
        return self._route


class SameTriage:
    """A `Triage` of one judgement."""

    async def classify(self, text: str) -> Triaged:
        judged = (Judged("billing", 0.9, True), Judged("normal", 0.9, True), Judged("neutral", 0.9, True))
        return Triaged(*judged)


def reception(wishes: Mapping[str, str | Wish], router: Any = None) -> Reception:
    return Reception(cast("Router", router or SameRoute()), cast("Actions", KnownWishes(wishes)))


def make_graph(
    hands: Hands,
    wishes: Mapping[str, str | Wish] | None = None,
    *,
    search: FakeSearch | None = None,
    checkpoints: BaseCheckpointSaver[Any] | None = None,
) -> tuple[Graph, Reception]:
    desk = reception(wishes or {})
    graph = build_assistant(
        ScriptedModel(lines=[]),
        search or FakeSearch({"return": [RETURNS]}),
        DeterministicFakeEmbedding(size=8),
        desk,
        cast("Triage", SameTriage()),
        hands,
        checkpoints or InMemorySaver(),
    )
    return graph, desk


def make_assistant(
    hands: Hands,
    wishes: Mapping[str, str | Wish] | None = None,
    *,
    search: FakeSearch | None = None,
    checkpoints: BaseCheckpointSaver[Any] | None = None,
) -> Assistant:
    graph, desk = make_graph(hands, wishes, search=search, checkpoints=checkpoints)
    return Assistant(graph, desk, hands)


class Conversation:
    """One person on one thread of the office's assistant. `events` are those of the last turn."""

    def __init__(self, office: Office, principal: Principal, wishes: Mapping[str, str | Wish]) -> None:
        self.assistant = make_assistant(ToolHands(office.toolbox, office.acting), wishes)
        self.principal = principal
        self.events: list[TurnEvent] = []

    async def says(self, text: str) -> Answer:
        turn = Turn(self.principal, "t1", (Message("user", text),))
        self.events = [event async for event in self.assistant.stream(turn)]
        answer = self.events[-1]
        assert isinstance(answer, Answer)
        return answer
