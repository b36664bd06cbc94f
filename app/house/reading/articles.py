"""Questions on the demo's help articles: a section that answers them, or other sections of the article that do not."""

import random
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from app.demo.load import ARTICLES
from app.house.reading.grammar import holds
from app.house.reading.paragraph import Question

_WORDS = 60
_OWN = 0.7


@dataclass(frozen=True)
class ArticleAsk:
    """A question on an article in several wordings, and the answer that a section gives word for word."""

    article: str
    section: str
    answer: str
    wordings: tuple[str, ...]


class Excerpt:
    """Some sections of one article that follow each other.

    Args:
        draw: Where chance comes from.
    """

    def __init__(self, draw: random.Random) -> None:
        self._draw = draw
        self._article = draw.choice(sorted({ask.article for ask in article_asks()}))
        told = sections(self._article)
        first = draw.choice([ask.section for ask in article_asks() if ask.article == self._article])
        start = list(told).index(first)
        before, after = list(told)[:start], list(told)[start + 1 :]
        self.text = told[first]
        while (before or after) and len(self.text.split()) < _WORDS:
            self.text = f"{self.text} {told[after.pop(0)]}" if after else f"{told[before.pop()]} {self.text}"

    def answered(self) -> Question | None:
        """Draw a question that these sections answer; None where there is none."""
        return self._question(self._asks(answered=True), answered=True)

    def unanswered(self) -> Question | None:
        """Draw a question that another section answers, of this article rather than of another."""
        asks = self._asks(answered=False)
        own = [ask for ask in asks if ask.article == self._article]
        return self._question(own if own and self._draw.random() < _OWN else asks, answered=False)

    def _asks(self, *, answered: bool) -> list[ArticleAsk]:
        def here(ask: ArticleAsk) -> bool:
            return ask.article == self._article and sections(ask.article)[ask.section] in self.text

        return [ask for ask in article_asks() if here(ask) is answered and holds(self.text, ask.answer) is answered]

    def _question(self, asks: list[ArticleAsk], *, answered: bool) -> Question | None:
        if not asks:
            return None
        ask = self._draw.choice(asks)
        fact = f"{ask.article} {ask.section} {ask.answer}"
        return Question(self._draw.choice(ask.wordings), ask.answer if answered else None, fact)


@cache
def article_asks() -> tuple[ArticleAsk, ...]:
    """Read what is asked of the articles."""
    raw = tomllib.loads(files(__package__).joinpath("articles.toml").read_text(encoding="utf-8"))
    return tuple(ArticleAsk(**(one | {"wordings": tuple(one["wordings"])})) for one in raw["asks"])


@cache
def sections(article: str) -> dict[str, str]:
    """Give the sections of an article by their headings, as prose without tables; FileNotFoundError for no article."""
    text = (ARTICLES / f"{article}.md").read_text(encoding="utf-8")
    parts = [part.partition("\n") for part in re.split(r"^#+ ", text, flags=re.MULTILINE)[1:]]
    return {name: prose for name, _, body in parts if (prose := _prose(body))}


def _prose(body: str) -> str:
    lines = [line.strip() for line in body.splitlines() if line.strip() and not line.startswith("|")]
    return " ".join(re.sub(r"\*+|^(?:-|\d+\.) ", "", line) for line in lines)
