from html.parser import HTMLParser

from tabular.tasks.checks import check
from tabular.tasks.churn import CHURN
from tabular.tasks.report import agreement, render
from tabular.tasks.schema import Table
from tabular.tasks.training import Trained


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.images: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("src", "href"):
                (self.images if tag == "img" else self.links).append(str(value))


def test_the_page_says_everything_and_needs_nothing(churn: Trained, churn_table: Table) -> None:
    agreed = agreement(churn, count=8)
    assert agreed.rank.cases == 8
    assert agreed.rank.value > 0.5
    page = render(churn, check(CHURN, churn_table), agreed)
    read = Page()
    read.feed(page)
    assert read.links == []
    assert len(read.images) == 3
    assert all(each.startswith("data:image/png;base64,") and len(each) > 5_000 for each in read.images)
    for said in ("auc", "average-precision", "gender", "SeniorCitizen", "tenure", "LIME on 8", "speaks for leaving"):
        assert said in page
    assert f"{churn.figures['auc'].value:.3f}" in page
