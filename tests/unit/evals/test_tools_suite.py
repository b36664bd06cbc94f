"""What the suite makes of an engine's replies; the engines themselves are in the contract tests."""

from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage

from app.engines.chat_model import EngineChat
from app.engines.grammar_tools import GrammarEngine
from core.errors import EngineUnavailable, InvalidInput
from evals.bfcl.questions import Expected, Json, Question
from evals.suite import Options
from evals.suites import find, tools
from tests.fakes.engines import ScriptedEngine


def function(name: str) -> Json:
    parameters = {"type": "dict", "properties": {"sku": {"type": "string"}}, "required": ["sku"]}
    return {"name": name, "description": "", "parameters": parameters}


ASKED = ({"role": "user", "content": "How many of SKU-1?"},)
OFFERED = (function("stock.check"), function("orders.list"))
CASE = Question("a", ASKED, OFFERED, Expected("stock.check", {"sku": ["SKU-1"]}))
NONE = Question("b", ASKED, OFFERED, None)


def written(name: str, **arguments: Any) -> str:
    return str({"tool": name, "arguments": arguments}).replace("'", '"')


async def reply(case: Question, said: str, *, finish: str = "stop") -> tools.Reply:
    engine = GrammarEngine(ScriptedEngine(said, finish=finish))
    return await tools.ask(EngineChat(engine, max_tokens=9), "scripted", case)


async def scored(case: Question, said: str, *, finish: str = "stop") -> dict[str, float | None]:
    out = await reply(case, said, finish=finish)
    return {scorer.name: scorer.score(case, out) for scorer in tools.SCORERS if scorer.name != "seconds"}


def figures(full: float | None, name: float | None, none: float | None, invalid: float | None) -> dict[str, Any]:
    return {"full_call_accuracy": full, "name_accuracy": name, "irrelevance_accuracy": none, "invalid_calls": invalid}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (written("stock_check", sku="sku-1"), figures(1, 1, None, 0)),
        (written("stock_check", sku="SKU-2"), figures(0, 1, None, 0)),
        (written("stock_check", sku=1), figures(0, 1, None, 1)),
        (written("orders_list", sku="SKU-1"), figures(0, 0, None, 0)),
        ('{"answer": "Plenty."}', figures(0, 0, None, None)),
    ],
)
async def test_a_call_is_judged_by_name_arguments_and_schema(said: str, expected: dict[str, Any]) -> None:
    assert await scored(CASE, said) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ('{"answer": "I cannot."}', figures(None, None, 1, None)),
        (written("stock_check", sku="SKU-1"), figures(None, None, 0, 0)),
    ],
)
async def test_nothing_may_be_called_where_nothing_fits(said: str, expected: dict[str, Any]) -> None:
    assert await scored(NONE, said) == expected


async def test_half_a_call_is_an_invalid_one_and_a_long_answer_is_none() -> None:
    half = '{"tool": "stock_check", "argum'
    assert await scored(CASE, half, finish="length") == figures(0, 0, None, 1)
    assert await scored(NONE, half, finish="length") == figures(None, None, 0, 1)
    assert await scored(NONE, '{"answer": "I am afraid', finish="length") == figures(None, None, 1, None)


async def test_the_engine_is_told_of_json_schemas_and_asked_as_the_question_says() -> None:
    engine = ScriptedEngine('{"answer": "x"}')
    await tools.ask(EngineChat(engine, temperature=0), "scripted", CASE)
    (request,) = engine.requests
    assert [each["function"]["name"] for each in request["tools"]] == ["stock_check", "orders_list"]
    assert request["tools"][0]["function"]["parameters"]["type"] == "object"
    assert [(each["role"], each["content"]) for each in request["messages"]] == [("user", "How many of SKU-1?")]


class Prepared(EngineChat):
    """Gives a message as an engine with tool calls of its own might."""

    message: Any = None

    async def ainvoke(self, *args: Any, **kwargs: Any) -> AIMessage:
        message: AIMessage = self.message
        return message

    def bind_tools(self, *args: Any, **kwargs: Any) -> Any:
        return self


def prepared(**fields: Any) -> BaseChatModel:
    chat = Prepared(engine=ScriptedEngine("x"))
    chat.message = AIMessage("", response_metadata={"engine": "scripted"}, **fields)
    return chat


async def test_the_protocols_own_calls_may_be_several_unknown_or_unreadable() -> None:
    right = {"name": "stock_check", "args": {"sku": "SKU-1"}, "id": "1"}
    several = await tools.ask(prepared(tool_calls=[right, right]), "scripted", CASE)
    assert tools.verdict(CASE, several) == "makes several calls"
    unknown = await tools.ask(prepared(tool_calls=[{**right, "name": "made_up"}]), "scripted", CASE)
    assert tools.verdict(CASE, unknown) == "the call of made_up is invalid: no such function was offered"
    broken = {"name": "stock_check", "args": "{sku", "id": "1", "error": None, "type": "invalid_tool_call"}
    unreadable = await tools.ask(prepared(invalid_tool_calls=[broken]), "scripted", CASE)
    assert [scorer.score(CASE, unreadable) for scorer in tools.SCORERS[:4]] == [0, 1, None, 1]


async def test_an_engine_that_stood_in_is_not_measured_for_another() -> None:
    with pytest.raises(EngineUnavailable, match="primary did not answer: scripted did"):
        await tools.ask(EngineChat(ScriptedEngine('{"answer": "x"}')), "primary", CASE)


async def test_two_functions_of_one_name_are_refused() -> None:
    twice = Question("c", ASKED, (function("a.b"), function("a_b")), None)
    with pytest.raises(InvalidInput, match="two functions of one name"):
        await reply(twice, '{"answer": "x"}')


async def test_refuses_foreign_questions() -> None:
    with pytest.raises(InvalidInput, match="foreign"):
        async with find("tools")(Options(foreign=(Path("x"),))):
            pass
