import pytest

from tests.fakes.gateway import Gateway


async def test_a_plain_request_id_is_kept(served: Gateway) -> None:
    answer = await served.http.get("/healthz", headers={"x-request-id": "app-7.b:3"})
    assert answer.headers.get_list("x-request-id") == ["app-7.b:3"]


@pytest.mark.parametrize("theirs", ["", "x" * 129, "two words", "line;break"])
async def test_another_one_is_replaced(served: Gateway, theirs: str) -> None:
    answer = await served.http.get("/healthz", headers={"x-request-id": theirs})
    assert answer.headers["x-request-id"].startswith("req_")


async def test_metrics_count_by_template_and_status(served: Gateway) -> None:
    await served.chat()
    await served.call("GET", "/v1/models/nobody")
    await served.call("GET", "/some/random/path")
    text = (await served.call("GET", "/metrics")).text
    ended = 'wayside_request_seconds_count{method="%s",route="%s",status="%d"} 1.0'
    assert ended % ("POST", "/v1/chat/completions", 200) in text
    assert ended % ("GET", "/v1/models/{model:path}", 404) in text
    assert ended % ("GET", "unmatched", 404) in text
    assert 'wayside_tokens_total{engine="null",kind="prompt",model="echo-1"} 2.0' in text
    assert 'wayside_answers_total{engine="null",model="echo-1"} 1.0' in text
