"""The report of a check, as people read it."""

from __future__ import annotations

from app.drift.checks import Kept
from tabular.drift.report import render

_TIME = "%Y-%m-%d %H:%M UTC"


def page(kept: Kept) -> str:
    """The whole page."""
    new = kept.of
    version = "no version" if new.version is None else f"version {new.version}"
    facts = {
        "model": f"{new.model}, {version}",
        "checked": kept.at.strftime(_TIME),
        "window": f"{new.begin.strftime(_TIME)} to {new.end.strftime(_TIME)}",
        "decisions in it": f"{new.rows:,}",
        "decisions whose outcome is known": f"{new.matured:,}",
    }
    return render(f"Drift of {new.model}", facts, new.check, [each.finding for each in kept.findings])
