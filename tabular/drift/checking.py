"""One check: a window beside the reference, what was found in it, and what could not be said."""

from __future__ import annotations

from collections.abc import Collection

from core.errors import InvalidInput
from tabular.drift.comparing import compare
from tabular.drift.concept import Outcomes, achieved
from tabular.drift.findings import Rule, find
from tabular.drift.reference import Reference, Sample
from tabular.drift.results import Achieved, Check, Compared


def check(
    reference: Reference,
    window: Sample,
    outcomes: Outcomes,
    weeks: int = 1,
    rule: Rule | None = None,
    open_: Collection[tuple[str, str]] = (),
) -> Check:
    """Check `window`, what the model met, and `outcomes`, what became of an earlier window, both of so many weeks.

    Where either holds too little, the other is looked at all the same. `open_` is what the check before found.
    """
    compared, figures, unknown = list[Compared](), list[Achieved](), list[str]()
    try:
        compared = compare(reference, window, weeks)
    except InvalidInput as problem:
        unknown.append(f"what the model meets: {problem.message}")
    try:
        figures = achieved(reference, outcomes, weeks)
    except InvalidInput as problem:
        unknown.append(f"what it achieves: {problem.message}")
    found = find(compared, figures, rule or Rule(), open_)
    return Check(tuple(compared), tuple(figures), tuple(found), tuple(unknown))
