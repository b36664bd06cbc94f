"""The assistant's graph: questions go to the documents, wishes to a specialist, and what needs people waits for them.

::

    receive ─ head ─┬─ understand ─ retrieve ─┬─ answer ──────────┐
                    │                         └─ decline ─ offer ─┤
                    ├─ choose ─┬─ act ────────────────────────────┼─ end, or wait ⇄ settle while people are to decide
                    │          └──────────────────────────────────┤
                    └─ settle (any news?) · reply · show ─────────┘

A call is chosen in one step and performed in the next, so that a run that is taken up again performs the call that was
chosen and no other; it carries its place in the thread, and the ledger makes it take effect once. `wait` interrupts
with the approval. What a resume brings is not believed: `settle` asks what was decided.

A message on an interrupted thread is a turn like any other; the thread waits on when it is answered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, cast

from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.channels import UntrackedValue
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.config import get_stream_writer
from langgraph.graph import START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.types import interrupt

from agents import attached, observed, shopping, telling
from agents.actions import PROCUREMENT
from agents.composition import Composition, beginning, quoted
from agents.conversation import Asked, Call, Choice, Matter, Pending, Say, learn
from agents.grounding import Evidence
from agents.hands import Done, Hands, Outcome, Waiting
from agents.knowledge import KnowledgeContext, KnowledgeNodes, KnowledgePolicy, KnowledgeState
from agents.procurement import Procurement
from agents.reception import WHICH, Heading, Reception, Way
from agents.relevance import Relevance
from agents.said import Said, confirming
from agents.streamed import StreamedHands
from agents.support import Support
from agents.tools.tool import Caller, Subject
from agents.triage import Triage
from core.errors import Conflict, Forbidden, InvalidInput, NotFound, SystemFault
from core.ports import PassageSearch
from core.types import (
    Answer,
    Citation,
    Hit,
    Principal,
    Role,
    TextDelta,
    Usage,
)

REFUSALS = (NotFound, Conflict, InvalidInput, Forbidden)
_DISMISSED = "All right, I leave it at that."
_SIGN_IN = (
    "An order is for its customer to see, and I cannot tell here who you are. Please sign in and ask me again; I can "
    "answer general questions meanwhile."
)
# How many of a file's passages are looked through for how it begins, and how much of that is said.
_FIRST, _BEGINNING = 3, 200
# With how many of the person's last messages files came that a colleague hears of.
_RECENT = 3
_NO_NEWS = "There is nothing of yours that waits for a decision."


@dataclass(frozen=True, slots=True)
class AssistantContext(KnowledgeContext):
    """Who is talking. `listening` is False where a thread goes on without anybody on the line."""

    principal: Principal
    listening: bool = True


class AssistantState(KnowledgeState, total=False):
    """The graph's channels, besides those of knowledge. `foreseen` saves finding the heading twice."""

    foreseen: Annotated[Heading | None, UntrackedValue]
    heading: Heading
    answers: Asked | None
    offered: str | None
    calls: list[Call]
    matter: Matter
    pending: list[Pending]


Graph = CompiledStateGraph[AssistantState, AssistantContext, AssistantState, AssistantState]


