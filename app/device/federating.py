"""A device's part in a federation: it reads the terms, trains on its own rows when it is drawn, and sends the update.

The rows never leave the process. What leaves is bounded by the server's clip and drowned in its noise, for which the
device has the server's word: the promise is that of central differential privacy.
"""

from __future__ import annotations

import csv
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
from pydantic import BaseModel, FiniteFloat, ValidationError

from app.device.calling import Gateway
from core.errors import ApiError, GatewayUnreachable, InvalidInput
from tabular.federated.local import improve
from tabular.federated.plan import Plan
from tabular.federated.task import Floats, Task

Shape = TypeVar("Shape", bound=BaseModel)
Told = TypeVar("Told")
_PATIENCE = 30.0
_FIRST_PAUSE = 0.5
# What a device is told when it came too late, or twice: it goes on with what it is asked next.
_PASSED = frozenset({"round_over", "not_drawn", "already_answered"})


class Terms(BaseModel):
    """What a device has to know of a federation; the gateway tells more."""

    about: str
    task: Task
    plan: Plan


class Order(BaseModel):
    """What is asked of a device: see `GET /api/federated/{name}/work`."""

    asked: str
    round: int | None
    weights: list[FiniteFloat] | None
    wait_seconds: float | None


class Federating(Protocol):
    """The gateway, as a device that takes part needs it. All raise `GatewayUnreachable` and `ApiError`."""

    def terms(self, name: str) -> Terms:
        """What is learned, and what it may cost."""

    def enrol(self, name: str) -> None:
        """Say that the person has agreed."""

    def work(self, name: str) -> Order:
        """What to do now."""

    def submit(self, name: str, number: int, update: Floats) -> None:
        """Send the update for a round."""


class HttpFederating(Gateway):
    """See `Federating`; over HTTP."""

    def terms(self, name: str) -> Terms:
        """See `Federating.terms`."""
        return _read(Terms, self.call("GET", f"/api/federated/{name}"))

    def enrol(self, name: str) -> None:
        """See `Federating.enrol`."""
        self.call("POST", f"/api/federated/{name}/enrolment", {"consent": True})

    def leave(self, name: str) -> None:
        """Take no part any more. Raises `GatewayUnreachable` and `ApiError`."""
        self.call("DELETE", f"/api/federated/{name}/enrolment")

    def work(self, name: str) -> Order:
        """See `Federating.work`."""
        return _read(Order, self.call("GET", f"/api/federated/{name}/work"))

    def submit(self, name: str, number: int, update: Floats) -> None:
        """See `Federating.submit`."""
        self.call("POST", f"/api/federated/{name}/updates", {"round": number, "update": update.tolist()})


@dataclass(frozen=True, slots=True)
class TookPart:
    """How often the device's update was taken, and how often it came too late."""

    taken: int
    passed: int


def take_part(
    gateway: Federating,
    name: str,
    rows: Sequence[Mapping[str, str]],
    *,
    most_epsilon: float,
    say: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> TookPart:
    """Take part until the federation has ended. A gateway that is away is waited for.

    Raises `InvalidInput` for a federation that may spend more than `most_epsilon`, and for rows that are not of its
    task: then the device has not enrolled. Raises `ApiError` when the gateway refuses.
    """
    terms = _patiently(lambda: gateway.terms(name), say, sleep)
    if terms.plan.epsilon > most_epsilon:
        told = f"{name} may spend an epsilon of {terms.plan.epsilon:g}: more than {most_epsilon:g} was not agreed to"
        raise InvalidInput(told, param="most_epsilon")
    own = terms.task.rows(rows)
    _patiently(lambda: gateway.enrol(name), say, sleep)
    say(f"enrolled with {len(own)} rows: {terms.about}")
    taken = passed = 0
    while (order := _patiently(lambda: gateway.work(name), say, sleep)).asked != "ended":
        if order.asked != "train" or order.round is None or order.weights is None:
            sleep(order.wait_seconds or _FIRST_PAUSE)
            continue
        if len(order.weights) != terms.task.dimension:
            raise ApiError(f"{len(order.weights)} weights were sent for {terms.task.dimension} features")
        # A seed that nobody knows: which of its rows came first is nobody's business either.
        update = improve(np.asarray(order.weights), own, terms.plan, secrets.randbits(63))
        try:
            gateway.submit(name, order.round, update)
        except GatewayUnreachable as problem:
            # Whether it has arrived is told by what is asked next.
            say(str(problem))
            sleep(_FIRST_PAUSE)
        except ApiError as refused:
            if refused.code not in _PASSED:
                raise
            passed += 1
            say(f"round {order.round}: {refused.message}")
        else:
            taken += 1
            say(f"round {order.round}: sent")
    return TookPart(taken, passed)


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file with a header. Raises `InvalidInput` for a file that is none, and for a ragged line."""
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            reader = csv.DictReader(lines, strict=True)
            found = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise InvalidInput(f"{path} cannot be read: {problem}", param="rows") from problem
    for number, row in enumerate(found, start=1):
        # What is missing or too much has no name, or no text.
        if None in row or None in row.values():
            raise InvalidInput(f"{path}: row {number} has not one cell for each column", param="rows")
    return found


def _patiently(ask: Callable[[], Told], say: Callable[[str], None], sleep: Callable[[float], None]) -> Told:
    """Ask again, less and less often, until there is an answer."""
    pause = _FIRST_PAUSE
    while True:
        try:
            return ask()
        except GatewayUnreachable as problem:
            say(f"{problem}: again in {pause:g} s")
            sleep(pause)
            pause = min(2 * pause, _PATIENCE)


def _read(shape: type[Shape], told: Any) -> Shape:
    try:
        return shape.model_validate(told)
    except ValidationError as problem:
        raise ApiError(f"the gateway's answer is none that this program knows: {problem.errors()[0]['msg']}") from None
