"""An answer's text as it grows, in stretches that can be spoken: whole sentences, each as early as it is known."""

from __future__ import annotations

import re
from itertools import pairwise

from core.sentences import sentences

# A stretch that leaves with its full stop, and the marks of its citations, is finished: what comes begins anew.
_MARK = re.compile(r"\[\d{1,3}\]")
_FINISHED = re.compile(r"[.!?:][\"')\]]*(?:\s*\[\d{1,3}\])*\s*$")


class Stretches:
    """Takes text as it comes; nothing of it is lost: the stretches, joined, are the text."""

    def __init__(self) -> None:
        self._text = ""

    def feed(self, text: str) -> list[str]:
        """The stretches that are finished with this."""
        self._text += text
        # Citation marks belong to the sentence before them, and must not keep the next one from beginning.
        unmarked = _MARK.sub(lambda mark: " " * len(mark[0]), self._text)
        starts = [self._with_marker(start) for start, _ in sentences(unmarked)][1:]
        if _FINISHED.search(self._text):
            starts.append(len(self._text))
        cuts = [0, *starts]
        found = [self._text[start:end] for start, end in pairwise(cuts)]
        self._text = self._text[cuts[-1] :]
        return [stretch for stretch in found if stretch]

    def _with_marker(self, start: int) -> int:
        """A list item's marker belongs to the item."""
        line = self._text.rfind("\n", 0, start) + 1
        return line if not any(map(str.isalpha, self._text[line:start])) else start

    def end(self) -> list[str]:
        """What is left."""
        rest, self._text = self._text, ""
        return [rest] if rest else []
