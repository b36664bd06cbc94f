"""Why a transaction seems suspicious, in words that people who decide and people who are asked can follow."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tabular.features import Floats

MOST = 3


@dataclass(frozen=True, slots=True)
class Reason:
    """What speaks for fraud: the feature, its value, how much it adds to the log odds, and the sentence."""

    feature: str
    value: float | None
    weight: float
    text: str


Words = Callable[[float], str]


def _days(value: float) -> str:
    return "1 day" if round(value) == 1 else f"{round(value)} days"


def _times(value: float) -> str:
    return f"{value:.1f} times" if value < 10 else f"{value:.0f} times"


def _uses(days: int) -> Words:
    return lambda value: f"the card was used {round(value)} times within {_days(days)}, this time included"


def _mean(days: int) -> Words:
    return lambda value: f"the card's mean amount of the last {_days(days)} is {value:,.2f}"


def _terminal(days: int) -> Words:
    return lambda value: f"the terminal was used {round(value)} times in {_days(days)}, up to a week ago"


def _risk(days: int) -> Words:
    def said(value: float) -> str:
        share = f"{value:.0%} of what the terminal took in {_days(days)}, up to a week ago, was fraud"
        return share if value else f"no fraud is known at the terminal in {_days(days)}, up to a week ago"

    return said


_WORDS: Mapping[str, Words] = {
    "amount": lambda value: f"the amount is {value:,.2f}",
    "hour": lambda value: f"it is {int(value):02}:{int(value % 1 * 60):02} UTC",
    "night": lambda value: "it is night" if value else "it is day",
    "weekend": lambda value: "it is a weekend" if value else "it is a weekday",
    "card_uses_1h": lambda value: f"the card was used {round(value)} times within an hour, this time included",
    **{f"card_uses_{days}d": _uses(days) for days in (1, 7, 30)},
    **{f"card_mean_{days}d": _mean(days) for days in (1, 7, 30)},
    "amount_to_card_mean": lambda value: f"the amount is {_times(value)} the card's mean of 30 days",
    "card_mean_above": lambda value: (
        f"the amount is {abs(value):,.2f} {'above' if value > 0 else 'below'} the card's mean of 30 days"
    ),
    "hours_since_use": lambda value: f"the card was last used {value:.1f} hours ago",
    "card_frauds": lambda value: f"{round(value)} uses of the card are known as fraud",
    **{f"terminal_uses_{days}d": _terminal(days) for days in (1, 7, 30)},
    **{f"terminal_risk_{days}d": _risk(days) for days in (1, 7, 30)},
    "terminal_frauds_28d": lambda value: f"{round(value)} frauds at the terminal in 28 days, up to a week ago",
    "days_since_terminal_fraud": lambda value: f"the last known fraud at the terminal was {_days(value)} ago",
    "days_since_first_terminal_fraud": lambda value: f"known frauds at the terminal began {_days(value)} ago",
    "terminal_frauds_in_a_row": lambda value: f"the last {round(value)} known uses of the terminal were all fraud",
    "days_since_row_began": lambda value: f"nothing but fraud is known at the terminal since {_days(value)}",
    "amount_to_settled_mean": lambda value: f"the amount is {_times(value)} what the card paid two to six weeks ago",
    "card_high_uses_14d": lambda value: f"the card paid unusually much {round(value)} times in the last 14 days",
    "card_highest_14d": lambda value: f"in the last 14 days the card paid up to {_times(value)} its usual amount",
}


def reasons(names: Sequence[str], vector: Floats, contributions: Floats, most: int = MOST) -> tuple[Reason, ...]:
    """The features that raise the score most, the strongest first; those that lower it are none.

    Raises KeyError for a feature that there are no words for.
    """
    order = sorted(range(len(names)), key=lambda place: -contributions[place])[:most]
    found = []
    for place in order:
        weight, value = float(contributions[place]), float(vector[place])
        if weight <= 0:
            break
        text = f"{_label(names[place])} is not known" if math.isnan(value) else _WORDS[names[place]](value)
        found.append(Reason(names[place], None if math.isnan(value) else value, weight, text))
    return tuple(found)


def _label(name: str) -> str:
    return name.replace("_", " ")
