from typing import Any

import pytest

from tests.fakes.gateway import Gateway


async def put(served: Gateway, namespace: list[str], key: str, **value: Any) -> None:
    answer = await served.call("PUT", "/store/items", json={"namespace": namespace, "key": key, "value": value})
    assert answer.status_code == 204


async def test_an_item_is_kept_changed_and_removed(served: Gateway) -> None:
    await put(served, ["users", "ann"], "likes", tea=True)
    at = {"namespace": "users.ann", "key": "likes"}
    first = (await served.call("GET", "/store/items", params=at)).json()
    assert (first["namespace"], first["key"], first["value"]) == (["users", "ann"], "likes", {"tea": True})
    await put(served, ["users", "ann"], "likes", tea=False)
    second = (await served.call("GET", "/store/items", params=at)).json()
    assert (second["value"], second["created_at"]) == ({"tea": False}, first["created_at"])
    for _ in range(2):
        gone = await served.call("DELETE", "/store/items", json={"namespace": ["users", "ann"], "key": "likes"})
        assert gone.status_code == 204
    assert (await served.call("GET", "/store/items", params=at)).status_code == 404


async def test_items_are_found_by_prefix_and_filter(served: Gateway) -> None:
    for number, namespace in enumerate((["a"], ["a", "b"], ["a", "b", "c"], ["ab"], ["a%"])):
        await put(served, namespace, f"k{number}", n=number, even=number % 2 == 0)

    async def search(**body: Any) -> list[str]:
        return [item["key"] for item in (await served.call("POST", "/store/items/search", json=body)).json()["items"]]

    assert await search(namespace_prefix=[]) == ["k4", "k3", "k2", "k1", "k0"]
    assert await search(namespace_prefix=["a"]) == ["k2", "k1", "k0"]
    assert await search(namespace_prefix=["a%"]) == ["k4"]
    assert await search(namespace_prefix=["a"], filter={"even": True}) == ["k2", "k0"]
    assert await search(namespace_prefix=[], filter={"n": {"$gte": 1, "$lt": 3}}) == ["k2", "k1"]
    assert await search(namespace_prefix=[], filter={"n": {"$ne": 3}}, limit=2, offset=1) == ["k2", "k1"]
    assert await search(namespace_prefix=[], filter={"n": {"$gt": "1"}}) == []


async def test_namespaces_are_listed(served: Gateway) -> None:
    for namespace in (["a", "x", "1"], ["a", "y", "1"], ["b", "x", "2"]):
        await put(served, namespace, "k")

    async def listed(**body: Any) -> list[list[str]]:
        found = await served.call("POST", "/store/namespaces", json=body)
        return list(found.json()["namespaces"])

    assert await listed() == [["a", "x", "1"], ["a", "y", "1"], ["b", "x", "2"]]
    assert await listed(prefix=["a"], max_depth=2) == [["a", "x"], ["a", "y"]]
    assert await listed(prefix=["*", "x"]) == [["a", "x", "1"], ["b", "x", "2"]]
    assert await listed(suffix=["1"], limit=1, offset=1) == [["a", "y", "1"]]
    assert await listed(max_depth=1) == [["a"], ["b"]]


@pytest.mark.parametrize(
    ("method", "path", "body", "param"),
    [
        ("PUT", "/store/items", {"namespace": ["a"], "key": "k", "value": {}, "ttl": 5}, "ttl"),
        ("PUT", "/store/items", {"namespace": ["a"], "key": "k", "value": {}, "index": ["x"]}, "index"),
        ("POST", "/store/items/search", {"namespace_prefix": [], "query": "tea"}, "query"),
        ("POST", "/store/items/search", {"namespace_prefix": [], "refresh_ttl": True}, "refresh_ttl"),
        ("POST", "/store/items/search", {"namespace_prefix": [], "filter": {"n": {"$near": 1}}}, "filter"),
        ("PUT", "/store/items", {"namespace": ["a.b"], "key": "k", "value": {}}, "namespace.0"),
        ("PUT", "/store/items", {"namespace": [], "key": "k", "value": {}}, "namespace"),
    ],
)
async def test_what_is_not_honoured_is_refused(
    served: Gateway, method: str, path: str, body: dict[str, Any], param: str
) -> None:
    await put(served, ["a"], "other", n=1)
    answer = await served.call(method, path, json=body)
    assert (answer.status_code, answer.json()["param"]) == (400, param)
