"""Reads `tasks.jsonl`: who comes with what, what people decide meanwhile, and what may have changed in the end.

Texts hold places for facts: `{order.id}` is a column of the row that the task's query `order` gives, `{po}` what the
person picked up from an answer (`capture`). See evals/data/demo/README.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.errors import InvalidInput

DEMO = Path(__file__).parent.parent / "data" / "demo" / "tasks.jsonl"
_PLACE = re.compile(r"\{(\w+(?:\.\w+)?)\}")

Asked = Literal["ticket", "choice", "address", "quantity", "order", "product", "confirm", "about"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Who(_Strict):
    """The person who talks: a role, and the customer that the key acts for. A client without one is a visitor."""

    role: Literal["client", "staff", "admin"]
    customer_id: str | None = None


class Says(_Strict):
    """The person says this, and picks up from the answer: name → a regular expression with one group."""

    say: str
    capture: Mapping[str, str] = Field(default_factory=dict)


class Decides(_Strict):
    """Every call that waits is decided so: by a colleague on the staff, or by the very person who proposed it."""

    decide: Literal["approve", "edit", "reject", "respond"]
    arguments: Mapping[str, str] | None = None
    text: str = ""
    by: Literal["colleague", "oneself"] = "colleague"


Step = Says | Decides
Row = Mapping[str, str | list[str] | None]


class Task(_Strict):
    """One task. `facts` maps a name → a query of `facts.toml`.

    `answers` are what the person says to a question about each thing, once. `changed` maps table → row → column →
    the value afterwards, `+N` for N more, `*` for any; `new` maps table → what the new rows hold. Nothing else may
    change. Each entry of `told` has to be said in the whole conversation (`a|b`: either), none of `not_told`.
    """

    id: str
    who: Who
    facts: Mapping[str, str] = Field(default_factory=dict)
    steps: Annotated[Sequence[Step], Field(min_length=1)]
    answers: Mapping[Asked, str] = Field(default_factory=dict)
    changed: Mapping[str, Mapping[str, Row]]
    new: Mapping[str, Sequence[Row]]
    told: Sequence[str]
    not_told: Sequence[str] = ()

    @model_validator(mode="before")
    @classmethod
    def _spelled_out(cls, row: Any) -> Any:
        """A step that is a bare text says it."""
        if isinstance(row, dict) and isinstance(row.get("steps"), list):
            return {**row, "steps": [{"say": step} if isinstance(step, str) else step for step in row["steps"]]}
        return row

    @property
    def acts(self) -> bool:
        """Whether something is to change."""
        return bool(self.changed or self.new)


def read(path: Path) -> list[Task]:
    """Read the file. Raises `InvalidInput` naming the line that cannot be used."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror}", param="data") from error
    tasks = []
    for number, line in enumerate(lines, start=1):
        try:
            tasks.append(Task.model_validate_json(line))
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            raise InvalidInput(f"{path}, line {number}: {place}: {first['msg']}", param="data") from error
    if not tasks or len({task.id for task in tasks}) < len(tasks):
        raise InvalidInput(f"{path} has no task, or two of one id", param="data")
    return tasks


@dataclass(frozen=True, slots=True)
class Known:
    """What is known by its place: `order.id` → a fact's column, `po` → what was picked up."""

    values: Mapping[str, str]

    def fill(self, text: str) -> str:
        """The text with its facts. Raises `KeyError` for one that is not known."""
        return _PLACE.sub(lambda place: self.values[place[1]], text)

    def fill_known(self, text: str) -> str:
        """The text with those of its facts that are known."""
        return _PLACE.sub(lambda place: self.values.get(place[1], place[0]), text)

    def filled(self, value: Any) -> Any:
        """The JSON value with every text in it, and every name of a field, so filled."""
        match value:
            case str():
                return self.fill_known(value)
            case Mapping():
                return {self.fill_known(name): self.filled(each) for name, each in value.items()}
            case list() | tuple():
                return [self.filled(each) for each in value]
        return value

    def learning(self, learnt: Mapping[str, str]) -> Known:
        """What is known with this as well."""
        return Known({**self.values, **learnt})
