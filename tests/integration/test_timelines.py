"""Timelines are written whatever they hold, and a run that is taken over does not lose what it told."""

from __future__ import annotations

from dataclasses import replace

from app.runs.owner import Owner
from app.runs.steps import Steps
from app.runs.timelines import CHAT, RUN, Timeline, Timelines
from core.database import Database
from core.types import Answer, Usage

OWNER = Owner("acme", "key:alice")


def told(turn: str, *, question: str = "Where is it?", source: str = RUN) -> Timeline:
    steps = Steps()
    steps.task({"id": "1", "name": "head", "triggers": ()})
    steps.custom(Answer("t", "On its way.", (), False, "embedded", Usage(7, 3)))
    return Timeline.of(OWNER, "t", turn, steps, source=source, assistant="wayside", question=question)


def silent(turn: str) -> Timeline:
    """What another attempt tells of a run that had come to its end."""
    return Timeline.of(OWNER, "t", turn, Steps(), source=RUN, assistant="wayside", question="Where is it?")


async def test_a_question_that_a_database_cannot_store_holds_up_nobody(database: Database) -> None:
    timelines = Timelines(database)
    for turn, question in (("one", "Where\0is it?"), ("two", "Where is it?")):
        timelines.record(told(turn, question=question, source=CHAT))
    assert (await timelines.get("acme", "two")).answer == "On its way."
    assert (await timelines.get("acme", "one")).question == "Where\ufffdis it?"


async def test_an_attempt_that_had_nothing_left_to_do_takes_nothing_back(database: Database) -> None:
    timelines = Timelines(database)
    timelines.record(told("run"))
    await timelines.flush()
    timelines.record(silent("run"))
    seen = await timelines.get("acme", "run")
    assert (seen.answer, [step["name"] for step in seen.steps]) == ("On its way.", ["head"])


async def test_an_attempt_that_told_the_turn_anew_counts(database: Database) -> None:
    timelines = Timelines(database)
    timelines.record(replace(told("run"), answer="", engine="", prompt_tokens=0, completion_tokens=0))
    await timelines.flush()
    timelines.record(told("run"))
    seen = await timelines.get("acme", "run")
    assert (seen.answer, seen.engine, seen.prompt_tokens, seen.completion_tokens) == ("On its way.", "embedded", 7, 3)
