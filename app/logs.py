"""JSON logs, one line an event, without personal data.

What is logged is who (key id, tenant), what (route template, model) and how it went (status, times, tokens): never a
body, a message, a query string or a key. Tracebacks keep their frames and the error's class, but not its
message, because messages quote their input.
"""

from __future__ import annotations

import logging
import sys
import traceback
from types import TracebackType
from typing import Any, TextIO

import orjson
import structlog
from structlog.typing import EventDict, WrappedLogger

logger: structlog.typing.FilteringBoundLogger = structlog.get_logger()
_ExcInfo = BaseException | tuple[type[BaseException], BaseException, TracebackType | None] | bool | None


def configure(stream: TextIO = sys.stderr) -> None:
    """Send our events and those of the standard library's loggers to `stream`. Called once, by the program."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _describe_exc_info,
            structlog.processors.JSONRenderer(serializer=orjson.dumps, default=str),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.BytesLoggerFactory(stream.buffer),
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _describe_exc_info,
                structlog.processors.JSONRenderer(serializer=_dump),
            ],
        )
    )
    # Errors in the application are logged once, by app.errors, with the id of their request.
    handler.addFilter(lambda record: not record.getMessage().startswith("Exception in ASGI application"))
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    # These announce every request that they send, with its URL, or every migration that is done already.
    for name in ("httpx", "httpx2", "openai", "alembic", "mcp"):
        logging.getLogger(name).setLevel(logging.WARNING)


def describe(error: BaseException) -> dict[str, Any]:
    """What may be logged of an error: its class and the frames that it came through."""
    frames = traceback.extract_tb(error.__traceback__)
    return {
        "error": f"{type(error).__module__}.{type(error).__qualname__}",
        "traceback": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }


def _describe_exc_info(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Put `describe` in the place of `exc_info` (a structlog processor)."""
    info: _ExcInfo = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()[1]
    if isinstance(info, tuple):
        info = info[1]
    return {**event, **describe(info)} if isinstance(info, BaseException) else event


def _dump(event: EventDict, **_options: object) -> str:
    return orjson.dumps(event, default=str).decode()
