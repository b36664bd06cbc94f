"""Splitting a document into passages that an embedding model reads whole."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

from core.sentences import sentences
from core.types import Passage
from retrieval.pieces import estimate
from retrieval.readers.text import ReadText, Section

# all-MiniLM-L6-v2 reads 256 word pieces, [CLS] and [SEP] among them; the distance is for the error of `estimate`.
PIECES = 240
# What title and headings, which are embedded along with the text, are allowed; longer ones are cut by the model.
NAME_PIECES = 64
# Where long text may break, the best places first. Sentences come between lines and words.
_PARAGRAPH, _LINE, _SENTENCE, _WORD = range(4)
_WORDS = re.compile(r"\S{1,50}")

_Stretch = tuple[tuple[str, ...], int, int]  # headings, start, end
_Atom = tuple[int, int, int, float]  # start, end, rank of the break before it, share of a passage


def split(document_id: str, read: ReadText, size: int = 180, together: int = 40) -> list[Passage]:
    """Return the document's passages in order. They do not overlap, and `read.text[p.start:p.end] == p.text`.

    `size` is the most words of a passage. Together with its title and headings it also has at most 240 word pieces
    by `estimate`, so that a BERT model of 256 reads all of it.

    A section is a passage, because people ask about what a section tells. Only small ones stay together, as many
    neighbours under one parent as have at most `together` words in sum: a whole short document, a heading with all
    that is below it. Their headings then are lines of the text; a passage's own path is never repeated in its
    text. What does not fit breaks between paragraphs, then list items or table rows, then sentences, then words,
    into parts of about equal length.
    """
    if size < 1:
        raise ValueError(f"a passage has at least one word, not {size}")
    splitter = _Splitter(read, size, together)
    passages: list[Passage] = []
    for headings, start, end in splitter.together(read.sections, ()):
        text = read.text[start:end]
        start += len(text) - len(text.lstrip())
        if text := text.strip():
            place = (start, start + len(text), len(passages))
            passages.append(Passage(document_id, read.title, headings, text, *place))
    return passages


class _Splitter:
    """Chooses the stretches of one document."""

    def __init__(self, read: ReadText, size: int, together: int) -> None:
        self._text = read.text
        self._size = size
        self._together = together
        self._title = estimate(read.title)
        self._costs = {s.start: self._cost(s.start, s.end) for s in read.sections}

    def together(self, sections: Sequence[Section], path: tuple[str, ...]) -> Iterator[_Stretch]:
        """Stretches of consecutive sections that all stand under `path`."""
        first = sections[0]
        own = len(first.headings) == len(path)
        if self._fits(sections, path):
            if (
                own and not self._text[first.body : sections[-1].end].strip()
            ):  # a heading with nothing below it is said in the text, not only in the path
                yield path[:-1], first.start, sections[-1].end
            else:
                yield path, first.body if own else first.start, sections[-1].end
        elif len(sections) == 1 and own:
            yield from ((path, start, end) for start, end in self._cut(first.body, first.end, path))
        else:
            bare = own and not self._text[first.body : first.end].strip()
            for run in self._runs(_groups(sections[bare:], len(path)), path):
                yield from self.together([s for group in run for s in group], self._path_of(run, path))

    def _runs(self, groups: list[list[Section]], path: tuple[str, ...]) -> Iterator[list[list[Section]]]:
        """Neighbouring groups, as many at a time as fit into one passage."""
        run: list[list[Section]] = []
        for group in groups:
            if run and not self._fits([s for g in (*run, group) for s in g], path):
                yield run
                run = []
            run.append(group)
        if run:
            yield run

    @staticmethod
    def _path_of(run: list[list[Section]], path: tuple[str, ...]) -> tuple[str, ...]:
        return run[0][0].headings[: len(path) + 1] if len(run) == 1 else path

    def _fits(self, sections: Sequence[Section], path: tuple[str, ...]) -> bool:
        words = sum(self._costs[s.start][0] for s in sections)
        pieces = sum(self._costs[s.start][1] for s in sections)
        limit = self._size if len(sections) == 1 else min(self._size, self._together)
        return words <= limit and pieces <= self._room(path)

    def _room(self, path: tuple[str, ...]) -> int:
        return PIECES - min(NAME_PIECES, self._title + sum(map(estimate, path)))

    def _cost(self, start: int, end: int) -> tuple[int, int]:
        text = self._text[start:end]
        return len(text.split()), estimate(text)

    def _cut(self, start: int, end: int, path: tuple[str, ...]) -> Iterator[tuple[int, int]]:
        """Parts of one section, each ended at the best break in its second half."""
        atoms = list(self._atoms(start, end, _PARAGRAPH, self._room(path)))
        total = sum(share for *_, share in atoms)
        limit = min(1.0, 1.15 * total / max(1, math.ceil(total)))
        first, held = 0, 0.0
        for at, (*_, share) in enumerate(atoms):
            while first < at and held + share > limit:
                cut = _best_break(atoms, first, at)
                yield atoms[first][0], atoms[cut - 1][1]
                first, held = cut, sum(a[3] for a in atoms[cut:at])
            held += share
        if first < len(atoms):
            yield atoms[first][0], atoms[-1][1]

    def _atoms(self, start: int, end: int, rank: int, room: int) -> Iterator[_Atom]:
        """Stretches that each fit into a passage: paragraphs, and of those too long their lines, and so on."""
        for number, (first, last) in enumerate(_parts(self._text, start, end, rank)):
            words, pieces = self._cost(first, last)
            share = max(words / self._size, pieces / room)
            before = rank if number else max(rank - 1, _PARAGRAPH)
            if share <= 1.0 or rank == _WORD:
                yield first, last, before, share
            else:
                for at, atom in enumerate(self._atoms(first, last, rank + 1, room)):
                    yield atom if at else (*atom[:2], before, atom[3])


def _groups(sections: Sequence[Section], depth: int) -> list[list[Section]]:
    """The sections by the heading that stands at `depth` of their paths."""
    groups: list[list[Section]] = []
    for section in sections:
        inside = len(section.headings) > depth + 1 and groups
        if inside and groups[-1][0].headings[: depth + 1] == section.headings[: depth + 1]:
            groups[-1].append(section)
        else:
            groups.append([section])
    return groups


def _parts(text: str, start: int, end: int, rank: int) -> list[tuple[int, int]]:
    """Spans within `text[start:end]` that the breaks of that rank part."""
    if rank == _SENTENCE:
        # An item's marker belongs to no sentence, but to the passage: spans begin where the one before ended.
        begins = [start, *(start + first for first, _ in sentences(text[start:end])[1:])]
        return list(zip(begins, [*begins[1:], end], strict=True))
    if rank == _WORD:
        return [found.span() for found in _WORDS.finditer(text, start, end)]
    mark = "\n\n" if rank == _PARAGRAPH else "\n"
    spans = []
    while start < end:
        stop = text.find(mark, start, end)
        stop = end if stop < 0 else stop
        if stop > start:
            spans.append((start, stop))
        start = stop + len(mark)
    return spans


def _best_break(atoms: list[_Atom], first: int, last: int) -> int:
    """The atom in (first, last] to begin the next part with: the best rank, then the latest, in the second half."""
    half = sum(atom[3] for atom in atoms[first:last]) / 2
    best, held = last, 0.0
    for at in range(first + 1, last + 1):
        held += atoms[at - 1][3]
        if held >= half and (atoms[at][2], -at) <= (atoms[best][2], -best):
            best = at
    return best
