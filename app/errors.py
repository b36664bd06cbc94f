"""The error contract: one table from error to status, one shape for every refusal.

The shape is said twice, because the two official clients read different halves of it: the OpenAI client reads
`error`, the LangGraph client reads the top level.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import orjson
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import logs
from app.findings import place
from core import errors
from core.errors import WaysideError

INVALID = "invalid_request_error"

# The nearest ancestor of an error that is listed here decides: (status, type).
STATUSES: Mapping[type[WaysideError], tuple[int, str]] = {
    errors.InvalidInput: (400, INVALID),
    errors.UnsupportedMedia: (415, INVALID),
    errors.TooLarge: (413, INVALID),
    errors.Unauthenticated: (401, "authentication_error"),
    errors.Forbidden: (403, "permission_error"),
    errors.NotFound: (404, INVALID),
    errors.Conflict: (409, "conflict_error"),
    errors.KeyReused: (422, "idempotency_error"),
    errors.RateLimited: (429, "rate_limit_error"),
    errors.EngineUnavailable: (503, "engine_error"),
    errors.EngineTimeout: (504, "engine_error"),
    errors.EngineRejected: (400, INVALID),
    errors.EngineError: (502, "engine_error"),
    errors.SystemUnavailable: (503, "system_error"),
    errors.OutcomeUnknown: (504, "system_error"),
    errors.SystemFault: (502, "system_error"),
    errors.MissingExtra: (501, "server_error"),
    # Devices raise these. In the gateway they mean that the bundle on its own shelf is broken.
    errors.BundleRefused: (500, "bundle_error"),
    errors.DownloadFailed: (503, "bundle_error"),
    errors.ApiError: (500, "server_error"),
    errors.GatewayUnreachable: (503, "server_error"),
    errors.ConversionFailed: (500, "server_error"),
    WaysideError: (500, "server_error"),
}

# What the framework refuses by itself: status → (code, type).
FRAMEWORK_CODES: Mapping[int, tuple[str, str]] = {
    400: ("invalid_input", INVALID),
    404: ("not_found", INVALID),
    405: ("method_not_allowed", INVALID),
    408: ("request_timeout", INVALID),
    413: ("too_large", INVALID),
    415: ("unsupported_media", INVALID),
}
UNKNOWN = "Something went wrong on our side. Quote the x-request-id when you report it."
RETRY_SECONDS = 2.0  # what a 503 asks for when the error itself does not know better


class ErrorDetail(BaseModel):
    """What went wrong: a sentence, a family, a stable word, and the offending input."""

    message: str
    type: str
    code: str
    param: str | None = Field(description="path of the offending input, such as `messages.0.content`")


class ErrorBody(ErrorDetail):
    """The body of every answer that is not a success."""

    error: ErrorDetail


_SCHEMAS = "#/components/schemas/"
# Said by reference: as a model, FastAPI would build it anew for every status of every operation, at each start.
_ENTRY: dict[str, Any] = {"content": {"application/json": {"schema": {"$ref": _SCHEMAS + ErrorBody.__name__}}}}


class Unready(WaysideError):
    """A part that the request needs, such as the shared limit store, cannot be reached just now."""

    code = "not_ready"


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI entry of these statuses, and of those that any request may meet."""
    return dict.fromkeys(sorted({*statuses, 400, 401, 408, 413, 429, 500, 503}), _ENTRY)


def _describe(app: FastAPI) -> None:
    """Document the error contract, and keep FastAPI from documenting an error of its own that no answer here has."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = generate()
            schema = ErrorBody.model_json_schema(ref_template=_SCHEMAS + "{model}")
            made["components"]["schemas"] |= {**schema.pop("$defs"), ErrorBody.__name__: schema}
            for path in made["paths"].values():
                for operation in path.values():
                    if "HTTPValidationError" in str(operation["responses"].get("422")):
                        del operation["responses"]["422"]
        return generate()

    app.openapi = openapi  # type: ignore[method-assign]


def status_of(error: WaysideError) -> tuple[int, str]:
    """The HTTP status and the error type of `error`."""
    if isinstance(error, Unready):
        return 503, "server_error"
    return next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)


def body(message: str, kind: str, code: str, param: str | None = None) -> dict[str, Any]:
    """The error contract as a JSON object."""
    detail = {"message": message, "type": kind, "code": code, "param": param}
    return {"error": detail, **detail}


def body_of(error: BaseException) -> dict[str, Any]:
    """The error contract for any error; what is not ours says nothing of its inside."""
    if isinstance(error, WaysideError):
        return body(error.message, status_of(error)[1], error.code, error.param)
    return body(UNKNOWN, "server_error", "internal_error")


def refusal(error: WaysideError) -> Response:
    """The answer that `error` makes."""
    status, _ = status_of(error)
    headers: dict[str, str] = {}
    if status == 409:
        # The OpenAI client would otherwise repeat a request that cannot succeed.
        headers["x-should-retry"] = "false"
    elif status == 401:
        headers["www-authenticate"] = "Bearer"
    elif status in (429, 503):
        told = error.retry_after if isinstance(error, errors.RateLimited | errors.SystemUnavailable) else None
        seconds = RETRY_SECONDS if told is None else told
        headers["retry-after"] = str(max(1, math.ceil(seconds)))
    return _json(status, body_of(error), headers)


def install(app: FastAPI) -> None:
    """Answer what FastAPI itself refuses, and what nobody foresaw, in the error contract."""
    app.add_exception_handler(RequestValidationError, _invalid)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, _framework)  # type: ignore[arg-type]
    app.add_exception_handler(Exception, _unforeseen)
    _describe(app)


class Errors:
    """Answers every `WaysideError` that the layers inside raise before their answer has begun."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and turn a refusal into an answer."""
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, watch)
        except WaysideError as error:
            if started:
                raise
            await refusal(error)(scope, receive, send)


def _json(status: int, content: dict[str, Any], headers: Mapping[str, str]) -> Response:
    return Response(orjson.dumps(content), status, dict(headers), "application/json")


async def _invalid(request: Request, error: RequestValidationError) -> Response:
    """FastAPI's findings, of which the deepest is told: for a choice of types, that is the one that came closest."""
    first: dict[str, Any] = max(error.errors(), key=lambda finding: len(finding["loc"]))
    location: tuple[int | str, ...] = first["loc"]
    if first["type"] == "json_invalid":
        text = f"The body is not JSON: {first['ctx']['error']} at character {location[-1]}."
        return _json(400, body(text, INVALID, "invalid_json"), {})
    param = place(location[1:], error.body) if location[0] == "body" else ".".join(map(str, location[1:]))
    if first["type"] == "extra_forbidden":
        return _json(400, body(f"Unknown parameter: {param}.", INVALID, "unsupported_parameter", param), {})
    if not param:
        return _json(400, body(f"The body is not valid: {first['msg']}.", INVALID, "invalid_input"), {})
    return _json(400, body(f"{param}: {first['msg']}.", INVALID, "invalid_input", param), {})


async def _framework(request: Request, error: HTTPException) -> Response:
    code, kind = FRAMEWORK_CODES.get(error.status_code, ("error", INVALID))
    return _json(error.status_code, body(f"{error.detail}.", kind, code), error.headers or {})


async def _unforeseen(request: Request, error: Exception) -> Response:
    """A 500 that gives nothing away; the log has the traceback under the same request id."""
    request_id: str = request.scope["state"].get("request_id", "")
    logs.logger.error("unhandled", request_id=request_id, **logs.describe(error))
    # This answer leaves outside of every middleware of ours, so it carries its own request id.
    return _json(500, body_of(error), {"x-request-id": request_id})
