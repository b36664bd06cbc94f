"""The whole assistant on the fake office: wishes are known by their words, documents by theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from agents.actions import NONE, Actions, Wish
from agents.consulting import Consulting
from agents.conversation import Call
from agents.decisions import Approval
from agents.graph import AssistantContext, Graph, build_assistant
from agents.hands import Hands, Outcome, ToolHands
from agents.reception import Reception
from agents.router import Observation, Route, Router, Specialist, Step
from agents.suggesting import Suggesting
from agents.tools.tool import Caller
from agents.triage import Duplicate, Filed, Judged, Triage, Triaged
from app.assistant import Assistant
from app.runs.owner import Owner
from app.systems import Systems
from core.canonical import JSON
from core.media import NOTHING, Observed
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
    """A `Router` of one opinion, or of two: `shown` is the one that it has when there is evidence besides the words."""

    def __init__(
        self, specialist: Specialist = Specialist.SUPPORT, step: Step = Step.GO, shown: Route | None = None
    ) -> None:
        self._route = Route(specialist, 0.9, step)
        self._shown = shown or self._route

    async def route(self, text: str, observations: Sequence[Observation] = ()) -> Route:
        return self._shown if observations else self._route


class SameTriage:
    """A `Triage` of one judgement, to which tickets in the same words are alike."""

    def __init__(self, category: str = "billing", priority: str = "normal", sentiment: str = "neutral") -> None:
        self.triaged = Triaged(*(Judged(value, 0.9, True) for value in (category, priority, sentiment)))

    async def classify(self, text: str, observed: Observed = NOTHING) -> Triaged:
        return self.triaged

    async def duplicates(
        self, text: str, filed: Sequence[Filed], *, customer_id: str | None = None, limit: int = 3
    ) -> list[Duplicate]:
        return [
            Duplicate(each.ticket_id, 1.0, customer_id is not None and each.customer_id == customer_id)
            for each in filed
            if each.text == text
        ][:limit]


class KnownNames:
    """Knows some customers by name."""

    def __init__(self, **names: str) -> None:
        self._names = names

    async def name(self, tenant: str, customer_id: str) -> str | None:
        return self._names.get(customer_id.replace("-", "_"))


def reception(wishes: Mapping[str, str | Wish], router: Any = None) -> Reception:
    return Reception(cast("Router", router or SameRoute()), cast("Actions", KnownWishes(wishes)))


def make_graph(
    hands: Hands,
    wishes: Mapping[str, str | Wish] | None = None,
    *,
    search: FakeSearch | None = None,
    checkpoints: BaseCheckpointSaver[Any] | None = None,
    lines: Sequence[str] = (),
) -> tuple[Graph, Reception]:
    desk = reception(wishes or {})
    graph = build_assistant(
        ScriptedModel(lines=list(lines)),
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


def make_suggesting(
    systems: Systems,
    hands: Hands,
    wishes: Mapping[str, str | Wish] | None = None,
    *,
    triage: SameTriage | None = None,
    search: FakeSearch | None = None,
) -> Suggesting:
    """Suggestions whose judgements and wishes are known by heart; the first customer is Ann Nolan."""
    search = search or FakeSearch({"return": [RETURNS]})
    return Suggesting(
        systems.help_desk,
        KnownNames(CUS_00001="Ann Nolan"),
        cast("Triage", triage or SameTriage()),
        reception(wishes or {}),
        hands,
        Consulting(ScriptedModel(lines=[]), search, DeterministicFakeEmbedding(size=8)),
    )


class Conversation:
    """One person on one thread of the office's assistant. `events` are those of the last turn."""

    def __init__(self, office: Office, principal: Principal, wishes: Mapping[str, str | Wish]) -> None:
        hands = ToolHands(office.toolbox, office.acting)
        self._graph, desk = make_graph(hands, wishes)
        self.assistant = Assistant(self._graph, desk, hands)
        self.principal = principal
        self.events: list[TurnEvent] = []

    async def says(self, text: str) -> Answer:
        turn = Turn(self.principal, "t1", (Message("user", text),))
        self.events = [event async for event in self.assistant.stream(turn)]
        answer = self.events[-1]
        assert isinstance(answer, Answer)
        return answer

    async def hears(self, approval: Approval) -> Answer:
        """What the thread says when it goes on after a decision, with nobody on the line."""
        owner = Owner(approval.tenant, approval.owner)
        config: RunnableConfig = {"configurable": {"thread_id": owner.checkpoint_key(approval.thread)}}
        context = AssistantContext(self.principal.scope, approval.thread, self.principal, listening=False)
        resuming: Any = Command(resume={"approval": approval.id})
        told = [piece async for piece in self._graph.astream(resuming, config, context=context, stream_mode="custom")]
        answer = told[-1]
        assert isinstance(answer, Answer)
        return answer
