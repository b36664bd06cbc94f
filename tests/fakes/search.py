"""A `PassageSearch` that finds what it was told to find."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.errors import InvalidInput
from core.types import Beside, Findings, Hit, Passage, Scope


def passage(text: str, *, document: str = "returns", title: str = "Returns", position: int = 0) -> Passage:
    """A passage that begins its document."""
    return Passage(document, title, (), text, 0, len(text), position)


class FakeSearch:
    """Finds the passages of the first key that stands in the query, and before them, of those beside, the ones that
    share a long word with it; nothing otherwise. Remembers what was asked.
    """

    def __init__(self, passages: Mapping[str, Sequence[Passage]], answerability: float = 0.9) -> None:
        self._passages = passages
        self._answerability = answerability
        self.asked: list[tuple[str, Scope]] = []
        self.priors: list[float] = []

    async def search(self, query: str, scope: Scope, limit: int = 10, beside: Beside | None = None) -> Findings:
        if not query.strip():
            raise InvalidInput("the query is empty", param="query")
        self.asked.append((query, scope))
        found = [passages for key, passages in self._passages.items() if key in query.lower()][:1]
        if beside is not None:
            self.priors.append(beside.prior)
            long = {word.strip("?.,") for word in query.lower().split() if len(word) > 4}
            found.insert(0, [each for each in beside.passages if any(word in each.text.lower() for word in long)])
        hits = tuple(Hit(p, 1.0 - n / 10) for n, p in enumerate([p for each in found for p in each][:limit]))
        return Findings(hits, self._answerability if hits else 0.0)
