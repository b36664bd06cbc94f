"""Tool calls for models that have none of their own: the choice of a tool as a JSON schema.

A schema has one branch for each tool (its name, then its arguments by its own schema) and one for an answer in
words, unless a tool is required. llama.cpp turns it into a grammar, so that the model can write nothing else; other
engines take it as `response_format`. What the model wrote is turned back into OpenAI's `tool_calls`.

A model whose template ignores `tools` is told of them in the system message, and sees earlier calls and results as
plain text.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from langchain_core.utils.json_schema import dereference_refs
from pydantic_core import from_json

from app.engines.protocol import Json
from app.engines.tool_words import described
from core.errors import EngineRejected, EngineUnavailable

_NO_ARGUMENTS: Json = {"type": "object", "properties": {}}


@dataclass(frozen=True, slots=True)
class ToolGrammar:
    """A request in which tools have become a schema, and the way back.

    `request` has no `tools`; `schemas` maps each tool that may be called to the JSON schema of its arguments.
    """

    request: Json
    schemas: Mapping[str, Json]

    async def read(self, chunks: AsyncIterator[Json]) -> AsyncIterator[Json]:
        """Turn the chunks of the translated request into those of the original one.

        An answer streams as it grows; a tool call comes whole, in one chunk. One that was cut off by the limit of
        tokens is left out, and the finish reason `length` tells. Raises `EngineUnavailable` when the model did not
        keep to the schema, which only an engine without grammars lets happen.
        """
        written, said = "", 0
        async for chunk in chunks:
            if not chunk["choices"]:
                yield chunk
                continue
            choice = chunk["choices"][0]
            delta = {**choice["delta"]}
            piece = delta.pop("content", None) or ""
            written += piece
            if piece:
                answer = _answer_so_far(written)
                delta["content"], said = answer[said:], len(answer)
            finish = choice.get("finish_reason")
            if finish == "stop":
                delta, finish = self._end(written, said, delta)
            if delta or finish:
                yield {**chunk, "choices": [{**choice, "delta": delta, "finish_reason": finish}]}

    def parse(self, written: str) -> tuple[str, Json] | str:
        """The tool's name and its arguments, or the answer in words.

        Raises `EngineUnavailable` when the text does not follow the schema's outline. The arguments' own schema is
        not looked at: a grammar cannot promise all of it, so whoever executes the call checks them.
        """
        try:
            reply = orjson.loads(written)
        except orjson.JSONDecodeError as problem:
            raise EngineUnavailable("the engine did not keep to the schema of the tools: no JSON") from problem
        match reply:
            case {"tool": str(name), "arguments": dict(arguments)} if name in self.schemas:
                return name, arguments
            case {"answer": str(answer)}:
                return answer
            case {"answer": answer}:
                return orjson.dumps(answer).decode()
        raise EngineUnavailable("the engine did not keep to the schema of the tools: neither a tool nor an answer")

    def _end(self, written: str, said: int, delta: Json) -> tuple[Json, str]:
        parsed = self.parse(written)
        if isinstance(parsed, str):
            rest = delta.get("content", "") + parsed[said:]
            return delta | {"content": rest} if rest else delta, "stop"
        name, arguments = parsed
        function = {"name": name, "arguments": orjson.dumps(arguments).decode()}
        call = {"index": 0, "id": "call_" + secrets.token_hex(12), "type": "function", "function": function}
        return delta | {"tool_calls": [call]}, "tool_calls"


def tool_grammar(request: Mapping[str, Any]) -> ToolGrammar | None:
    """Translate a request that offers tools; None when it offers none.

    Raises `EngineRejected` when `tool_choice` names a tool that is not there.
    """
    tools = [tool["function"] for tool in request.get("tools") or ()]
    choice = request.get("tool_choice") or "auto"
    if not tools or choice == "none":
        return None
    if isinstance(choice, dict):
        wanted = choice["function"]["name"]
        tools = [tool for tool in tools if tool["name"] == wanted]
        if not tools:
            raise EngineRejected(f"tool_choice names {wanted!r}, which is not among the tools", param="tool_choice")
    answer = _answer_schema(request.get("response_format")) if choice == "auto" else None
    schemas = {tool["name"]: _arguments_schema(tool) for tool in tools}
    translated = without_tools(request)
    translated["messages"] = _introduced(translated["messages"], tools, schemas, may_answer=answer is not None)
    schema = {"name": "reply", "schema": _reply_schema(schemas, answer)}
    translated["response_format"] = {"type": "json_schema", "json_schema": schema}
    return ToolGrammar(translated, schemas)


def without_tools(request: Mapping[str, Any]) -> Json:
    """The request without its tools, with earlier calls and results as plain text."""
    plain = {field: value for field, value in request.items() if field not in _TOOL_FIELDS}
    return plain | {"messages": _plain(request["messages"])}


_TOOL_FIELDS = frozenset({"tools", "tool_choice", "parallel_tool_calls"})


def _reply_schema(schemas: Mapping[str, Json], answer: Json | None) -> Json:
    branches = [_object(tool={"const": name}, arguments=schema) for name, schema in schemas.items()]
    if answer is not None:
        branches.append(_object(answer=answer))
    return {"oneOf": branches}


def _object(**properties: Json) -> Json:
    return {
        "type": "object",
        "properties": properties,
        "required": [*properties],
        "additionalProperties": False,
    }


def _arguments_schema(tool: Mapping[str, Any]) -> Json:
    """The schema of a tool's arguments, free of references, which would point astray inside another schema."""
    schema = dereference_refs(tool.get("parameters") or _NO_ARGUMENTS)
    return {field: value for field, value in schema.items() if field not in ("$defs", "definitions", "$schema")}


