"""The words of demand to come: what is expected of a product, and how an order is reckoned from it.

The demand of a stretch of days is a gamma: never negative, and skewed where it is slow (T. Burgin, Operational
Research Quarterly 26, 1975). Its distribution function is computed here by the usual series and continued fraction
(W. Press and others, Numerical Recipes, 3rd ed. 2007, section 6.2), since the gateway runs without scipy.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from statistics import NormalDist

from core.errors import InvalidInput

MOST_DAYS = 728
"""The longest stretch that anybody is asked about: 104 weeks."""

_NORMAL = NormalDist()
_NEARLY_NORMAL = 1e5
"""Of a shape above this the cube root is normal to seven digits (E. Wilson, M. Hilferty 1931), and the series slow."""
_NOTHING, _CERTAIN, _HARDLY_EVER = 1e-9, 1e-6, 1e-4
"""Pieces that are none, a share of the mean that is no doubt, a shape whose demand is nothing but for a rare surge."""
_TERMS = 10_000
_PRECISE = 1e-14


@dataclass(frozen=True, slots=True)
class Demand:
    """Pieces wanted in some stretch of days together: mean and standard deviation."""

    mean: float
    sd: float

    def quantile(self, level: float) -> float:
        """The demand that is not exceeded with this chance, in pieces. Raises `InvalidInput` outside of (0, 1)."""
        if not 0 < level < 1:
            raise InvalidInput(f"a service level lies between 0 and 1, not at {level}", param="service_level")
        if self.mean <= _NOTHING:
            return 0.0
        if self.sd <= _CERTAIN * self.mean:
            return self.mean
        if self._shape < _HARDLY_EVER:
            return 0.0
        return _quantile(level, self._shape) * self.mean / self._shape

    def short(self, stock: float) -> float:
        """The pieces that are expected to be wanted beyond this stock: the gamma's loss function."""
        if stock <= 0 or self.mean <= _NOTHING or self.sd <= _CERTAIN * self.mean:
            return max(0.0, self.mean - stock)
        if self._shape < _HARDLY_EVER:
            return self.mean
        shape = self._shape
        units = stock * shape / self.mean
        return max(0.0, self.mean * (1 - _lower(shape + 1, units)) - stock * (1 - _lower(shape, units)))

    @property
    def _shape(self) -> float:
        return (self.mean / self.sd) ** 2


@dataclass(frozen=True, slots=True, eq=False)
class Outlook:
    """What a product is expected to sell from the day `begins` on.

    `daily` holds the expected pieces of each day. The variance of the demand of n days together is its expectation
    times `dispersions[n - 1]`. `known_until` is the last day of sales that it was made from, `history` how many weeks
    of them there were; `method` says in words how, and `models` how much each of the library's models counted (none of
    them where another method spoke).
    """

    sku: str
    method: str
    known_until: date
    begins: date
    daily: tuple[float, ...]
    dispersions: tuple[float, ...]
    history: int
    models: tuple[tuple[str, float], ...] = ()

    def over(self, days: int, after: int = 0) -> Demand:
        """The demand of `days` together, the first being `after` days from the beginning.

        Raises ValueError beyond the days that it has.
        """
        if days < 0 or after < 0 or after + days > len(self.daily):
            raise ValueError(f"the forecast reaches {len(self.daily)} days, not {after + days}")
        if not days:
            return Demand(0.0, 0.0)
        mean = math.fsum(self.daily[after : after + days])
        return Demand(mean, math.sqrt(self.dispersions[days - 1] * mean))


def _lower(shape: float, x: float) -> float:
    """The chance that a gamma of this shape and scale one is at most `x`."""
    if x <= 0:
        return 0.0
    if shape > _NEARLY_NORMAL:
        spread = 1 / (9 * shape)
        return _NORMAL.cdf(((x / shape) ** (1 / 3) - 1 + spread) / math.sqrt(spread))
    front = math.exp(shape * math.log(x) - x - math.lgamma(shape))
    return front * _series(shape, x) if x < shape + 1 else 1 - front * _fraction(shape, x)


def _series(shape: float, x: float) -> float:
    term = total = 1 / shape
    for number in range(1, _TERMS):
        term *= x / (shape + number)
        total += term
        if term < total * _PRECISE:
            break
    return total


def _fraction(shape: float, x: float) -> float:
    """Lentz's way of evaluating a continued fraction."""
    tiny = 1e-300
    b = x + 1 - shape
    c, d = 1 / tiny, 1 / b
    found = d
    for number in range(1, _TERMS):
        a = -number * (number - shape)
        b += 2
        d = 1 / (a * d + b or tiny)
        c = b + a / c or tiny
        found *= c * d
        if abs(c * d - 1) < _PRECISE:
            break
    return found


def _quantile(level: float, shape: float) -> float:
    """Where `_lower` is `level`: Newton's steps, kept within a bracket that shrinks."""
    spread = 1 / (9 * shape)
    guess = shape * max(0.0, 1 - spread + _NORMAL.inv_cdf(level) * math.sqrt(spread)) ** 3
    if shape > _NEARLY_NORMAL:
        return guess
    low, high = 0.0, max(shape, guess)
    while _lower(shape, high) < level:
        low, high = high, 2 * high + 1
    x = guess if low < guess < high else (low + high) / 2
    for _ in range(200):
        off = _lower(shape, x) - level
        low, high = (low, x) if off > 0 else (x, high)
        slope = math.exp((shape - 1) * math.log(x) - x - math.lgamma(shape)) if x > 0 else 0.0
        following = x - off / slope if slope > 0 else low
        if not low < following < high:
            following = (low + high) / 2
        if abs(following - x) <= 1e-13 * shape:
            return following
        x = following
    return x
