import asyncio

import pytest

from app.engines.breaker import CircuitBreaker, State
from core.errors import EngineRejected, EngineTimeout, EngineUnavailable


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def fail(breaker: CircuitBreaker, error: BaseException) -> None:
    with pytest.raises(type(error)), breaker.attempt():
        raise error


def state_of(breaker: CircuitBreaker) -> State:
    return breaker.state


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def opened(clock: Clock) -> CircuitBreaker:
    breaker = CircuitBreaker(2, 30.0, clock)
    fail(breaker, EngineUnavailable("down"))
    fail(breaker, EngineTimeout("slow"))
    return breaker


def test_opens_after_failures_in_a_row(opened: CircuitBreaker) -> None:
    assert state_of(opened) is State.OPEN
    with pytest.raises(EngineUnavailable, match="circuit breaker"), opened.attempt():
        pytest.fail("an open breaker let an attempt through")


def test_a_success_between_failures_starts_the_count_again(clock: Clock) -> None:
    breaker = CircuitBreaker(2, 30.0, clock)
    fail(breaker, EngineUnavailable("down"))
    with breaker.attempt():
        pass
    fail(breaker, EngineUnavailable("down"))
    assert state_of(breaker) is State.CLOSED


def test_a_rejected_request_is_no_failure(clock: Clock) -> None:
    breaker = CircuitBreaker(1, 30.0, clock)
    fail(breaker, EngineRejected("bad request"))
    assert state_of(breaker) is State.CLOSED


def test_half_open_lets_one_trial_through(opened: CircuitBreaker, clock: Clock) -> None:
    clock.now += 30
    assert state_of(opened) is State.HALF_OPEN
    with opened.attempt(), pytest.raises(EngineUnavailable, match="circuit breaker"), opened.attempt():
        pytest.fail("a second trial was let through")
    assert state_of(opened) is State.CLOSED


def test_a_failed_trial_opens_it_again(opened: CircuitBreaker, clock: Clock) -> None:
    clock.now += 30
    fail(opened, EngineUnavailable("still down"))
    assert state_of(opened) is State.OPEN
    clock.now += 29
    assert state_of(opened) is State.OPEN


def test_a_cancelled_trial_decides_nothing_and_makes_room_for_another(opened: CircuitBreaker, clock: Clock) -> None:
    clock.now += 30
    fail(opened, asyncio.CancelledError())
    with opened.attempt():
        assert state_of(opened) is State.HALF_OPEN
    assert state_of(opened) is State.CLOSED
