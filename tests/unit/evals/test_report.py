from html.parser import HTMLParser

from evals.gate import Change
from evals.report import render
from evals.runner import run
from tests.unit.evals.conftest import MakeSuite


class Page(HTMLParser):
    """Collects a page's text and everything it would fetch."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.fetched: list[str] = []
        self.plots = 0
        self.feed(html)
        self.text = " ".join(self.words)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.plots += tag == "svg"
        self.fetched += [value or "" for name, value in attrs if name in {"src", "href", "xlink:href"}]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


async def test_shows_figures_intervals_facts_and_plots_and_fetches_nothing(numbers: MakeSuite) -> None:
    finished = await run(numbers([1.0, 0.0, 0.5, 0.75]))
    page = Page(render(finished))
    interval = finished.metrics["share"]
    assert f"{interval.value:.4f}" in page.text
    assert f"{interval.low:.4f} to {interval.high:.4f}" in page.text
    assert "none & nothing" in page.text
    assert "lower is better" in page.text
    assert page.plots == 4, "a strip and a histogram for each of the two metrics"
    assert page.fetched == []


async def test_lists_the_worst_cases_first_with_their_details_escaped(numbers: MakeSuite) -> None:
    html = render(await run(numbers([0.9, 0.1, 0.5, 0.6, 0.7, 0.8, 1.0])))
    share = html.split("<section")[1]
    assert share.index("&lt;n1&gt;") < share.index("&lt;n2&gt;") < share.index("&lt;n3&gt;")
    assert "n6" not in share, "the best case is not among the five worst"
    lost = html.split("<section")[2]
    assert lost.index("&lt;n1&gt;") < lost.index("&lt;n2&gt;"), "worst is highest where lower is better"


async def test_names_regressions_and_errors(numbers: MakeSuite) -> None:
    worse = Page(render(await run(numbers([0.5, 0.5])), [Change("share", 0.9, 0.5, regressed=True)]))
    assert "Worse than the baseline: share." in worse.text
    assert "-0.4000 against 0.9000" in worse.text
    broken = Page(render(await run(numbers([0.5, -1.0]))))
    assert "1 of 2 cases ended in an error" in broken.text
    assert "ArithmeticError" in broken.text


async def test_a_run_in_which_everything_failed_still_has_a_report(numbers: MakeSuite) -> None:
    assert "2 of 2 cases" in Page(render(await run(numbers([-1.0, -2.0])))).text
