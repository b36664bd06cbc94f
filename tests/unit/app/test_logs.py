import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from app import logs
from tests.fakes.gateway import Gateway


@pytest.fixture
def stream() -> Iterator[io.TextIOWrapper]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    written = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    logs.configure(written)
    yield written
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


def lines(stream: io.TextIOWrapper) -> list[dict[str, object]]:
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return [json.loads(line) for line in buffer.getvalue().splitlines()]


async def test_a_request_is_one_line_without_its_content(served: Gateway, stream: io.TextIOWrapper) -> None:
    answer = await served.chat("my card is 4111", headers={"idempotency-key": "once"})
    await served.call("GET", "/v1/models/secret-name?q=hidden")
    chat, models = [line for line in lines(stream) if line["event"] == "request"]
    assert chat["route"] == "/v1/chat/completions"
    assert chat["request_id"] == answer.headers["x-request-id"]
    assert (chat["status"], chat["tenant"], chat["engine"], chat["prompt_tokens"]) == (200, "harbor", "null", 4)
    assert models["route"] == "/v1/models/{model:path}"
    everything = json.dumps(lines(stream))
    for private in ("4111", "secret-name", "hidden", served.keys["admin"]):
        assert private not in everything


async def test_an_unforeseen_error_is_logged_with_its_frames_and_not_its_words(
    served: Gateway, stream: io.TextIOWrapper
) -> None:
    served.parts.assistant.failure = KeyError("jane@example.org")
    answer = await served.chat(model="wayside")
    line = next(line for line in lines(stream) if line["event"] == "unhandled")
    assert line["request_id"] == answer.headers["x-request-id"]
    assert line["error"] == "builtins.KeyError"
    assert any("parts.py" in frame for frame in line["traceback"])  # type: ignore[attr-defined]
    assert "jane" not in json.dumps(lines(stream))


def test_the_standard_library_s_loggers_are_json_without_messages_of_errors_too(stream: io.TextIOWrapper) -> None:
    try:
        raise ValueError("jane@example.org")
    except ValueError:
        logging.getLogger("some.library").exception("it broke")
    (line,) = lines(stream)
    assert (line["event"], line["logger"], line["level"]) == ("it broke", "some.library", "error")
    assert line["error"] == "builtins.ValueError"
    assert "jane" not in json.dumps(line)
