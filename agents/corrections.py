"""What people correct: each kind of correction with its type, and what it may be about.

A correction has one field, which says what kind it is: `{"category": "billing"}`. Labels are the heads' own
(`agents.examples.LABELS`), so that what is stored can be learned from.
"""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag, field_validator

from agents.actions import PROCUREMENT, SUPPORT
from agents.examples import LABELS
from core.canonical import storable


class Kind(StrEnum):
    """What feedback is about: a turn (a question and its answer), or a ticket (what triage suggests for it)."""

    TURN = "turn"
    TICKET = "ticket"


class Rating(StrEnum):
    """Thumbs."""

    UP = "up"
    DOWN = "down"


Text = Annotated[str, Field(min_length=1, max_length=10_000)]

_DEEPEST = 8


def check_storable(value: Any, depth: int = 0) -> None:
    """Raise `ValueError` for characters that a database cannot store, at any depth, and for endless nesting."""
    if depth > _DEEPEST:
        raise ValueError("is nested too deeply")
    if isinstance(value, str) and not storable(value):
        raise ValueError("holds a character that cannot be stored")
    inner = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in inner:
        check_storable(each, depth + 1)


def _labelled(head: str, label: str) -> str:
    if label not in LABELS[head]:
        raise ValueError(f"is no {head}: {', '.join(sorted(LABELS[head]))}")
    return label


def _tool(name: str) -> str:
    if name not in (*SUPPORT, *PROCUREMENT):
        raise ValueError(f"is no tool: {', '.join((*SUPPORT, *PROCUREMENT))}")
    return name


def _labels(head: str) -> Any:
    """How OpenAPI tells the head's labels."""
    labels: list[Any] = sorted(LABELS[head])
    return Field(json_schema_extra={"enum": labels})


class _Correction(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*")
    @classmethod
    def _storable(cls, value: Any) -> Any:
        check_storable(value)
        return value


class AnswerCorrection(_Correction):
    """What the turn should have answered."""

    answer: Text


class ActionCorrection(_Correction):
    """What the person wanted done: a tool, `news`, `none`, or `oos` for what nobody here does."""

    action: Annotated[str, AfterValidator(partial(_labelled, "action")), _labels("action")]


class RouteCorrection(_Correction):
    """Who should have taken the turn; `oos` where nobody here should."""

    route: Annotated[str, AfterValidator(partial(_labelled, "route")), _labels("route")]


class CategoryCorrection(_Correction):
    """What the ticket is about."""

    category: Annotated[str, AfterValidator(partial(_labelled, "category")), _labels("category")]


class PriorityCorrection(_Correction):
    """How soon the ticket must be seen."""

    priority: Annotated[str, AfterValidator(partial(_labelled, "priority")), _labels("priority")]


class SentimentCorrection(_Correction):
    """How the ticket's writer feels."""

    sentiment: Annotated[str, AfterValidator(partial(_labelled, "sentiment")), _labels("sentiment")]


class ReplyCorrection(_Correction):
    """The reply as the staff sent it, and the suggestion that they made it of, where there was one."""

    reply: Text
    suggested: Text | None = None


class NextAction(_Correction):
    """A call of a tool."""

    tool: Annotated[str, AfterValidator(_tool), Field(json_schema_extra={"enum": [*SUPPORT, *PROCUREMENT]})]
    arguments: Annotated[dict[str, Any], Field(max_length=50)] = {}


class NextActionCorrection(_Correction):
    """What should be done about the ticket; null where nothing should be."""

    next_action: NextAction | None


OF_TURNS = ("answer", "action", "route")
OF_TICKETS = ("category", "priority", "sentiment", "reply", "next_action")
KINDS = (*OF_TURNS, *OF_TICKETS)
"""The kinds of correction, by the field that they have."""


def _member(value: Any) -> str | None:
    """The union's member; no tag is a field's name, lest an error's path read as if it were one."""
    given = value if isinstance(value, dict) else getattr(type(value), "model_fields", ())
    return next((f"{name}_correction" for name in KINDS if name in given), None)


Correction = Annotated[
    Annotated[AnswerCorrection, Tag("answer_correction")]
    | Annotated[ActionCorrection, Tag("action_correction")]
    | Annotated[RouteCorrection, Tag("route_correction")]
    | Annotated[CategoryCorrection, Tag("category_correction")]
    | Annotated[PriorityCorrection, Tag("priority_correction")]
    | Annotated[SentimentCorrection, Tag("sentiment_correction")]
    | Annotated[ReplyCorrection, Tag("reply_correction")]
    | Annotated[NextActionCorrection, Tag("next_action_correction")],
    Discriminator(_member, custom_error_type="correction", custom_error_message=f"one of {', '.join(KINDS)} is needed"),
]


def kind_of(correction: BaseModel) -> str:
    """Which of `KINDS` a correction is."""
    return next(name for name in KINDS if name in type(correction).model_fields)
