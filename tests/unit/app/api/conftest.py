"""Keys of customers and of a second member of staff, and a company for each tenant."""

import pytest

from core.types import Role
from tests.fakes.company import CUSTOMERS, make_company
from tests.fakes.gateway import OTHER_TENANT, TENANT, Gateway


@pytest.fixture
async def office(served: Gateway) -> Gateway:
    """The gateway with `customer`, `neighbour` and `colleague` keys on top."""
    served.parts.companies |= {TENANT: make_company(), OTHER_TENANT: make_company()}
    create = served.parts.identity.create
    for name, customer in zip(("customer", "neighbour"), CUSTOMERS, strict=True):
        served.keys[name], _ = await create(TENANT, name, Role.CLIENT, customer_id=customer)
    served.keys["colleague"], _ = await create(TENANT, "colleague", Role.STAFF)
    return served
