"""Steps that are not to be left half way."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


async def finished(step: Coroutine[Any, Any, Result]) -> Result:
    """Await a short step to its end, even when cancelled meanwhile; the cancellation is raised afterwards.

    A transaction that is cancelled while its connection is being opened loses the connection unclosed.
    """
    task = asyncio.ensure_future(step)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if not task.done():
            await asyncio.wait({task})
        raise
