from tests.fakes.gateway import Gateway


async def test_the_agent_comes_first(served: Gateway) -> None:
    body = (await served.call("GET", "/v1/models", role="client")).json()
    assert [(model["id"], model["owned_by"]) for model in body["data"]] == [
        ("wayside", "wayside"),
        ("echo-1", "null"),
        ("hash-4", "embedded"),
    ]


async def test_one_model_is_the_same_as_in_the_list(served: Gateway) -> None:
    listed = (await served.call("GET", "/v1/models")).json()["data"][1]
    assert (await served.call("GET", "/v1/models/echo-1")).json() == listed
