import base64
from typing import Any

import numpy as np
import pytest

from tests.fakes.gateway import Gateway


async def embed(served: Gateway, **body: Any) -> Any:
    return await served.call("POST", "/v1/embeddings", json={"model": "hash-4", **body})


async def test_vectors_come_in_the_order_of_the_inputs(served: Gateway) -> None:
    answer = (await embed(served, input=["one two", "three"])).json()
    expected = await served.parts.embeddings.aembed(["one two", "three"])
    assert [each["index"] for each in answer["data"]] == [0, 1]
    np.testing.assert_allclose([each["embedding"] for each in answer["data"]], expected, rtol=1e-6)
    assert answer["usage"] == {"prompt_tokens": 3, "total_tokens": 3}


async def test_base64_holds_the_same_numbers(served: Gateway) -> None:
    answer = (await embed(served, input="one", encoding_format="base64", dimensions=4)).json()
    decoded = np.frombuffer(base64.b64decode(answer["data"][0]["embedding"]), "<f4")
    np.testing.assert_array_equal(decoded, (await served.parts.embeddings.aembed(["one"]))[0])


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        ({"input": ""}, 400, "input"),
        ({"input": []}, 400, "input"),
        ({"input": ["a", " "]}, 400, "input.1"),
        ({"input": [1, 2]}, 400, "input"),
        ({"input": [[1], [2]]}, 400, "input"),
        ({"input": ["a"] * 257}, 400, "input"),
        ({"input": "a", "dimensions": 3}, 400, "dimensions"),
        ({"input": "a", "user": "jo"}, 400, "user"),
        ({"input": "a", "encoding_format": "int8"}, 400, "encoding_format"),
        ({"input": "a", "model": "other"}, 404, "model"),
        ({"input": "a" * 100_001}, 413, "input"),
    ],
)
async def test_what_is_refused_says_where(served: Gateway, body: dict[str, Any], status: int, param: str) -> None:
    answer = await embed(served, **body)
    assert (answer.status_code, answer.json()["param"]) == (status, param)