def _answer_schema(response_format: Mapping[str, Any] | None) -> Json:
    match response_format:
        case {"type": "json_schema", "json_schema": {"schema": dict(schema)}}:
            return schema
        case {"type": "json_object"}:
            return {"type": "object"}
    return {"type": "string"}


def _introduced(
    messages: list[Json], tools: Sequence[Mapping[str, Any]], schemas: Mapping[str, Json], *, may_answer: bool
) -> list[Json]:
    """The messages with the tools described in the system message."""
    lines = ["You have these tools:"]
    for tool in tools:
        lines += described(tool["name"], tool.get("description") or "", schemas[tool["name"]])
    lines.append('To use one, reply {"tool": its name, "arguments": its arguments} as JSON.')
    if may_answer:
        lines.append('To answer without a tool, reply {"answer": your answer} as JSON.')
    text = "\n".join(lines)
    if messages and messages[0]["role"] in ("system", "developer"):
        first = messages[0]
        return [{**first, "content": f"{_text(first.get('content'))}\n\n{text}"}, *messages[1:]]
    return [{"role": "system", "content": text}, *messages]


def _plain(messages: Sequence[Mapping[str, Any]]) -> list[Json]:
    names: dict[str, str] = {}
    plain: list[Json] = []
    for message in messages:
        calls = message.get("tool_calls")
        if calls:
            names |= {call["id"]: call["function"]["name"] for call in calls}
            plain.append({"role": "assistant", "content": _called(message, calls)})
        elif message["role"] == "tool":
            name = names.get(message["tool_call_id"], "the tool")
            plain.append({"role": "user", "content": f"Result of {name}:\n{_text(message['content'])}"})
        else:
            plain.append({field: value for field, value in message.items() if field != "tool_calls"})
    return plain


def _called(message: Mapping[str, Any], calls: Sequence[Mapping[str, Any]]) -> str:
    lines = [_text(message.get("content"))] if message.get("content") else []
    for call in calls:
        name = orjson.dumps(call["function"]["name"]).decode()
        lines.append(f'{{"tool": {name}, "arguments": {call["function"]["arguments"]}}}')
    return "\n".join(lines)


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "\n".join(part["text"] for part in content or ())


def _answer_so_far(written: str) -> str:
    """The beginning of the answer in words, out of JSON that is not complete yet."""
    try:
        reply = from_json(written, allow_partial="trailing-strings")
    except ValueError:
        # Not even the beginning of JSON; at the end it is an error, and said so.
        return ""
    answer = reply.get("answer") if isinstance(reply, dict) else None
    return answer if isinstance(answer, str) else ""
