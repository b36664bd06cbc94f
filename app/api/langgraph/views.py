"""The protocol's objects. `select` leaves members out, so none is required."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from app.attachments import without_text
from app.runs.crons import CronRow
from app.runs.rows import Run
from app.runs.runs import Runs
from app.runs.threads import Thread

Json = dict[str, Any]


class ThreadView(BaseModel):
    """A thread with its newest values and the interrupts that wait, by task."""

    thread_id: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    state_updated_at: datetime | None = None
    metadata: Json | None = None
    status: str | None = None
    config: Json | None = None
    context: Json | None = None
    values: Any = None
    interrupts: dict[str, list[Json]] | None = None


class RunView(BaseModel):
    """A run. `kwargs` is what it was asked to do."""

    run_id: str | None = None
    thread_id: str | None = None
    assistant_id: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    status: str | None = None
    metadata: Json | None = None
    asked: Json | None = Field(None, serialization_alias="kwargs")
    multitask_strategy: str | None = None
    cancel_reason: str | None = None


class StateView(BaseModel):
    """A thread's state at a checkpoint."""

    values: Any = None
    next: list[str] | None = None
    checkpoint: Json | None = None
    metadata: Json | None = None
    created_at: str | None = None
    parent_checkpoint: Json | None = None
    tasks: list[Json] | None = None
    interrupts: list[Json] | None = None


class CronView(BaseModel):
    """A cron. `payload` is what its runs are asked to do."""

    cron_id: str | None = None
    assistant_id: str | None = None
    thread_id: str | None = None
    on_run_completed: str | None = None
    end_time: datetime | None = None
    schedule: str | None = None
    timezone: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    payload: Json | None = None
    user_id: str | None = None
    next_run_date: datetime | None = None
    metadata: Json | None = None
    enabled: bool | None = None


async def thread_view(runs: Runs, thread: Thread, select: Collection[str] | None = None) -> Json:
    """The thread; its checkpoint is read only when something of it is asked for."""
    view: Json = {
        "thread_id": thread.id,
        "created_at": thread.created_at,
        "updated_at": thread.updated_at,
        "state_updated_at": thread.state_updated_at or thread.updated_at,
        "metadata": {**_graph(thread.assistant_id), **thread.labels},
        "status": thread.status,
        "config": {},
        "context": {},
    }
    if select is None or {"values", "interrupts"} & set(select):
        state = await runs.states.get(thread)
        view["values"] = state["values"] or None
        view["interrupts"] = {task["id"]: task["interrupts"] for task in state["tasks"] if task["interrupts"]}
    return selected(view, select)


def run_view(run: Run) -> Json:
    """The run."""
    return {
        "run_id": run.id,
        "thread_id": run.thread_id,
        "assistant_id": run.assistant_id,
        "created_at": run.created_at,
        "updated_at": run.updated_at,
        "status": run.status,
        "metadata": {**_graph(run.assistant_id), **run.labels},
        "kwargs": dict(without_text(run.request)),
        "multitask_strategy": run.strategy,
        "cancel_reason": run.cancel_reason,
    }


def cron_view(row: CronRow) -> Json:
    """The cron."""
    stateless = row.thread_id is None
    return {
        "cron_id": row.id,
        "assistant_id": row.assistant_id,
        "thread_id": row.thread_id,
        "on_run_completed": ("delete" if row.ephemeral else "keep") if stateless else None,
        "end_time": row.end_time,
        "schedule": row.schedule,
        "timezone": row.timezone,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "payload": {**without_text(row.request), "assistant_id": row.assistant_id, "multitask_strategy": row.strategy},
        "user_id": None,
        "next_run_date": row.next_run if row.enabled else None,
        "metadata": row.labels,
        "enabled": row.enabled,
    }


def selected(view: Json, select: Collection[str] | None) -> Json:
    """Only the members that are asked for."""
    return view if select is None else {name: value for name, value in view.items() if name in select}


def _graph(assistant_id: str | None) -> Json:
    return {"graph_id": assistant_id, "assistant_id": assistant_id} if assistant_id else {}
