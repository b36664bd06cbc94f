import inspect

import pytest

from app import errors as contract
from core import errors
from core.errors import (
    EngineTimeout,
    EngineUnavailable,
    InFlight,
    OutcomeUnknown,
    RateLimited,
    SystemUnavailable,
    WaysideError,
)
from tests.fakes.gateway import Gateway

HALF = {"message", "type", "code", "param"}


def test_every_error_of_the_tree_has_a_status_of_its_family() -> None:
    for _, kind in inspect.getmembers(errors, inspect.isclass):
        family = next(base for base in kind.__mro__ if base in contract.STATUSES)
        assert kind is WaysideError or family is not WaysideError or kind is errors.CorruptArtefact, kind


@pytest.mark.parametrize(
    ("error", "status", "header", "value"),
    [
        (InFlight("busy"), 409, "x-should-retry", "false"),
        (RateLimited("slow down", retry_after=2.2), 429, "retry-after", "3"),
        (EngineUnavailable("away"), 503, "retry-after", "2"),
        (EngineTimeout("slow"), 504, "content-type", "application/json"),
        (SystemUnavailable("away", retry_after=7.5), 503, "retry-after", "8"),
        (SystemUnavailable("away"), 503, "retry-after", "2"),
        (OutcomeUnknown("cut off"), 504, "content-type", "application/json"),
    ],
)
def test_a_refusal_says_how_to_go_on(error: WaysideError, status: int, header: str, value: str) -> None:
    answer = contract.refusal(error)
    assert (answer.status_code, answer.headers[header]) == (status, value)


async def test_both_halves_say_the_same(served: Gateway) -> None:
    body = (await served.call("GET", "/v1/models/nobody")).json()
    assert body["error"] == {name: body[name] for name in HALF}
    assert body["code"] == "model_not_found"
    assert body["param"] == "model"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/v1/nowhere", 404, "not_found"),
        ("PUT", "/api/keys", 405, "method_not_allowed"),
    ],
)
async def test_the_framework_speaks_the_contract_too(
    served: Gateway, method: str, path: str, status: int, code: str
) -> None:
    answer = await served.call(method, path)
    assert answer.status_code == status
    assert answer.json()["error"]["code"] == code


@pytest.mark.parametrize(
    ("content", "code", "param"),
    [
        (b"", "invalid_input", None),
        (b"{", "invalid_json", None),
        (b"\xff\xfe\x00", "invalid_json", None),
        (b"[1, 2]", "invalid_input", None),
        (b'{"model": NaN}', "invalid_json", None),
        (b'{"model": "\\ud800"}', "invalid_json", None),
        (b"[" * 100_000, "invalid_json", None),
        (b'{"model": "echo-1"}', "invalid_input", "messages"),
        (b'{"model": 1, "messages": []}', "invalid_input", "model"),
        (b'{"model": "echo-1", "messages": []}', "invalid_input", "messages"),
        (b'{"model": "echo-1", "messages": [{"role": "king"}]}', "invalid_input", "messages.0"),
        (b'{"model": "echo-1", "messages": [{"role": "user"}]}', "invalid_input", "messages.0.content"),
        (
            b'{"model": "echo-1", "messages": [{"role": "user", "content": "a", "mood": 1}]}',
            "unsupported_parameter",
            "messages.0.mood",
        ),
        (
            b'{"model": "echo-1", "temperature": 9, "messages": [{"role": "user", "content": "a"}]}',
            "invalid_input",
            "temperature",
        ),
        (b'{"model": "echo-1", "messages": [], "colour": "red"}', "invalid_input", "messages"),
    ],
)
async def test_a_bad_body_is_told_where_it_is_bad(
    served: Gateway, content: bytes, code: str, param: str | None
) -> None:
    headers = {"content-type": "application/json"}
    answer = await served.call("POST", "/v1/chat/completions", content=content, headers=headers)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["code"] == code
    assert answer.json()["error"]["param"] == param


async def test_a_500_says_nothing_of_the_inside(served: Gateway) -> None:
    served.parts.assistant.failure = RuntimeError("the password is swordfish")
    answer = await served.chat(model="wayside", headers={"x-request-id": "mine-1"})
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal_error"
    assert "swordfish" not in answer.text
    assert answer.headers["x-request-id"] == "mine-1"
