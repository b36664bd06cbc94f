from datetime import date

import pytest

from app.demo.company import Company, generate


@pytest.fixture(scope="session")
def company() -> Company:
    return generate()


@pytest.fixture(scope="session")
def sunday_company() -> Company:
    """Another seed, seen on a day on which nothing is packed."""
    return generate(seed=11, today=date(2025, 3, 2))


@pytest.fixture(params=["company", "sunday_company"])
def any_company(request: pytest.FixtureRequest) -> Company:
    found: Company = request.getfixturevalue(request.param)
    return found
