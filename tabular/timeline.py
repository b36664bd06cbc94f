"""What happened to one card, terminal or customer, ordered by when it happened, and sums over any stretch of it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator


class Timeline:
    """Amounts by time, both whole numbers, so that sums are exact and the order of arrival leaves no trace.

    Adding at the end takes constant time, adding late the length of what came after; a window is two bisections.
    Nothing older than `horizon` before the newest entry is ever told, so that a timeline read from the middle of the
    log says the same as one read from its beginning.
    """

    __slots__ = ("_horizon", "_start", "_times", "_totals")

    def __init__(self, horizon: int) -> None:
        self._horizon = horizon
        self._times: list[int] = []
        # _totals[i] is the sum of everything up to and with entry i; windows take differences, so a start that was
        # dropped need not be subtracted.
        self._totals: list[int] = []
        self._start = 0

    def add(self, at: int, amount: int) -> None:
        """Take in an amount, which may be negative: a retraction is the same time with the amount's opposite."""
        times, totals = self._times, self._totals
        if not times or at >= times[-1]:
            times.append(at)
            totals.append((totals[-1] if totals else self._start) + amount)
            if times[0] < at - 2 * self._horizon:
                self._forget(at - self._horizon)
            return
        if at < times[-1] - self._horizon:
            return
        place = bisect_right(times, at)
        before = totals[place - 1] if place else self._start
        times.insert(place, at)
        totals.insert(place, before + amount)
        for later in range(place + 1, len(totals)):
            totals[later] += amount

    @property
    def newest(self) -> int | None:
        """The time of the newest entry."""
        return self._times[-1] if self._times else None

    def window(self, after: int, until: int) -> tuple[int, int]:
        """How many entries lie in (after, until], and their sum."""
        times, totals = self._times, self._totals
        if not times:
            return 0, 0
        high = bisect_right(times, until)
        low = bisect_right(times, max(after, times[-1] - self._horizon - 1), 0, high)
        if low == high:
            return 0, 0
        return high - low, totals[high - 1] - (totals[low - 1] if low else self._start)

    def latest(self, until: int) -> int | None:
        """The time of the last entry up to and with `until`, if that is within the horizon before `until`."""
        place = bisect_right(self._times, until)
        if place == 0 or self._times[place - 1] < max(until, self._times[-1]) - self._horizon:
            return None
        return self._times[place - 1]

    def entries(self, after: int, until: int) -> Iterator[tuple[int, int]]:
        """Time and amount of each entry in (after, until], the latest first."""
        times, totals = self._times, self._totals
        if not times:
            return
        low = bisect_right(times, max(after, times[-1] - self._horizon - 1))
        for place in range(bisect_right(times, until) - 1, low - 1, -1):
            yield times[place], totals[place] - (totals[place - 1] if place else self._start)

    def _forget(self, before: int) -> None:
        # What lies at the horizon itself is told still.
        place = bisect_left(self._times, before)
        if place:
            self._start = self._totals[place - 1]
            del self._times[:place], self._totals[:place]