def build_assistant(
    model: BaseChatModel,
    search: PassageSearch,
    embeddings: Embeddings,
    reception: Reception,
    triage: Triage,
    hands: Hands,
    checkpointer: BaseCheckpointSaver[Any] | None,
    policy: KnowledgePolicy | None = None,
) -> Graph:
    """Compile the graph. Run it with `durability="sync"` where a turn may act: see `agents.reception.Way`."""
    knowledge = KnowledgeNodes(model, search, Relevance(embeddings), policy or KnowledgePolicy())
    nodes = _Nodes(reception, triage, hands)
    graph = StateGraph(AssistantState, context_schema=AssistantContext)
    graph.add_node("receive", knowledge.receive)
    graph.add_node("head", nodes.head)
    graph.add_node("understand", knowledge.understand)
    # What knows less of the context serves under one that knows more; the stubs hold the two for different.
    retrieve: Any = knowledge.retrieve
    answer: Any = knowledge.answer
    decline: Any = knowledge.decline
    graph.add_node("retrieve", retrieve)
    graph.add_node("answer", answer)
    graph.add_node("decline", decline)
    graph.add_node("offer", nodes.offer)
    graph.add_node("choose", nodes.choose)
    graph.add_node("reply", nodes.reply)
    graph.add_node("show", nodes.show)
    graph.add_node("act", nodes.act)
    graph.add_node("wait", nodes.wait)
    graph.add_node("settle", nodes.settle)
    graph.add_edge(START, "receive")
    graph.add_edge("receive", "head")
    graph.add_conditional_edges("head", nodes.way)
    graph.add_edge("understand", "retrieve")
    graph.add_conditional_edges("retrieve", knowledge.whether_to_answer)
    graph.add_edge("decline", "offer")
    graph.add_conditional_edges("choose", nodes.whether_to_act)
    for last in ("answer", "offer", "reply", "show", "act", "settle"):
        graph.add_conditional_edges(last, nodes.whether_to_wait)
    graph.add_edge("wait", "settle")
    return graph.compile(checkpointer=checkpointer, name="wayside")


