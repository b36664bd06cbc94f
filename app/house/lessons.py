"""The generators' rows in the words that the gateway itself uses, so that what is learned is what will be asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from hashlib import sha256
from itertools import islice
from typing import Any

import orjson
from langchain_core.messages import convert_to_openai_messages

from agents import reading
from app.engines.tool_grammar import tool_grammar
from app.house.reading.reading import ReadingRow
from app.house.reading.reading import rows as reading_rows
from app.house.tools.tools import ToolRow
from app.house.tools.tools import rows as tool_rows
from finetune.rows import Row, Said

# A seed and a number of rows, of which repetitions are left out; equal ones give equal rows.
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


def reading_lesson(row: ReadingRow) -> Row:
    """A question about passages, as `agents.reading` puts it."""
    messages = convert_to_openai_messages(reading.prompt(row.passages, row.question))
    said = tuple(Said(each["role"], each["content"]) for each in messages)
    within = next((i for i, text in enumerate(row.passages, start=1) if row.answer and row.answer in text), 1)
    return Row(said, reading.reply(row.answer, within), "reading")


def _tools(seed: int, count: int, *, held_out: bool) -> Iterator[Row]:
    return _distinct(map(tool_lesson, tool_rows(seed, count, held_out=held_out)))


def _reading(seed: int, count: int, *, held_out: bool) -> Iterator[Row]:
    """One question in eight is held out, by its hash: two seeds may make the same one."""
    made = _distinct(map(reading_lesson, reading_rows(seed, count * 16)))
    wanted = (row for row in made if (sha256(row.prompt.encode()).digest()[0] % 8 == 0) == held_out)
    return islice(wanted, count)


def _distinct(rows: Iterator[Row]) -> Iterator[Row]:
    asked: set[str] = set()
    for row in rows:
        if row.prompt not in asked:
            asked.add(row.prompt)
            yield row


LESSONS: dict[str, Lesson] = {
    "tools": partial(_tools, held_out=False),
    "tools-held-out": partial(_tools, held_out=True),
    "reading": partial(_reading, held_out=False),
    "reading-held-out": partial(_reading, held_out=True),
}
