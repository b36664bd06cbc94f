import json
from typing import Any

import jsonschema_rs
import pytest

from app.engines.chunks import add_up
from app.engines.protocol import Json
from app.engines.tool_grammar import ToolGrammar, tool_grammar, without_tools
from core.errors import EngineRejected, EngineUnavailable
from tests.fakes.engines import ScriptedEngine

WEATHER: Json = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Tells the weather.",
        "parameters": {
            "type": "object",
            "properties": {"place": {"$ref": "#/$defs/Place"}},
            "required": ["place"],
            "$defs": {"Place": {"type": "string"}},
        },
    },
}
CLOCK: Json = {"type": "function", "function": {"name": "clock"}}
USER: Json = {"role": "user", "content": "Will it rain in Oslo?"}


def grammar_of(**request: Any) -> ToolGrammar:
    grammar = tool_grammar({"messages": [USER], "tools": [WEATHER, CLOCK], **request})
    assert grammar is not None
    return grammar


def accepts(grammar: ToolGrammar, reply: object) -> bool:
    return jsonschema_rs.is_valid(grammar.request["response_format"]["json_schema"]["schema"], reply)


async def read(grammar: ToolGrammar, *pieces: str, finish: str = "stop") -> list[Json]:
    stream = await ScriptedEngine(*pieces, finish=finish).stream(grammar.request)
    return [chunk async for chunk in grammar.read(stream.chunks)]


def text_of(chunks: list[Json]) -> str:
    return "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks if chunk["choices"])


def test_the_schema_takes_each_tool_by_its_own_arguments_or_an_answer() -> None:
    grammar = grammar_of()
    assert accepts(grammar, {"tool": "weather", "arguments": {"place": "Oslo"}})
    assert accepts(grammar, {"tool": "clock", "arguments": {}})
    assert accepts(grammar, {"answer": "Yes."})
    assert not accepts(grammar, {"tool": "weather", "arguments": {"place": 3}})
    assert not accepts(grammar, {"tool": "other", "arguments": {}})
    assert not accepts(grammar, {"answer": "Yes.", "tool": "clock"})


def test_required_leaves_no_answer() -> None:
    assert not accepts(grammar_of(tool_choice="required"), {"answer": "Yes."})


def test_a_named_tool_leaves_no_other() -> None:
    grammar = grammar_of(tool_choice={"type": "function", "function": {"name": "clock"}})
    assert accepts(grammar, {"tool": "clock", "arguments": {}})
    assert not accepts(grammar, {"tool": "weather", "arguments": {"place": "Oslo"}})


def test_a_tool_that_is_not_there_is_rejected() -> None:
    with pytest.raises(EngineRejected, match="nothere"):
        grammar_of(tool_choice={"type": "function", "function": {"name": "nothere"}})


@pytest.mark.parametrize("request_", [{}, {"tools": []}, {"tools": [CLOCK], "tool_choice": "none"}])
def test_without_tools_there_is_no_grammar(request_: Json) -> None:
    assert tool_grammar({"messages": [USER], **request_}) is None


def test_an_answer_follows_the_response_format() -> None:
    schema = {"type": "object", "properties": {"rain": {"type": "boolean"}}, "required": ["rain"]}
    grammar = grammar_of(response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": schema}})
    assert accepts(grammar, {"answer": {"rain": True}})
    assert not accepts(grammar, {"answer": "Yes."})
    assert grammar.parse('{"answer": {"rain": true}}') == '{"rain":true}'


def test_the_model_is_told_of_the_tools_after_the_system_message() -> None:
    messages = grammar_of(messages=[{"role": "system", "content": "Be kind."}, USER]).request["messages"]
    assert [message["role"] for message in messages] == ["system", "user"]
    assert messages[0]["content"].startswith("Be kind.\n")
    assert "weather: Tells the weather." in messages[0]["content"]


def test_earlier_calls_and_results_become_text() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "clock", "arguments": "{}"}}
    history = [
        USER,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "noon"},
    ]
    plain = without_tools({"messages": history, "tools": [CLOCK], "parallel_tool_calls": False})
    assert plain == {
        "messages": [
            USER,
            {"role": "assistant", "content": '{"tool": "clock", "arguments": {}}'},
            {"role": "user", "content": "Result of clock:\nnoon"},
        ]
    }


async def test_a_tool_call_comes_whole() -> None:
    chunks = await read(grammar_of(), '{"tool": "wea', 'ther", "arguments": {"place"', ': "Oslo"}}')
    assert text_of(chunks) == ""

    async def again() -> Any:
        for chunk in chunks:
            yield chunk

    choice = (await add_up(again()))["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    function = choice["message"]["tool_calls"][0]["function"]
    assert (function["name"], json.loads(function["arguments"])) == ("weather", {"place": "Oslo"})


async def test_an_answer_streams_as_it_grows() -> None:
    said = 'Rain, "heavily".\nTake a coat. \U0001f9e5'
    written = json.dumps({"answer": said})
    chunks = await read(grammar_of(), *written)
    assert text_of(chunks) == said
    assert sum(1 for chunk in chunks if chunk["choices"] and chunk["choices"][0]["delta"].get("content")) > 10
    assert chunks[-2]["choices"][0]["finish_reason"] == "stop"
    assert chunks[-1]["usage"]["prompt_tokens"] == 5


async def test_a_call_that_was_cut_off_is_left_out() -> None:
    chunks = await read(grammar_of(), '{"tool": "weather", "argum', finish="length")
    assert chunks[-2]["choices"][0]["finish_reason"] == "length"
    assert not any("tool_calls" in chunk["choices"][0]["delta"] for chunk in chunks if chunk["choices"])


@pytest.mark.parametrize("written", ["It will rain.", '{"tool": "other", "arguments": {}}', "[]"])
async def test_an_engine_that_does_not_keep_to_the_schema_has_failed(written: str) -> None:
    with pytest.raises(EngineUnavailable, match="schema"):
        await read(grammar_of(), written)
