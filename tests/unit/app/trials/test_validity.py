from typing import Any

import pytest

from app.trials.validity import agreement, fault_of

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = {"tools": [{"type": "function", "function": {"name": "locate", "parameters": SCHEMA}}]}
FORM = {"response_format": {"type": "json_schema", "json_schema": {"name": "place", "schema": SCHEMA}}}


def said(content: Any) -> dict[str, Any]:
    return {"choices": [{"message": {"role": "assistant", "content": content}}]}


def called(name: str, arguments: str) -> dict[str, Any]:
    call = {"id": "c", "type": "function", "function": {"name": name, "arguments": arguments}}
    return {"choices": [{"message": {"role": "assistant", "content": None, "tool_calls": [call]}}]}


@pytest.mark.parametrize(
    ("request_", "body", "fault"),
    [
        ({}, said("hello"), None),
        ({}, said("  "), "an empty answer"),
        ({}, said(None), "an empty answer"),
        ({}, {}, "no chat completion"),
        ({}, {"choices": []}, "no chat completion"),
        (TOOLS, called("locate", '{"city": "Bergen"}'), None),
        (TOOLS, called("locate", '{"city": 5}'), "arguments that do not fit the tool"),
        (TOOLS, called("locate", '{"city": "Ber'), "arguments that are no JSON object"),
        (TOOLS, called("escape", "{}"), "a tool that was not offered"),
        (FORM, said('{"city": "Bergen"}'), None),
        (FORM, said('{"town": "Bergen"}'), "no JSON of the schema"),
        (FORM, said("Bergen"), "no JSON of the schema"),
        ({"response_format": {"type": "json_object"}}, said("{}"), None),
        ({"response_format": {"type": "json_object"}}, said("[1]"), "no JSON object"),
        ({"response_format": {"type": "json_schema", "json_schema": {"schema": {"type": 5}}}}, said("1"), None),
    ],
)
def test_an_answer_says_something_in_the_form_that_was_asked_for(
    request_: dict[str, Any], body: dict[str, Any], fault: str | None
) -> None:
    assert fault_of(request_, body) == fault


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        (said("a tent and a stove"), said("A stove and a tent"), 1.0),
        (said("a b"), said("a c"), 0.5),
        (said("a"), said("b"), 0.0),
        (said('{"city": "Bergen"}'), said('{ "city":"Bergen" }'), 1.0),
        (said('{"city": "Bergen"}'), said('{"city": "Oslo"}'), 0.0),
        (called("locate", '{"city": "Bergen"}'), called("locate", '{"city":"Bergen"}'), 1.0),
        (called("locate", "{}"), said("in Bergen"), 0.0),
    ],
)
def test_agreement(one: dict[str, Any], other: dict[str, Any], alike: float) -> None:
    assert agreement(one, other) == agreement(other, one) == alike
