from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from pydantic import BaseModel

from app.engines.chat_model import EngineChat
from app.engines.grammar_tools import GrammarEngine, GrammarTools
from core.errors import EngineUnavailable
from tests.fakes.engines import ScriptedEngine


@tool
def lookup_order(order_id: str, days: int = 7) -> str:
    """Look an order up."""
    return f"{order_id} {days}"


class City(BaseModel):
    """A city."""

    name: str


async def added_up(stream: Any) -> Any:
    total = None
    async for piece in stream:
        total = piece if total is None else total + piece
    return total


async def test_a_message_tells_its_engine_and_usage() -> None:
    engine = ScriptedEngine("Hello", " there")
    message = await EngineChat(engine, temperature=0).ainvoke("Hi", stop=["x"])
    assert message.content == "Hello there"
    assert message.response_metadata["engine"] == "scripted"
    assert message.response_metadata["model"] == "scripted-model"
    assert message.usage_metadata == {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7}
    messages = [{"role": "user", "content": "Hi"}]
    assert engine.requests == [{"messages": messages, "temperature": 0, "stop": ["x"]}]


async def test_a_streamed_message_adds_up_to_the_same() -> None:
    message = await added_up(EngineChat(ScriptedEngine("Hello", " there")).astream("Hi"))
    assert message.content == "Hello there"
    assert message.response_metadata["engine"] == "scripted"
    assert message.usage_metadata == {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7}


async def test_leaving_a_stream_closes_it() -> None:
    engine = ScriptedEngine("a", "b", "c")
    stream: Any = EngineChat(engine).astream("Hi")
    await anext(stream)
    await stream.aclose()
    assert engine.closed == 1


async def test_tool_messages_reach_the_engine_in_its_own_words() -> None:
    engine = ScriptedEngine("fine")
    call = AIMessage("", tool_calls=[{"name": "lookup_order", "args": {"order_id": "7"}, "id": "c1"}])
    await EngineChat(engine).ainvoke([HumanMessage("Where?"), call, ToolMessage("shipped", tool_call_id="c1")])
    sent = engine.requests[0]["messages"]
    assert sent[1]["tool_calls"][0]["function"]["name"] == "lookup_order"
    assert sent[2] == {"role": "tool", "content": "shipped", "tool_call_id": "c1"}


def test_the_synchronous_side_says_that_it_is_missing() -> None:
    with pytest.raises(NotImplementedError, match="ainvoke"):
        EngineChat(ScriptedEngine("x")).invoke("Hi")


async def test_structured_output_goes_by_response_format() -> None:
    engine = ScriptedEngine('{"name": "Oslo"}')
    assert await EngineChat(engine).with_structured_output(City).ainvoke("A city?") == City(name="Oslo")
    sent = engine.requests[0]["response_format"]
    assert (sent["type"], sent["json_schema"]["name"]) == ("json_schema", "City")


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        (None, None),
        ("any", "required"),
        ("auto", "auto"),
        ("lookup_order", {"type": "function", "function": {"name": "lookup_order"}}),
    ],
)
async def test_tools_are_bound_as_openai_writes_them(choice: str | None, sent: object) -> None:
    engine = ScriptedEngine("x")
    await EngineChat(engine).bind_tools([lookup_order], tool_choice=choice).ainvoke("Hi")
    assert engine.requests[0]["tools"][0]["function"]["name"] == "lookup_order"
    assert engine.requests[0].get("tool_choice") == sent


CALL = '{"tool": "lookup_order", "arguments": {"order_id": "ORD-1"}}'


@pytest.mark.parametrize("streamed", [False, True])
async def test_grammar_tools_turn_a_choice_into_a_tool_call(streamed: bool) -> None:
    engine = ScriptedEngine(CALL)
    bound = GrammarTools(model=EngineChat(engine)).bind_tools([lookup_order], tool_choice="any")
    message = await (added_up(bound.astream("Where?")) if streamed else bound.ainvoke("Where?"))
    assert [(call["name"], call["args"]) for call in message.tool_calls] == [("lookup_order", {"order_id": "ORD-1"})]
    assert message.response_metadata["engine"] == "scripted"
    assert message.usage_metadata == {"input_tokens": 5, "output_tokens": 1, "total_tokens": 6}
    assert "tools" not in engine.requests[0]
    assert engine.requests[0]["response_format"]["type"] == "json_schema"


async def test_grammar_tools_let_an_answer_through() -> None:
    bound = GrammarTools(model=EngineChat(ScriptedEngine('{"answer": "On its way."}'))).bind_tools([lookup_order])
    message = await bound.ainvoke("Where?")
    assert (message.content, message.tool_calls) == ("On its way.", [])


async def test_arguments_that_do_not_fit_come_back_as_invalid() -> None:
    wrong = '{"tool": "lookup_order", "arguments": {"order_id": "ORD-1", "days": "many"}}'
    bound = GrammarTools(model=EngineChat(ScriptedEngine(wrong))).bind_tools([lookup_order])
    message = await bound.ainvoke("Where?")
    assert message.tool_calls == []
    assert message.invalid_tool_calls[0]["name"] == "lookup_order"
    assert "days" in (message.invalid_tool_calls[0]["error"] or "")


async def test_without_tools_grammar_tools_are_not_there() -> None:
    engine = ScriptedEngine("Hello", " there")
    model = GrammarTools(model=EngineChat(engine))
    assert (await model.ainvoke("Hi")).content == "Hello there"
    pieces = [piece.content async for piece in model.astream("Hi")]
    assert [piece for piece in pieces if piece] == ["Hello", " there"]


async def test_a_model_that_does_not_keep_to_the_schema_has_failed() -> None:
    with pytest.raises(EngineUnavailable):
        await GrammarTools(model=EngineChat(ScriptedEngine("hm"))).bind_tools([lookup_order]).ainvoke("Where?")


async def test_a_grammar_engine_serves_raw_requests_with_tools() -> None:
    tools = [{"type": "function", "function": {"name": "lookup_order"}}]
    engine = ScriptedEngine('{"tool": "lookup_order", ', '"arguments": {}}')
    done = await GrammarEngine(engine).complete({"messages": [{"role": "user", "content": "Where?"}], "tools": tools})
    choice = done.body["choices"][0]
    assert choice["message"]["tool_calls"][0]["function"] == {"name": "lookup_order", "arguments": "{}"}
    assert (done.engine, choice["finish_reason"], engine.closed) == ("scripted", "tool_calls", 1)
