import pytest

from tests.fakes.gateway import Gateway


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic abc", "Bearer wsk_wrong", "wsk_naked"])
@pytest.mark.parametrize("path", ["/v1/models", "/api/keys", "/api/nowhere", "/metrics"])
async def test_without_a_known_key_nothing_opens(served: Gateway, header: str, path: str) -> None:
    answer = await served.http.get(path, headers={"authorization": header} if header else {})
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "invalid_api_key"
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_stranger_s_body_is_not_read(served: Gateway) -> None:
    # Malformed on purpose: had it been parsed, the answer would be 400.
    answer = await served.http.post("/v1/chat/completions", content=b"{", headers={"authorization": "Bearer x"})
    assert answer.status_code == 401


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/docs", "/openapi.json"])
async def test_what_tells_nothing_needs_no_key(served: Gateway, path: str) -> None:
    assert (await served.http.get(path)).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "least"),
    [
        ("GET", "/v1/models", "client"),
        ("GET", "/api/documents", "client"),
        ("DELETE", "/api/documents/x", "staff"),
        ("POST", "/api/documents/x/reindex", "staff"),
        ("GET", "/metrics", "engineer"),
        ("GET", "/api/keys", "admin"),
    ],
)
async def test_a_role_may_do_what_earlier_ones_may(served: Gateway, method: str, path: str, least: str) -> None:
    roles = ["client", "staff", "engineer", "admin"]
    refused = {role for role in roles if (await served.call(method, path, role=role)).status_code == 403}
    assert refused == set(roles[: roles.index(least)])


async def test_a_revoked_key_ends_at_once(served: Gateway) -> None:
    made = (await served.call("POST", "/api/keys", json={"name": "till", "role": "client"})).json()
    headers = {"authorization": f"Bearer {made['key']}"}
    assert (await served.http.get("/v1/models", headers=headers)).status_code == 200
    assert (await served.call("DELETE", f"/api/keys/{made['id']}")).status_code == 204
    assert (await served.http.get("/v1/models", headers=headers)).status_code == 401