class _Nodes:
    """The steps that are not those of knowledge."""

    def __init__(self, reception: Reception, triage: Triage, hands: Hands) -> None:
        self._reception = reception
        self._hands = StreamedHands(hands)
        self._support = Support(self._hands, triage)
        self._procurement = Procurement(self._hands)
        self._shopping = shopping.Shopping(self._hands)

    async def head(self, state: AssistantState, runtime: Runtime[AssistantContext]) -> AssistantState:
        """Find the turn's way. An open question or offer is taken up now, or never."""
        matter, pending = state.get("matter") or Matter(), state.get("pending") or []
        heading = state.get("foreseen")
        if heading is None:
            tools = self._hands.tools(runtime.context.principal)
            files = attached.files_of(state)
            made_out = observed.joined(observed.of_messages(state["messages"]))
            heading = await self._reception.heading(_asked(state), tools, matter, pending, files, made_out)
        left = cast("Matter", {name: value for name, value in matter.items() if name not in ("asked", "offer")})
        return {
            "heading": heading,
            "matter": left,
            "answers": matter.get("asked"),
            "offered": matter.get("offer"),
            "calls": [],
        }

    def way(self, state: AssistantState) -> Literal["understand", "choose", "settle", "reply", "show"]:
        """Where the turn goes."""
        match Way(state["heading"]["way"]):
            case Way.DOCUMENTS:
                return "understand"
            case Way.TOOL | Way.TICKET | Way.PROPOSE:
                return "choose"
            case Way.NEWS:
                return "settle"
            case Way.DISMISS | Way.WHICH | Way.SIGN_IN:
                return "reply"
            case Way.FILES:
                return "show"

    async def offer(self, state: AssistantState) -> AssistantState:
        """Remember what a ticket was offered about."""
        return {"matter": cast("Matter", {**state["matter"], "offer": state["question"]})}

    async def reply(self, state: AssistantState, runtime: Runtime[AssistantContext]) -> AssistantState:
        """Say what takes no specialist."""
        heading = state["heading"]
        if heading["way"] == Way.WHICH:
            text = f"Do you want me to {WHICH[heading['tool']]}, or to {WHICH[heading['second']]}?"
        else:
            text = _SIGN_IN if heading["way"] == Way.SIGN_IN else _DISMISSED
        return _spoken(runtime, text)

    async def show(self, state: AssistantState, runtime: Runtime[AssistantContext]) -> AssistantState:
        """Quote how each file begins that came without a question, and ask for one."""
        files = attached.files_of(state)
        evidence = [Evidence(Hit(passage, 1.0)) for each in files for passage in each.passages[:_FIRST]]
        composition, texts = Composition(evidence), list[str]()
        for each in files:
            for number, index in beginning(each.id, evidence, _BEGINNING):
                texts.append(composition.add(*quoted(evidence, number, index)))
        asked = f" What would you like to know about {'it' if len(files) == 1 else 'them'}?"
        return _spoken(runtime, "".join(texts) + asked, citations=composition.citations)

    async def choose(self, state: AssistantState, runtime: Runtime[AssistantContext]) -> AssistantState:
        """Let the specialist choose the calls, or find the words."""
        said = self._said(state, runtime)
        heading = state["heading"]
        try:
            choice = await self._choice(heading, said, state.get("offered"))
        except REFUSALS as refusal:
            choice = Say(telling.refusal(refusal))
        except SystemFault:
            choice = Say("I cannot reach our records at the moment. Please try again in a few minutes.")
        if isinstance(choice, Say):
            return {**_spoken(runtime, choice.text), "matter": learn(state["matter"], choice.matter)}
        for each in choice:
            doubt = confirming(said, each.tool, each.arguments, telling.proposal(each.tool, each.arguments))
            if doubt is not None:
                return {**_spoken(runtime, doubt.text), "matter": learn(state["matter"], doubt.matter)}
        step = len(state["messages"])
        calls = [
            Call(step=step, index=index, tool=each.tool, arguments=dict(each.arguments), subject=dict(each.subject))
            for index, each in enumerate(choice)
        ]
        return {"calls": calls}

    def whether_to_act(self, state: AssistantState) -> Literal["act", "wait", "__end__"]:
        """Act where a call was chosen."""
        return "act" if state["calls"] else self.whether_to_wait(state)

    async def act(self, state: AssistantState, runtime: Runtime[AssistantContext]) -> AssistantState:
        """Perform the chosen calls, and tell what came of each."""
        principal = runtime.context.principal
        pending = list(state.get("pending") or [])
        texts, matter, approvals = [], state["matter"], []
        for call in state["calls"]:
            text, learnt, outcome = await self._perform(principal, runtime.context.thread_id, call)
            texts.append(text)
            matter = learn(matter, learnt)
            if isinstance(outcome, Waiting):
                approvals.append(outcome.approval)
                if all(each["approval"] != outcome.approval for each in pending):
                    pending.append(
                        Pending(
                            approval=outcome.approval,
                            thread=runtime.context.thread_id,
                            reason=outcome.reason,
                            call=call,
                            key_id=principal.key_id,
                            role=principal.role.value,
                            customer_id=principal.customer_id,
                        )
                    )
        return {**_spoken(runtime, "\n".join(texts), approvals), "matter": matter, "pending": pending}

    def whether_to_wait(self, state: AssistantState) -> Literal["wait", "__end__"]:
        """Wait while people are to decide."""
        return "wait" if state.get("pending") else "__end__"

    async def wait(self, state: AssistantState) -> AssistantState:
        """Interrupt, naming the first approval that is open."""
        first = state["pending"][0]
        call = first["call"]
        about = {"approval": first["approval"], "tool": call["tool"], "arguments": call["arguments"]}
        interrupt({**about, "reason": first["reason"]})
        return {}

    async def settle(self, state: AssistantState, runtime: Runtime[AssistantContext]) -> AssistantState:
        """Tell what was decided meanwhile, and what is not decided yet."""
        listening = runtime.context.listening
        matter = state.get("matter") or Matter()
        decided, still, open_ = list[str](), list[str](), list[Pending]()
        for each in state.get("pending") or []:
            # A copied thread hears of the very call that the first one made.
            text, learnt, outcome = await self._perform(_proposer(runtime, each), each["thread"], each["call"])
            if isinstance(outcome, Waiting):
                open_.append(each)
                still.append(telling.still(each["call"], outcome))
            else:
                decided.append(text)
                matter = learn(matter, learnt)
        unheard = [*(matter.get("news") or []), *decided]
        texts = [*unheard, *still] if listening else [*decided, *still]
        matter = cast("Matter", {**matter, "news": [] if listening else unheard})
        spoken = _spoken(runtime, "\n".join(texts) or _NO_NEWS, [each["approval"] for each in open_])
        return {**spoken, "matter": matter, "pending": open_}

    async def _choice(self, heading: Heading, said: Said, offered: str | None) -> Choice:
        if heading["way"] == Way.TICKET:
            return await self._support.ticket(said, offered or said.text)
        if heading["way"] == Way.PROPOSE:
            return await self._support.proposed(said)
        if heading["tool"] == shopping.TOOL:
            return await self._shopping.choose(said)
        if heading["tool"] in PROCUREMENT:
            return await self._procurement.choose(heading["tool"], said)
        return await self._support.choose(heading["tool"], said)

    def _said(self, state: AssistantState, runtime: Runtime[AssistantContext]) -> Said:
        heard = [str(message.text) for message in state["messages"] if isinstance(message, HumanMessage)]
        caller = Caller(runtime.context.principal)
        said = Said(caller, heard[-1].strip(), state["matter"], heard, state.get("answers"))
        held = state.get("attachments")
        made_out = observed.of_messages(state["messages"], _RECENT)
        if not held and not made_out:
            return said
        held = held or []
        return replace(
            said,
            observed=made_out,
            files=attached.files_of(state),
            recent=attached.of_messages(state["messages"], held, _RECENT),
            held=[attached.unpack(each) for each in held],
        )

    async def _perform(self, principal: Principal, thread: str, call: Call) -> tuple[str, Matter, Outcome | None]:
        """Perform the call: what to say of it, what to remember, and its outcome; None where it was refused."""
        what = telling.proposed(call)
        try:
            caller = Caller(principal, Subject(**call["subject"]))
            outcome = await self._hands.perform(caller, thread, call)
            if isinstance(outcome, Done):
                text, learnt = await self._effect(caller, call, outcome)
                return text, learnt, outcome
        except REFUSALS as refusal:
            return f"{telling.capital(what)} was not possible. {telling.refusal(refusal)}", Matter(), None
        except SystemFault:
            text = f"I got no clear answer on {what}. I do not try it twice: please ask me again in a while."
            return text, Matter(), None
        return telling.undone(call, outcome), _about(call), outcome

    async def _effect(self, caller: Caller, call: Call, done: Done) -> tuple[str, Matter]:
        learnt = _about(call)
        if call["tool"] == "create_purchase_order":
            learnt["po_id"] = telling.purchase_order_of(done.result).id
        if call["tool"] == "confirm_delivery":
            text = await self._received(caller, done)
        else:
            text = telling.effect(call["tool"], done.result, done.arguments)
        return (f"It was approved with changes. {text}" if done.edited else text), learnt

    async def _received(self, caller: Caller, done: Done) -> str:
        order = telling.purchase_order_of(done.result)
        told = [await self._hands.read(caller, "check_stock", {"sku": line.sku}) for line in order.lines]
        products = [telling.product_of(cast("Mapping[str, Any]", each)["product"]) for each in told]
        return telling.received(order, int(done.arguments["received_quantity"]), products)


def _spoken(
    runtime: Runtime[AssistantContext],
    text: str,
    approvals: Sequence[str] = (),
    citations: Sequence[Citation] = (),
) -> AssistantState:
    """Say it, whole: it is short, and every word of it stands already."""
    write = get_stream_writer()
    write(TextDelta(text))
    write(Answer(runtime.context.thread_id, text, tuple(citations), False, "", Usage(), tuple(approvals)))
    return {"messages": [AIMessage(text)]}


def _about(call: Call) -> Matter:
    """What the call was about, to be pointed at later."""
    known = {name: call["arguments"][name] for name in ("order_id", "po_id", "sku") if name in call["arguments"]}
    return cast("Matter", known)


def _proposer(runtime: Runtime[AssistantContext], pending: Pending) -> Principal:
    tenant = runtime.context.principal.tenant
    return Principal(pending["key_id"], tenant, Role(pending["role"]), pending["customer_id"])


def _asked(state: AssistantState) -> str:
    heard = [str(message.text) for message in state["messages"] if isinstance(message, HumanMessage)]
    return heard[-1].strip()
