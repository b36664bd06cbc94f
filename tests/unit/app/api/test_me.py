import pytest

from tests.fakes.gateway import OTHER_TENANT, TENANT, Gateway


@pytest.mark.parametrize(
    ("role", "tenant", "told", "customer"),
    [
        ("client", TENANT, "client", None),
        ("customer", TENANT, "client", "CUS-00001"),
        ("staff", TENANT, "staff", None),
        ("stranger", OTHER_TENANT, "admin", None),
    ],
)
async def test_a_key_learns_whom_it_stands_for(
    office: Gateway, role: str, tenant: str, told: str, customer: str | None
) -> None:
    answer = (await office.call("GET", "/api/me", role=role)).json()
    assert answer.pop("key_id").startswith("key_")
    assert answer == {"object": "principal", "tenant": tenant, "role": told, "customer_id": customer}


async def test_nobody_is_nobody(office: Gateway) -> None:
    assert (await office.http.get("/api/me")).status_code == 401
