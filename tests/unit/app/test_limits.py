import pytest

from app.limits import Limits
from core.errors import RateLimited
from core.identity import Credential
from core.settings import LimitSettings
from core.types import Principal, Role
from tests.fakes.gateway import Gateway


def credential(key_id: str = "key_a", requests: int | None = None, tokens: int | None = None) -> Credential:
    return Credential(Principal(key_id, "harbor", Role.CLIENT), "a", requests, tokens)


async def nothing_spent(_key_id: str) -> int:
    return 0


async def test_a_key_over_its_rate_waits_and_others_do_not() -> None:
    limits = Limits(LimitSettings(requests_per_minute=2), None, nothing_spent)
    headers = [dict(await limits.admit(credential())) for _ in range(2)]
    assert [each[b"x-ratelimit-remaining-requests"] for each in headers] == [b"1", b"0"]
    with pytest.raises(RateLimited) as refused:
        await limits.admit(credential())
    assert 0 < refused.value.retry_after <= 120
    await limits.admit(credential("key_b"))


async def test_a_key_s_own_limit_stands_before_the_settings() -> None:
    limits = Limits(LimitSettings(requests_per_minute=100), None, nothing_spent)
    await limits.admit(credential(requests=1))
    with pytest.raises(RateLimited):
        await limits.admit(credential(requests=1))


async def test_spent_tokens_close_the_day() -> None:
    limits = Limits(LimitSettings(), None, nothing_spent)
    await limits.admit(credential(tokens=10))
    await limits.spend(credential(tokens=10), 10)
    with pytest.raises(RateLimited) as refused:
        await limits.admit(credential(tokens=10))
    assert refused.value.code == "quota_exceeded"


async def test_a_restart_does_not_hand_out_the_quota_again() -> None:
    async def spent(_key_id: str) -> int:
        return 10

    limits = Limits(LimitSettings(), None, spent)
    with pytest.raises(RateLimited):
        await limits.admit(credential(tokens=10))
    await limits.admit(credential(tokens=11))


async def test_the_answers_carry_the_limits(served: Gateway) -> None:
    first, second = await served.chat(), await served.chat()
    left = [int(each.headers["x-ratelimit-remaining-requests"]) for each in (first, second)]
    assert first.headers["x-ratelimit-limit-requests"] == "600"
    assert left == [599, 598]
    assert first.headers["x-ratelimit-reset-requests"].endswith("s")
