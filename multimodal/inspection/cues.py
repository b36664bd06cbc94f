"""The words that make a sentence a finding, say how bad it is, ask for something to be done, or deny it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from multimodal.inspection.report import Severity


@dataclass(frozen=True, slots=True)
class Cue:
    """A word that counts, its place in the text, the stem that it is a form of, and whether it is denied."""

    text: str
    stem: str
    start: int
    denied: bool


# A stem and its forms. "signs of wear" and "worn" are the same defect: what denies one contradicts the other.
_DEFECTS = {
    "leak": r"leak(?:s|ing|ed|age|ages|y)?|drip(?:s|ping|ped)?|seep(?:s|ing|age)?",
    "crack": r"crack(?:s|ed|ing)?|fractur(?:e|es|ed)|split(?:s|ting)?",
    "corrosion": r"corro(?:sion|ded|ding)|rust(?:s|y|ed|ing)?",
    "damage": r"damag(?:e|ed|es)|broken|bent|dent(?:s|ed)?|smashed|torn|burst",
    "wear": r"worn|wear|fray(?:ed|ing)|perished",
    "loose": r"loose|loosened|wobbl(?:y|es|ing)|unsecured",
    "missing": r"missing|absent",
    "blockage": r"block(?:ed|age|ages)|clogged|obstructed|jammed|stuck",
    "heat": r"overheat(?:s|ed|ing)?|too hot|burn(?:t|ed)|scorched|smok(?:e|ing)",
    "noise": r"nois(?:e|y)|rattl(?:e|es|ing)|grinding|squeal(?:s|ing)?|vibrat(?:es|ing|ion|ions)",
    "fault": r"fault(?:s|y)?|fail(?:s|ed|ing|ure|ures)|malfunction(?:s|ing)?|defect(?:s|ive)?|not working|out of order",
    "alarm": r"alarm(?:s)?",
    "damp": r"damp|mou?ld(?:y)?|water ingress|flood(?:ed|ing)|puddle(?:s)?",
    "exposure": r"exposed|bare wire(?:s)?|uninsulated",
    "hazard": r"hazard(?:s|ous)?|danger(?:ous)?|unsafe|trip(?:ping)? hazard(?:s)?",
    "expiry": r"expired|out of date|overdue",
    "error": r"error(?:s)?",
}
_HIGH = (
    r"danger(?:ous)?|unsafe|urgent(?:ly)?|immediate(?:ly)?|critical(?:ly)?|severe(?:ly)?|emergency|burst|fire|smoke|"
    r"smoking|gas leak|exposed|electric shock|structural(?:ly)?|shut (?:it |this )?down|out of service|at once|"
    r"(?:high|serious) (?:severity|priority|risk)"
)
_LOW = r"minor|slight(?:ly)?|small|cosmetic|superficial|negligible|low (?:severity|priority|risk)"
_ACTIONS = (
    r"replac(?:e|ed|ing|ement)|repair(?:s|ed)?|fix(?:ed)?|tighten(?:ed)?|clean(?:ed)?|lubricat(?:e|ed)|re-?seal(?:ed)?|"
    r"re-?paint(?:ed)?|inspect(?:ed)?|re-?test(?:ed)?|order|isolat(?:e|ed)|shut|schedul(?:e|ed)|call|remov(?:e|ed)|"
    r"adjust(?:ed)?|re-?calibrat(?:e|ed)|unblock(?:ed)?|drain(?:ed)?|secur(?:e|ed)|monitor(?:ed)?|top(?:ped)? up"
)
# "Order" at the beginning is a command only with what is bought behind it.
_BIDDEN = _ACTIONS.replace("order|", "")
# Somebody asks: "needs replacing", "should be repaired", "we must …", "recommend …", or begins with what to do.
_ASKS = re.compile(
    rf"\b(?:needs?(?: to be| to)?|should(?: be)?|must(?: be)?|has to(?: be)?|have to(?: be)?|recommend\w*|please|"
    rf"ought to(?: be)?|advise\w*|suggest\w*|requires?)\b(?:\W+[\w’'-]+){{0,5}}?\W+(?:{_ACTIONS})\b"
    rf"|^(?:and |then |so |also |please )?(?:{_BIDDEN})\s+(?:the|it|this|that|these|those|a|all)\b"
    rf"|^order\s+(?:a|an|new|spare)\b",
    re.IGNORECASE,
)
_ALL = re.compile(
    r"\b(?:" + "|".join(f"(?P<{stem}>{forms})" for stem, forms in _DEFECTS.items()) + r")\b", re.IGNORECASE
)
_DEGREES = re.compile(rf"\b(?:(?P<high>{_HIGH})|(?P<low>{_LOW}))\b", re.IGNORECASE)
_WORD = re.compile(r"[\w’'-]+|[.;:!?]")
_NEGATORS = frozenset("no not never without none nothing neither nor free cannot".split())
_SUBJECTS = frozenset("nothing none neither".split())
# Behind one of these another clause begins, which a negator before it says nothing about.
_ENDS = frozenset("but however although though yet except because so while ; : . ! ?".split())
_VERBS = frozenset("is are was were has have had shows show looks look needs need seems seem".split())
_AFTERWARDS = re.compile(
    r"^\W{0,3}(?:(?:is|are|was|were|has|have)\s+)?(?:been\s+)?"
    r"(?:none|not (?:found|seen|visible|present|detected|active)|no longer|gone|(?:has |have )?been fixed|cleared)\b",
    re.IGNORECASE,
)
# How far a negator reaches: words, and characters that so many words hardly exceed.
_SCOPE, _REACH = 8, 160


def defects(text: str) -> list[Cue]:
    """The words for defects, in order."""
    return [_cue(text, found, str(found.lastgroup)) for found in _ALL.finditer(text)]


def severity(text: str) -> tuple[Severity, tuple[str, ...]]:
    """How bad what the text says is, and the words that say so. The worst word counts; with none it is medium."""
    found = [_cue(text, each, str(each.lastgroup)) for each in _DEGREES.finditer(text)]
    for stem, degree in (("high", Severity.HIGH), ("low", Severity.LOW)):
        words = tuple(dict.fromkeys(each.text.lower() for each in found if each.stem == stem and not each.denied))
        if words:
            return degree, words
    return Severity.MEDIUM, ()


def asks(text: str) -> bool:
    """Whether the text says that something should be done."""
    found = _ASKS.search(text)
    if found is None or re.search(r"\b(?:no|not)\b", found.group(), re.IGNORECASE):
        return False
    return not _denied_before(text[max(0, found.start() - _REACH) : found.start()])


def _cue(text: str, found: re.Match[str], stem: str) -> Cue:
    before = text[max(0, found.start() - _REACH) : found.start()]
    behind = text[found.end() : found.end() + _REACH]
    denied = _denied_before(before) or _AFTERWARDS.match(behind) is not None
    return Cue(found.group(), stem, found.start(), denied)


def _denied_before(text: str) -> bool:
    """Whether a negator stands before this place, in the same clause and near enough to speak of it."""
    verbs = 0
    for word in reversed(_WORD.findall(text.lower())[-_SCOPE:]):
        if word in _ENDS:
            return False
        if word in _NEGATORS or word.endswith(("n't", "n’t")):
            # "No leak, the gasket is cracked" denies the leak; "nothing is leaking" has its verb in between.
            return verbs == 0 or (word in _SUBJECTS and verbs == 1)
        verbs += word in _VERBS
    return False
