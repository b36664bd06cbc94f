"""A request for a response becomes an order for a run: on which thread, after which response, under which words."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.api.chat_agent import THREAD_HEADER
from app.api.responses.request import ResponseRequest
from app.observing import Observing, stored
from app.runs.admission import Order
from app.runs.owner import THREAD_ID, Owner
from app.runs.rows import Run, runs_of
from app.runs.runs import Runs
from app.runs.tables import RunRow
from app.runs.wayside import WAYSIDE
from core.errors import Conflict, InvalidInput, NotFound, UnsupportedParameter
from core.types import Principal

RESPONSE = "response"
"""In a run's request: what was asked of it as a response, beside its input."""
TOLD = "custom"
_PREFIX = "resp_"
_DIGITS = 32


def response_id(run_id: str) -> str:
    """The id of the response that a run is."""
    return _PREFIX + uuid.UUID(run_id).hex


async def find(runs: Runs, owner: Owner, wanted: str, param: str = "response_id") -> Run:
    """The run that is this response. Raises `NotFound`.

    A run of the same assistant that was started through another door is a response as well, if it tells its pieces.
    """
    digits = wanted.removeprefix(_PREFIX)
    try:
        if len(wanted) != len(_PREFIX) + _DIGITS or len(digits) != _DIGITS:
            raise ValueError(wanted)
        run = await runs.find(owner, str(uuid.UUID(digits)))
    except (ValueError, NotFound):
        raise NotFound(f"There is no response {wanted!r}.", param=param) from None
    if run.assistant_id != WAYSIDE or TOLD not in run.request["modes"]:
        raise NotFound(f"There is no response {wanted!r}.", param=param)
    return run


async def order(
    runs: Runs,
    observing: Observing,
    principal: Principal,
    body: ResponseRequest,
    header: str | None,
    key: str | None,
    fingerprint: str,
) -> Order:
    """The order for the body. `header` names a thread as `metadata.thread_id` does.

    Raises what `Observing.read` raises, `NotFound` without the previous response, and `InvalidInput` for names that
    contradict each other.
    """
    assistant = runs.assistants.get(WAYSIDE)
    previous = None
    if body.previous_response_id is not None:
        previous = await find(runs, Owner.of(principal), body.previous_response_id, "previous_response_id")
    thread_id = _named(body, header)
    if previous is not None:
        if previous.ephemeral:
            raise NotFound("The previous response was not stored.", param="previous_response_id")
        if thread_id not in (None, previous.thread_id):
            raise InvalidInput("The previous response is on another thread.", param="metadata.thread_id")
    stored = body.store is not False
    if not stored:
        _alone(body, thread_id)
    told = _instructions(body, previous)
    given = {"messages": [*told, *await _said(observing, principal, body)]}
    assistant.accept(given)
    return Order(
        principal=principal,
        thread_id=previous.thread_id if previous is not None else thread_id or _fresh(principal, key),
        assistant_id=assistant.id,
        request={
            "input": given,
            "modes": assistant.offering([TOLD]),
            "durability": assistant.strengthened(None),
            RESPONSE: {
                "background": bool(body.background),
                "store": stored,
                "instructions": body.instructions,
                "previous_response_id": body.previous_response_id,
                "ahead": len(told),
            },
        },
        labels=body.metadata or {},
        create=previous is None,
        ephemeral=not stored,
        key=key,
        fingerprint=fingerprint if key else None,
        condition=_newest(previous) if previous is not None else None,
    )


async def _said(observing: Observing, principal: Principal, body: ResponseRequest) -> list[dict[str, Any]]:
    """The messages, with what was made out in their media in place of the media."""
    messages: list[dict[str, Any]] = list(body.messages)
    if not any(body.media):
        return messages
    for message, came in zip(messages, await observing.read(principal.tenant, body.media), strict=True):
        if made_out := stored(came):
            message["content"] = [{"type": "text", "text": message["content"]}, *made_out]
    return messages


def _named(body: ResponseRequest, header: str | None) -> str | None:
    metadata = body.metadata or {}
    thread_id = metadata.get("thread_id", header)
    if header not in (None, thread_id):
        raise InvalidInput(f"The header {THREAD_HEADER} names another thread.", param="metadata.thread_id")
    if thread_id is not None and not THREAD_ID.fullmatch(thread_id):
        where = "metadata.thread_id" if "thread_id" in metadata else THREAD_HEADER
        raise InvalidInput("A thread id has 1 to 64 letters, digits, hyphens and underscores.", param=where)
    return thread_id


def _alone(body: ResponseRequest, thread_id: str | None) -> None:
    """What is not stored goes with its thread, so that it can neither join one nor be looked for later."""
    if thread_id is not None or body.previous_response_id is not None:
        raise UnsupportedParameter("On a thread that lasts, every response is stored.", param="store")
    if body.background:
        raise UnsupportedParameter("A response in the background is stored.", param="store")


def _instructions(body: ResponseRequest, previous: Run | None) -> list[dict[str, str]]:
    """The system message ahead of the input.

    A thread goes by the last one it was given; those of the previous response are not to hold any longer, so that
    an empty one takes their place.
    """
    if body.instructions is None and (previous is None or not previous.request.get(RESPONSE, {}).get("instructions")):
        return []
    return [{"role": "system", "content": body.instructions or ""}]


def _fresh(principal: Principal, key: str | None) -> str:
    """A thread of its own; the same key names the same one, so that both requests meet there."""
    seed = uuid.uuid5(uuid.NAMESPACE_URL, f"{principal.tenant}/{principal.key_id}/responses/{key}")
    return str(seed if key else uuid.uuid4())


def _newest(previous: Run) -> Callable[[AsyncSession], Awaitable[None]]:
    """The condition that no other response came after this one on its thread."""

    async def check(session: AsyncSession) -> None:
        before: Any = aliased(RunRow)
        position = select(before.position).where(before.tenant == previous.tenant, before.id == previous.id)
        later = (
            select(RunRow.id)
            .where(
                runs_of(previous.owner, previous.thread_id),
                RunRow.position > position.scalar_subquery(),
                # Runs through other doors, such as the news of a decision, go on with the thread for everybody.
                RunRow.request[(RESPONSE, "store")].as_boolean().is_not(None),
            )
            .order_by(RunRow.position.desc())
            .limit(1)
        )
        newest = await session.scalar(later)
        if newest is not None:
            message = f"A thread that acts is not forked: go on from its newest response, {response_id(newest)}."
            raise Conflict(message, code="previous_response_not_latest", param="previous_response_id")

    return check
