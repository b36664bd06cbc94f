"""The answers of /api/federated."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel

from app.federated.federations import Federation
from app.federated.participation import Asked, Work
from app.federated.tables import State
from tabular.federated.plan import Plan
from tabular.federated.task import Task


class FederationView(BaseModel):
    """A federation: its terms, how far it is, and what was spent of `plan.epsilon`.

    `joined` says whether the caller takes part; `noise` is the noise multiplier that follows from the plan;
    `evaluated` counts the public rows. How many have enrolled is told to engineers alone: who knows of all others would
    know of the last one.
    """

    object: str = "federation"
    name: str
    about: str
    task: Task
    plan: Plan
    noise: float
    state: State
    round: int
    spent: float
    enrolled: int | None
    evaluated: int
    joined: bool
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    ended_why: str | None


class FederationList(BaseModel):
    """The federations, the latest first."""

    object: str
    data: list[FederationView]


class RoundView(BaseModel):
    """A round. `epsilon` is what all rounds up to it cost; `accuracy` is on the public rows, where there are any."""

    number: int
    epsilon: float
    opened_at: datetime
    closes_at: datetime
    closed_at: datetime | None
    drawn: int
    answered: int | None
    accuracy: float | None


class RoundList(BaseModel):
    """The rounds in their order."""

    object: str
    data: list[RoundView]


class EnrolmentView(BaseModel):
    """Since when the caller takes part."""

    object: str
    federation: str
    enrolled_at: datetime


class WorkView(BaseModel):
    """What a device is asked to do. With `train`: the round, its weights, and when it is over."""

    object: str = "federation.work"
    asked: Asked
    round: int | None
    weights: list[float] | None
    closes_at: datetime | None
    wait_seconds: float | None


class ModelOut(BaseModel):
    """A model and its promise: `epsilon` at `delta`, for one device, over so many rounds."""

    task: Task
    weights: list[float]
    rounds: int
    epsilon: float
    delta: float


class RegisteredView(BaseModel):
    """The version of the registry that the model is now."""

    object: str
    model: str
    version: int


def federation_view(each: Federation, *, joined: bool, counts: bool) -> dict[str, Any]:
    """A federation as JSON; `counts` says whether the caller may know how many have enrolled."""
    return {
        "object": "federation",
        "name": each.name,
        "about": each.about,
        "task": each.task.model_dump(mode="json"),
        "plan": each.plan.model_dump(mode="json"),
        "noise": each.noise,
        "state": each.state.value,
        "round": each.round,
        "spent": each.spent,
        "enrolled": each.enrolled if counts else None,
        "evaluated": each.evaluated,
        "joined": joined,
        "created_at": each.created_at,
        "started_at": each.started_at,
        "ended_at": each.ended_at,
        "ended_why": each.ended_why,
    }


def work_view(work: Work) -> dict[str, Any]:
    """What is asked of a device as JSON."""
    return {
        "object": "federation.work",
        "asked": work.asked.value,
        "round": work.round,
        "weights": None if work.weights is None else work.weights.tolist(),
        "closes_at": work.closes_at,
        "wait_seconds": work.wait_seconds,
    }
