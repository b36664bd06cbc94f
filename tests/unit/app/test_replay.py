import asyncio
import io

import pytest

from app.replay import Fingerprint
from core.errors import EngineUnavailable
from tests.fakes.gateway import Gateway

KEY = {"idempotency-key": "once-1"}


async def test_the_same_request_twice_takes_effect_once(served: Gateway) -> None:
    first, second = [await served.chat("hi", model="wayside", headers=KEY) for _ in range(2)]
    assert len(served.parts.assistant.turns) == 1
    assert second.content == first.content
    assert second.headers["x-wayside-thread"] == first.headers["x-wayside-thread"]
    assert (first.headers.get("idempotent-replayed"), second.headers["idempotent-replayed"]) == (None, "true")
    assert first.headers["x-request-id"] != second.headers["x-request-id"]


async def test_a_stream_is_given_again_word_for_word(served: Gateway) -> None:
    first, second = [await served.chat("hi", body={"stream": True}, headers=KEY) for _ in range(2)]
    assert len(served.parts.echo.requests) == 1
    assert second.content == first.content
    assert second.headers["content-type"] == first.headers["content-type"]


async def test_another_body_under_the_key_is_refused(served: Gateway) -> None:
    await served.chat("one", headers=KEY)
    answer = await served.chat("two", headers=KEY)
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "idempotency_key_reused"


async def test_in_flight_is_a_409_that_is_not_to_be_retried(served: Gateway) -> None:
    served.parts.echo.pace = 0.3
    # Which of the two comes first is for the machine to say.
    answers = await asyncio.gather(*(served.chat("slow", headers=KEY) for _ in range(2)))
    done, refused = sorted(answers, key=lambda answer: answer.status_code)
    assert done.status_code == 200
    assert (refused.status_code, refused.headers["x-should-retry"]) == (409, "false")


async def test_what_failed_may_be_tried_again(served: Gateway) -> None:
    served.parts.echo.failure = EngineUnavailable("away")
    assert (await served.chat(headers=KEY)).status_code == 503
    served.parts.echo.failure = RuntimeError("broken")
    assert (await served.chat(headers=KEY)).status_code == 500
    served.parts.echo.failure = None
    assert (await served.chat(headers=KEY)).status_code == 200


async def test_keys_of_different_callers_do_not_meet(served: Gateway) -> None:
    await served.chat("mine", headers=KEY, role="client")
    theirs = await served.chat("theirs", headers=KEY, role="stranger")
    assert theirs.json()["choices"][0]["message"]["content"] == "theirs"


async def test_an_upload_repeated_with_another_boundary_is_the_same(served: Gateway) -> None:
    for _ in range(2):
        files = {"file": ("returns.md", io.BytesIO(b"# Returns"))}
        answer = await served.call("POST", "/api/documents", files=files, headers=KEY)
        assert answer.status_code == 202
    assert served.parts.documents.added == 1


async def test_a_new_key_s_secret_is_not_kept(served: Gateway) -> None:
    body = {"name": "till", "role": "client"}
    first, second = [await served.call("POST", "/api/keys", json=body, headers=KEY) for _ in range(2)]
    assert second.json() == {**first.json(), "key": None}


@pytest.mark.parametrize("key", ["", "x" * 256, "with space"])
async def test_a_malformed_key_is_refused(served: Gateway, key: str) -> None:
    answer = await served.chat(headers={"idempotency-key": key})
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "idempotency-key"


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_a_fingerprint_does_not_depend_on_how_the_body_arrives(size: int) -> None:
    def fingerprint(boundary: bytes, step: int) -> str:
        content_type = b"multipart/form-data; boundary=" + boundary
        scope = {"method": "POST", "path": "/a", "query_string": b"", "headers": [(b"content-type", content_type)]}
        running = Fingerprint(scope)
        body = b"--" + boundary + b"\r\n\r\ncontent\r\n--" + boundary + b"--"
        for start in range(0, len(body), step):
            running.feed(body[start : start + step])
        return running.hexdigest()

    assert fingerprint(b"abcdefgh", size) == fingerprint(b"12345678", 11)
