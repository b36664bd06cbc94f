from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tabular.timeline import Timeline

HORIZON = 100
ENTRIES = st.lists(st.tuples(st.integers(0, 400), st.integers(-50, 50)), max_size=60)


def _filled(entries: list[tuple[int, int]]) -> Timeline:
    made = Timeline(HORIZON)
    for at, amount in entries:
        made.add(at, amount)
    return made


@given(ENTRIES, st.integers(0, 400), st.integers(0, HORIZON))
def test_a_window_sums_what_lies_in_it(entries: list[tuple[int, int]], until: int, length: int) -> None:
    newest = -1
    kept: list[tuple[int, int]] = []
    for at, amount in entries:
        if at >= newest - HORIZON:
            kept.append((at, amount))
        newest = max(newest, at)
    after = max(until - length, newest - HORIZON - 1)
    inside = [amount for at, amount in kept if after < at <= until]
    made = _filled(entries)
    assert made.window(until - length, until) == (len(inside), sum(inside))
    found = list(made.entries(until - length, until))
    assert sorted(amount for _, amount in found) == sorted(inside)
    assert [at for at, _ in found] == sorted((at for at, _ in found), reverse=True)


@given(st.permutations([(at, at * 7 % 11) for at in range(0, 90, 6)]), st.integers(0, 90), st.integers(0, 90))
def test_the_order_of_arrival_leaves_no_trace(entries: list[tuple[int, int]], after: int, until: int) -> None:
    assert _filled(entries).window(after, until) == _filled(sorted(entries)).window(after, until)


@given(ENTRIES, st.integers(0, 60))
def test_one_begun_later_says_the_same(entries: list[tuple[int, int]], skipped: int) -> None:
    """A state that is made from the middle of the log equals one made from its beginning, within the horizon."""
    ordered = sorted(entries)
    late = ordered[skipped:]
    if not late:
        return
    newest, first = late[-1][0], late[0][0]
    whole, part = _filled(ordered), _filled(late)
    for after in range(first, newest, 9):
        assert whole.window(after, newest) == part.window(after, newest)
    assert whole.latest(newest) == part.latest(newest) == newest


def test_the_latest_is_told_within_the_horizon() -> None:
    made = _filled([(10, 1), (60, 1)])
    assert (made.latest(9), made.latest(10), made.latest(59), made.latest(200)) == (None, 10, 10, None)
    assert made.latest(160) == 60


def test_what_was_forgotten_is_not_told_late_either() -> None:
    made = _filled([(0, 5), (500, 1), (390, 9)])
    assert made.window(-1, 600) == (1, 1)


def test_what_lies_at_the_horizon_is_told_however_much_was_before_it() -> None:
    last = [(150, 7), (250, 1)]
    assert _filled([(0, 1), *last]).window(149, 250) == _filled(last).window(149, 250) == (2, 8)
