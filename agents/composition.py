"""Puts an answer together out of checked sentences, numbering its citations as it goes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agents.extract import Extract
from agents.grounding import Evidence, Support, check
from core.types import ATTACHED, Citation, Verdict

# A second sentence joins the extract when it speaks to the question almost as well as the first; one of another
# passage has to do so even more, and one of another document never does, because it may be about another thing.
NEARLY, ELSEWHERE = 0.8, 0.9
# What a model leaves unfinished, a heading or a question that it repeats, a bare name: none of it is an answer.
_FINISHED = re.compile(r"[.!:)\"”’]$")


class Composition:
    """An answer in the making: its text so far and the citations of that text."""

    def __init__(self, evidence: Sequence[Evidence]) -> None:
        self._evidence = evidence
        self.text = ""
        self.citations: list[Citation] = []

    def has(self, support: Support) -> bool:
        """Whether the answer says already what this evidence says."""
        return any((c.document_id, c.start, c.end) == self._place(support) for c in self.citations)

    def add(self, sentence: str, support: Support) -> str:
        """Append a sentence that was found supported; returns exactly the text that was added, mark included.

        What a person's own file says is said to be the file's, lest it pass for the company's word.
        """
        passage = self._evidence[support.hit].hit.passage
        before = self.citations[-1].document_id if self.citations else ""
        if passage.document_id.startswith(ATTACHED) and passage.document_id != before:
            sentence = f"According to {passage.title}: {sentence.removeprefix('- ')}"
        gap = "" if not self.text else "\n" if sentence.startswith("- ") else " "
        added = f"{gap}{sentence} [{self._mark(support)}]"
        self.text += added
        return added

    def _mark(self, support: Support) -> int:
        for citation in self.citations:
            if (citation.document_id, citation.start, citation.end) == self._place(support):
                return citation.marker
        hit = self._evidence[support.hit].hit
        passage = hit.passage
        quote = passage.text[support.start - passage.start : support.end - passage.start]
        marker = len(self.citations) + 1
        self.citations.append(
            Citation(
                marker, passage.document_id, passage.title, passage.headings, quote,
                support.start, support.end, hit.score, support.verdict,
            )
        )  # fmt: skip
        return marker

    def _place(self, support: Support) -> tuple[str, int, int]:
        return self._evidence[support.hit].hit.passage.document_id, support.start, support.end


def extracts(ranked: Sequence[Extract], evidence: Sequence[Evidence]) -> list[tuple[str, Support]]:
    """The best extract as an answer, and the second where it is nearly as good.

    Each comes with its support, which is verbatim by construction.
    """
    if not ranked:
        return []
    best, *others = ranked
    chosen = [(best.hit, best.sentence)]
    for second in others[:1]:
        if second.hit == best.hit and second.score >= NEARLY * best.score:
            chosen = sorted([*chosen, (second.hit, second.sentence)])
        elif _document(evidence, second) == _document(evidence, best) and second.score >= ELSEWHERE * best.score:
            chosen.append((second.hit, second.sentence))
    return [quoted(evidence, hit, index) for hit, index in chosen]


def beginning(document_id: str, evidence: Sequence[Evidence], characters: int) -> list[tuple[int, int]]:
    """The places, among the evidence, of a document's first sentences, as many as have so many characters.

    Of whatever stands first where it has no sentence.
    """
    units = [
        (number, index)
        for number, each in enumerate(evidence)
        if each.hit.passage.document_id == document_id
        for index in range(len(each.sentences))
    ]
    says = [(number, index) for number, index in units if evidence[number].sentences[index].asserts] or units
    chosen, said = says[:1], len(evidence[says[0][0]].text(says[0][1]))
    for number, index in says[1:]:
        said += len(evidence[number].text(index))
        if said > characters:
            break
        chosen.append((number, index))
    return chosen


def judge(
    sentence: str, question: str, ranked: Sequence[Extract], evidence: Sequence[Evidence], relevance: float
) -> Support | None:
    """Check a sentence of a model: its support, or None when it is unsupported, unfinished or beside the question.

    Beside the question means: the passage sentences that support it speak to the question less than `relevance`
    times as well as the best extract does.
    """
    if _FINISHED.search(sentence) is None:
        return None
    support = check(sentence, evidence, question)
    if support.verdict is Verdict.UNSUPPORTED or not ranked:
        return None
    touched = (e.score for e in ranked if e.hit == support.hit and e.sentence in support.sentences)
    speaks = max(touched, default=0.0)
    return support if speaks >= relevance * ranked[0].score else None


def _document(evidence: Sequence[Evidence], extract: Extract) -> str:
    return evidence[extract.hit].hit.passage.document_id


def quoted(evidence: Sequence[Evidence], hit: int, index: int) -> tuple[str, Support]:
    """A sentence of a passage as it stands there, with itself as its support."""
    passage = evidence[hit]
    offset = passage.hit.passage.start
    sentence = passage.sentences[index]
    return passage.text(index), Support(Verdict.VERBATIM, hit, offset + sentence.start, offset + sentence.end, (index,))
