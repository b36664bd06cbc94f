"""Training rows: a conversation, and the answer to be learned. As files: JSONL in the shape of OpenAI's fine-tuning.

::

    {"messages": [{"role": "system", "content": "…"}, {"role": "user", "content": "…"},
                  {"role": "assistant", "content": "what is learned"}], "task": "tools"}
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from core.errors import InvalidInput

ROLES = frozenset({"system", "user", "assistant"})


@dataclass(frozen=True, slots=True)
class Said:
    """One message of a conversation: `system`, `user` or `assistant`."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Row:
    """After `messages`, `answer` is what the model shall say; only the answer is learned.

    `task` is a word for reports, such as `tools`.
    """

    messages: tuple[Said, ...]
    answer: str
    task: str = "chat"

    @property
    def prompt(self) -> str:
        """The conversation as one text, which tells whether two rows ask the same."""
        return "\n".join(f"{said.role}: {said.content}" for said in self.messages)

    def as_json(self) -> dict[str, Any]:
        """The row as a line of a file."""
        said = [{"role": each.role, "content": each.content} for each in self.messages]
        return {"messages": [*said, {"role": "assistant", "content": self.answer}], "task": self.task}


def read_rows(path: Path) -> Iterator[Row]:
    """Read a JSONL file. Raises `InvalidInput` that names the line for whatever is no row."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror}", param="data") from error
    for number, line in enumerate(lines, start=1):
        try:
            yield _row(orjson.loads(line))
        except (orjson.JSONDecodeError, InvalidInput) as error:
            raise InvalidInput(f"{path}, line {number}: {error}", param="data") from error


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """Write rows as `read_rows` reads them."""
    with path.open("wb") as file:
        file.writelines(orjson.dumps(row.as_json(), option=orjson.OPT_APPEND_NEWLINE) for row in rows)


def data_hash(rows: Sequence[Row]) -> str:
    """SHA-256 over the rows in their order: what a model's lineage says of its data."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(orjson.dumps(row.as_json(), option=orjson.OPT_APPEND_NEWLINE))
    return digest.hexdigest()


def _row(line: Any) -> Row:
    if not isinstance(line, Mapping) or not isinstance(messages := line.get("messages"), list):
        raise InvalidInput("a row is an object with a list `messages`")
    said = []
    for message in messages:
        match message:
            case {"role": str(role), "content": str(content)} if role in ROLES:
                said.append(Said(role, content))
            case _:
                raise InvalidInput(f"no message with a role ({', '.join(sorted(ROLES))}) and text: {message!r}")
    if len(said) < 2 or said[-1].role != "assistant":
        raise InvalidInput("the last message has to be the assistant's, after at least one other")
    return Row(tuple(said[:-1]), said[-1].content, str(line.get("task", "chat")))
