"""The generators' rows in the words that the gateway itself uses, so that what is learned is what will be asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import orjson

from app.engines.tool_grammar import tool_grammar
from app.house.tools.tools import ToolRow
from app.house.tools.tools import rows as tool_rows
from finetune.rows import Row, Said

# A seed and a number of rows; equal ones give equal rows.
Lesson = Callable[[int, int], Iterator[Row]]


def tool_lesson(row: ToolRow) -> Row:
    """The choice of a tool, as the embedded engine puts it: tools in the system message, JSON in the reply."""
    tools = [{"type": "function", "function": tool} for tool in row.tools]
    grammar = tool_grammar({"messages": [{"role": "user", "content": row.question}], "tools": tools})
    if grammar is None:
        raise ValueError(f"a row that offers no tool: {row.question}")
    said = tuple(Said(each["role"], each["content"]) for each in grammar.request["messages"])
    reply: dict[str, Any]
    if row.call is None:
        reply = {"answer": row.reply}
    else:
        name, arguments = row.call
        reply = {"tool": name, "arguments": arguments}
    return Row(said, orjson.dumps(reply).decode(), "tools")


def _tools(seed: int, count: int, *, held_out: bool) -> Iterator[Row]:
    return map(tool_lesson, tool_rows(seed, count, held_out=held_out))


LESSONS: dict[str, Lesson] = {
    "tools": partial(_tools, held_out=False),
    "tools-held-out": partial(_tools, held_out=True),
}
