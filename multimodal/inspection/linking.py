"""Which photo a statement speaks of: it says so, it shares numbers or words with it, or it was said just after."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from multimodal.inspection.evidence import Evidence, Photo, Statement, statements
from multimodal.inspection.numbers import digit
from multimodal.inspection.report import Citation, Origin, PhotoLink

_ORDINALS = {word: number for number, word in enumerate("first second third fourth fifth sixth".split(), start=1)}
_PICTURE = r"(?:photo|picture|image|shot)(?:graph)?"
_NUMBERED = re.compile(rf"\b{_PICTURE} (?:number )?(\w+)\b|\b(\w+) {_PICTURE}\b", re.IGNORECASE)
_THIS = re.compile(rf"\b(?:this|that|the|last|previous) {_PICTURE}\b", re.IGNORECASE)
_NEXT = re.compile(rf"\b(?:next|following) {_PICTURE}\b", re.IGNORECASE)
_TOKEN = re.compile(r"[^\W_]+(?:[.,/-][^\W_]+)*")
_STOP = frozenset(
    "about after again also area been before being below between both check checked does down each every from good "
    "have here high into just light like look looks made make more much need needs normal number only other over photo "
    "picture place reads says show shows side some than that them then there these they thing this those through under "
    "very well were what when where which while will with your".split()
)
# A number in common is a coincidence less often than a word: one is enough, of words it takes two.
_ENOUGH = 2


@dataclass(frozen=True, slots=True)
class _Shown:
    photo: Photo
    lines: Sequence[tuple[Statement, frozenset[str]]]


class Links:
    """The photos among the evidence, and the order of what has a time."""

    def __init__(self, evidence: Sequence[Evidence]) -> None:
        self._shown = [
            _Shown(each, [(line, _tokens(line.text)) for line in statements(each)])
            for each in evidence
            if isinstance(each, Photo)
        ]
        self._sequence = [each for each in evidence if each.captured is not None]

    def of(self, statement: Statement, source: Evidence) -> tuple[tuple[PhotoLink, ...], tuple[Citation, ...]]:
        """The photos that the statement speaks of, and the lines in them that it has words in common with."""
        if isinstance(source, Photo):
            return (PhotoLink(source.number, "read in it"),), ()
        shared = self._shared(statement.text)
        lines = tuple(line for _, line in shared)
        if named := self._named(statement.text, source):
            return named, lines
        if shared:
            by_photo: dict[int, list[str]] = {}
            for words, line in shared:
                by_photo.setdefault(line.number, []).extend(words)
            links = tuple(
                PhotoLink(number, "in common: " + ", ".join(dict.fromkeys(words))) for number, words in by_photo.items()
            )
            return links, lines
        return self._near(source), ()

    def _named(self, text: str, source: Evidence) -> tuple[PhotoLink, ...]:
        numbers = {shown.photo.number for shown in self._shown}
        if _NEXT.search(text):
            return self._near(source, after=True)
        for match in _NUMBERED.finditer(text):
            word = (match[1] or match[2]).lower()
            said = int(word) if word.isdecimal() else _ORDINALS.get(word) or int(digit(word) or 0)
            if said in numbers:
                return (PhotoLink(said, f"named: “{match.group()}”"),)
        return self._near(source) if _THIS.search(text) else ()

    def _shared(self, text: str) -> list[tuple[list[str], Citation]]:
        """The lines of the photo that has most in common with the text, and what each has in common."""
        said = _tokens(text)
        best: list[tuple[list[str], Citation]] = []
        most = 0
        for shown in self._shown:
            common = [(sorted(said & words), line.citation) for line, words in shown.lines if said & words]
            score = sum(_weight(word) for words, _ in common for word in words)
            if score >= _ENOUGH and score > most:
                best, most = common, score
        return best

    def _near(self, source: Evidence, *, after: bool = False) -> tuple[PhotoLink, ...]:
        if len(self._shown) == 1:
            return (PhotoLink(self._shown[0].photo.number, "the only photo"),)
        if source.captured is None or not self._sequence:
            return ()
        place = self._sequence.index(source)
        before = [each for each in self._sequence[:place] if isinstance(each, Photo)]
        behind = [each for each in self._sequence[place + 1 :] if isinstance(each, Photo)]
        if behind and (after or not before):
            return (PhotoLink(behind[0].number, "taken just after"),)
        return (PhotoLink(before[-1].number, "taken just before"),) if before else ()


def _tokens(text: str) -> frozenset[str]:
    found = {each.lower() for each in _TOKEN.findall(text)}
    return frozenset(
        each for each in found if (re.search(r"\d", each) and len(each) > 1) or (len(each) >= 4 and each not in _STOP)
    )


def _weight(word: str) -> int:
    return 2 if re.search(r"\d", word) else 1


def place(citation: Citation) -> str:
    """Where a citation points, in words: "photo 2, line 1" or "note 1 at 0:03"."""
    if citation.origin is Origin.PHOTO:
        return f"photo {citation.number}, line {citation.line}"
    if citation.origin is Origin.DESCRIPTION:
        return f"the description of photo {citation.number}"
    if citation.origin is Origin.VOICE:
        return f"note {citation.number} at {clock(citation.start or 0.0)}"
    return "the typed note"


def clock(seconds: float) -> str:
    """Seconds as minutes and seconds: "1:07"."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
