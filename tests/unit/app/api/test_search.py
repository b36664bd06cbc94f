from typing import Any

import pytest

from tests.fakes.gateway import Gateway


async def test_passages_come_with_their_place_and_score(served: Gateway) -> None:
    body = (await served.call("POST", "/api/search", json={"query": "return a tent", "limit": 3}, role="client")).json()
    assert body["answerability"] == 0.9
    (hit,) = body["data"]
    assert (hit["document_id"], hit["headings"], hit["start"], hit["score"]) == ("doc-1", ["Tents"], 0, 0.75)


@pytest.mark.parametrize(
    ("body", "param"),
    [({}, "query"), ({"query": " "}, "query"), ({"query": "a", "limit": 0}, "limit"), ({"query": 3}, "query")],
)
async def test_a_bad_query_says_where(served: Gateway, body: dict[str, Any], param: str) -> None:
    answer = await served.call("POST", "/api/search", json=body)
    assert (answer.status_code, answer.json()["param"]) == (400, param)
