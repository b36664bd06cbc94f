"""Whether an answer can be used at all, and how alike two answers are. Nothing here knows what would be right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import jsonschema_rs
import orjson

from app.engines.protocol import Json


def fault_of(request: Mapping[str, Any], body: Mapping[str, Any]) -> str | None:
    """What is wrong with an answer, or None: it says something, in the form that was asked for."""
    try:
        return _fault(request, body["choices"][0]["message"])
    except (KeyError, IndexError, TypeError, AttributeError):
        return "no chat completion"


def _fault(request: Mapping[str, Any], message: Mapping[str, Any]) -> str | None:
    calls, content = message.get("tool_calls") or (), message.get("content")
    if not calls and not (isinstance(content, str) and content.strip()):
        return "an empty answer"
    for call in calls:
        if (wrong := _wrong_call(request, call)) is not None:
            return wrong
    return None if calls else _wrong_form(request, str(content))


def agreement(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    """How alike two sound answers are, from 0 to 1.

    Tool calls and JSON agree or they do not; of texts, it is the F1 of their words, as SQuAD scores answers.
    """
    first, second = (body["choices"][0]["message"] for body in (one, other))
    if first.get("tool_calls") or second.get("tool_calls"):
        return float(_calls(first) == _calls(second))
    texts = str(first["content"]), str(second["content"])
    parsed = [_json(text) for text in texts]
    if all(isinstance(each, dict | list) for each in parsed):
        return float(parsed[0] == parsed[1])
    words = [Counter(text.lower().split()) for text in texts]
    shared = (words[0] & words[1]).total()
    return 2 * shared / (words[0].total() + words[1].total())


def _wrong_call(request: Mapping[str, Any], call: Json) -> str | None:
    name = call["function"]["name"]
    tools = {each["function"]["name"]: each["function"] for each in request.get("tools") or ()}
    if name not in tools:
        return "a tool that was not offered"
    arguments = _json(call["function"]["arguments"])
    if not isinstance(arguments, dict):
        return "arguments that are no JSON object"
    return None if _fits(tools[name].get("parameters") or {}, arguments) else "arguments that do not fit the tool"


def _wrong_form(request: Mapping[str, Any], content: str) -> str | None:
    form = request.get("response_format") or {}
    if form.get("type") not in ("json_object", "json_schema"):
        return None
    value = _json(content)
    if form["type"] == "json_object":
        return None if isinstance(value, dict) else "no JSON object"
    fits = value is not _NOTHING and _fits(form["json_schema"].get("schema") or {}, value)
    return None if fits else "no JSON of the schema"


def _fits(schema: Json, value: Any) -> bool:
    try:
        return jsonschema_rs.is_valid(schema, value)
    except ValueError:
        return True  # The schema is none, and no answer could fit it.


_NOTHING = object()


def _json(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return _NOTHING


def _calls(message: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [
        (each["function"]["name"], _json(each["function"]["arguments"])) for each in message.get("tool_calls") or ()
    ]
