import re

from tabular.drift.checking import check
from tabular.drift.report import render
from tabular.drift.results import Check
from tests.unit.tabular.drift.test_drift_checking import WORLD, whole


def test_the_page_shows_what_moved_and_everything_else() -> None:
    made = check(whole(WORLD), WORLD.week(9, add=1.2), WORLD.outcomes(9))
    page = render("Drift of <fraud>", {"model": "<b>7</b>"}, made)
    assert "<b>7</b>" not in page
    assert "Drift of &lt;fraud&gt;" in page
    assert "1 thing has moved." in page
    # A plot for each column and figure, the moved one open.
    assert page.count("<svg") == 2 * len(made.compared) + len(made.achieved)
    assert page.count("<details open>") == 1
    # It fetches nothing and runs nothing.
    assert re.search(r"<script|https?://|url\(|@import|<link", page) is None


def test_nothing_is_said_where_nothing_can_be() -> None:
    page = render("Drift", {}, Check(unknown=("what the model meets: the window holds 3 rows",)))
    assert "Nothing can be said." in page
    assert "the window holds 3 rows" in page
    assert "<svg" not in page
