from typing import Any

import pytest

from tests.fakes.gateway import Gateway


async def test_a_key_is_shown_once(served: Gateway) -> None:
    body = {"name": "till", "role": "client", "customer_id": "CUS-00210", "requests_per_minute": 5}
    made = (await served.call("POST", "/api/keys", json=body)).json()
    listed = (await served.call("GET", "/api/keys")).json()["data"]
    assert made["key"].startswith("wsk_")
    assert made.items() >= body.items()
    assert made["key"] not in str(listed)
    assert [key["id"] for key in listed].count(made["id"]) == 1


async def test_another_tenant_s_keys_do_not_exist(served: Gateway) -> None:
    mine = (await served.call("GET", "/api/keys")).json()["data"]
    theirs = (await served.call("GET", "/api/keys", role="stranger")).json()["data"]
    assert [key["name"] for key in theirs] == ["stranger"]
    assert (await served.call("DELETE", f"/api/keys/{mine[0]['id']}", role="stranger")).status_code == 404


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"role": "client"}, "name"),
        ({"name": "", "role": "client"}, "name"),
        ({"name": "a\n", "role": "client"}, "name"),
        ({"name": "a", "role": "king"}, "role"),
        ({"name": "a", "role": "staff", "customer_id": "CUS-1"}, "customer_id"),
        ({"name": "a", "role": "client", "tokens_per_day": 0}, "tokens_per_day"),
        ({"name": "a", "role": "client", "tokens_per_day": 2**31}, "tokens_per_day"),
    ],
)
async def test_a_bad_key_is_not_made(served: Gateway, body: dict[str, Any], param: str) -> None:
    answer = await served.call("POST", "/api/keys", json=body)
    assert (answer.status_code, answer.json()["param"]) == (400, param)
