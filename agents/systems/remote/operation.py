"""One operation of a remote system: from fields of ours to a request, from its answer to a noun of ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

import httpx2
from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from agents.systems.remote.mapping import expression, fill, read_json
from core.errors import Conflict, InFlight, InvalidInput, KeyReused, NotFound, SystemFault, WaysideError
from core.systems import OperationSettings

Answer_co = TypeVar("Answer_co", covariant=True)
Thing = TypeVar("Thing")

LONGEST_MESSAGE = 300


class Noun(Generic[Thing]):
    """One of our nouns, and the expression that reads one of theirs as it. `name` is the setting's."""

    def __init__(self, name: str, source: str, kind: type[Thing]) -> None:
        self._name = name
        self._shape = expression(source, f"nouns.{name}")
        self._kind = TypeAdapter(kind)

    def one(self, found: Any) -> Thing:
        """Read one of theirs. Raises `SystemFault` when it does not fit."""
        try:
            return self._kind.validate_python(self._shape(found))
        except ValidationError as problem:
            first = problem.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, ("nouns", self._name, *first["loc"])))
            raise SystemFault(f"the system's answer does not fit {where}: {first['msg']}") from problem

    def each(self, found: Any) -> list[Thing]:
        """Read a list of theirs."""
        if not isinstance(found, list):
            raise SystemFault(f"the system's answer is no list for nouns.{self._name}")
        return [self.one(item) for item in found]


class Operation(Generic[Answer_co]):
    """What the settings say about the operation `name`, compiled. `understand` reads what `response` finds."""

    def __init__(
        self, name: str, settings: OperationSettings, understand: Callable[[Any], Answer_co], *, acts: bool = False
    ) -> None:
        self.name = name
        self.acts = acts
        self._settings = settings
        self._understand = understand
        self._query = expression(settings.query, f"{name}.query") if settings.query else None
        self._body = expression(settings.body, f"{name}.body") if settings.body else None
        self._response = expression(settings.response, f"{name}.response")
        self._message = expression(settings.message, f"{name}.message")

    def request(self, base: str, fields: Any, tenant: str, key: str | None) -> dict[str, Any]:
        """Return method, URL, parameters and body. Raises `SystemFault` when the settings do not suit the fields."""
        values: dict[str, Any] = {**to_jsonable_python(fields), "tenant": tenant}
        if key is not None:
            values["key"] = key
        made: dict[str, Any] = {
            "method": self._settings.method or ("POST" if self.acts else "GET"),
            "url": base.rstrip("/") + fill(self._settings.path, values, path=True),
        }
        if self._query is not None:
            found = self._query(values)
            if not isinstance(found, Mapping):
                raise SystemFault(f"{self.name}.query must come to an object")
            made["params"] = {name: value for name, value in found.items() if value is not None}
        if self._body is not None:
            made["json"] = self._body(values)
        return made

    def answer(self, content: bytes) -> Answer_co | None:
        """Read the answer; None where `response` finds nothing. Raises `SystemFault` when it cannot be read."""
        try:
            found = self._response(read_json(content))
        except ValueError as problem:
            raise SystemFault(f"the answer to {self.name} is no JSON") from problem
        return None if found is None else self._understand(found)

    def refusal(self, status: int, content: bytes) -> WaysideError | None:
        """What a refusal with this status means; None where the settings give it no meaning."""
        meanings: tuple[tuple[tuple[int, ...], type[WaysideError]], ...] = (
            (self._settings.not_found, NotFound),
            (self._settings.conflict, Conflict),
            (self._settings.invalid_input, InvalidInput),
            (self._settings.key_reused, KeyReused),
            (self._settings.in_flight, InFlight),
        )
        for statuses, kind in meanings:
            if status in statuses:
                return kind(self._told(status, content))
        return None

    def _told(self, status: int, content: bytes) -> str:
        """The system's own words, as far as they can be read."""
        try:
            found = self._message(read_json(content))
        except (ValueError, SystemFault):
            found = None
        if isinstance(found, str) and found.strip():
            return found.strip()[:LONGEST_MESSAGE]
        return f"{self.name} was refused with status {status} {httpx2.codes.get_reason_phrase(status)}".rstrip()
