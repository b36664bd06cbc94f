from __future__ import annotations

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver

from agents.knowledge import DECLINED, Graph, KnowledgeContext
from core.types import Answer, Audience, Scope, TextDelta, Verdict
from tests.fakes.embeddings import FakeEmbeddings
from tests.fakes.knowledge import build_knowledge
from tests.fakes.models import ScriptedModel
from tests.fakes.search import FakeSearch, passage

RETURNS = passage("You have 30 days to return unworn items. Refunds reach your card within 5 working days.")
DELIVERY = passage(
    "Delivery to Germany takes 3 working days. Delivery to Germany costs 6.50 EUR.",
    document="delivery",
    title="Delivery",
)
SCOPE = Scope("acme", (Audience.PUBLIC,))


async def run(graph: Graph, *messages: BaseMessage, thread: str = "t1") -> tuple[str, Answer]:
    """The streamed text, and the answer."""
    text, answer = "", None
    async for piece in graph.astream(
        {"incoming": list(messages)},
        {"configurable": {"thread_id": thread}},
        context=KnowledgeContext(SCOPE, thread),
        stream_mode="custom",
        durability="exit",
    ):
        if isinstance(piece, TextDelta):
            text += piece.text
        else:
            answer = piece
    assert isinstance(answer, Answer)
    return text, answer


def graph_with(*lines: str, answerability: float = 0.9) -> tuple[Graph, FakeSearch, ScriptedModel]:
    search = FakeSearch({"refund": [RETURNS], "return": [RETURNS], "delivery": [DELIVERY]}, answerability)
    model = ScriptedModel(lines=list(lines), heard=[])
    return build_knowledge(model, search, FakeEmbeddings(), InMemorySaver()), search, model


async def test_a_sentence_that_the_passage_holds_is_cited() -> None:
    graph, search, _ = graph_with("You have 30 days to return unworn items.")
    text, answer = await run(graph, HumanMessage("How long do I have to return something?"))
    assert text == answer.text == "You have 30 days to return unworn items. [1]"
    assert answer.engine == "scripted"
    assert [c.verdict for c in answer.citations] == [Verdict.VERBATIM]
    assert search.asked[0][1] is SCOPE


async def test_what_the_model_makes_up_never_leaves() -> None:
    graph, _, _ = graph_with("You have 90 days to return items. Ask Bob.")
    text, answer = await run(graph, HumanMessage("How long do I have to return something?"))
    assert "90" not in text and "Bob" not in text
    assert text.startswith("You have 30 days to return unworn items. [1]")
    assert not answer.declined


async def test_the_model_is_stopped_at_its_first_false_sentence() -> None:
    graph, _, model = graph_with("You have 90 days. " + "And on and on it goes. " * 50)
    _, answer = await run(graph, HumanMessage("How long do I have to return something?"))
    assert model.spoken < 12
    assert answer.usage.completion_tokens == model.spoken


async def test_without_an_engine_the_documents_still_answer() -> None:
    graph, _, _ = graph_with()
    text, answer = await run(graph, HumanMessage("When does the refund reach my card?"))
    assert "within 5 working days" in text
    assert answer.engine == ""


async def test_what_the_documents_do_not_answer_is_declined() -> None:
    graph, _, model = graph_with("It is Paris.", answerability=0.1)
    text, answer = await run(graph, HumanMessage("Is the capital of France a good place for returns?"))
    assert text == answer.text == DECLINED
    assert answer.declined and answer.citations == () and model.heard == []


async def test_a_follow_up_is_searched_with_what_it_leans_on() -> None:
    graph, search, _ = graph_with(
        "Delivery to Germany takes 3 working days.", "nonsense", "Delivery to Germany costs 6.50 EUR."
    )
    await run(graph, HumanMessage("How long does delivery to Germany take?"))
    text, answer = await run(graph, HumanMessage("And how much does it cost?"))
    assert search.asked[1][0] == "How long does delivery to Germany take? And how much does it cost?"
    assert text == "Delivery to Germany costs 6.50 EUR. [1]"
    assert answer.usage.prompt_tokens == 5


async def test_a_faithful_rewriting_is_taken() -> None:
    graph, search, _ = graph_with("x", "How much does delivery to Germany cost?", "x")
    await run(graph, HumanMessage("How long does delivery to Germany take?"))
    await run(graph, HumanMessage("And how much does it cost?"))
    assert search.asked[1][0] == "How much does delivery to Germany cost?"


async def test_a_client_that_resends_the_conversation_adds_only_what_is_new() -> None:
    graph, _, _ = graph_with("x", "x", "x")
    first = HumanMessage("How long do I have to return something?")
    _, answer = await run(graph, first)
    await run(graph, first, AIMessage(answer.text), HumanMessage("When is my refund on the card?"))
    state = await graph.aget_state({"configurable": {"thread_id": "t1"}})
    assert [m.type for m in state.values["messages"]] == ["human", "ai", "human", "ai"]


async def test_passages_and_scopes_do_not_reach_the_checkpoint() -> None:
    graph, _, _ = graph_with("You have 30 days to return unworn items.")
    await run(graph, HumanMessage("How long do I have to return something?"))
    state = await graph.aget_state({"configurable": {"thread_id": "t1"}})
    assert set(state.values) == {"messages", "question"}
