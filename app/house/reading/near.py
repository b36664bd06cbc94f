"""Questions that look answerable and are not: the same wordings, bent."""

import random
import re

from app.house.reading.grammar import Ask, Fact, Filling

# Words whose exchange turns a question into one about something else. Both sides stand in ordinary questions too.
_OPPOSITES = (
    ("first", "last"), ("largest", "smallest"), ("north", "south"), ("east", "west"), ("before", "after"),
    ("won", "lost"), ("founded", "dissolved"), ("highest", "lowest"), ("born", "buried"),
    ("began", "ended"), ("earliest", "latest"),
    ("supported", "opposed"), ("maximum", "minimum"), ("built", "demolished"),
    ("increase", "decrease"), ("buy", "sell"), ("longest", "shortest"),
    ("upper", "lower"), ("introduced", "abolished"), ("appointed", "dismissed"), ("allowed", "forbidden"),
)  # fmt: skip
# Words that often mean something else and so are never exchanged themselves: to last, to look after.
_ONE_WAY = {"last", "after"}
_OPPOSITE = dict(_OPPOSITES) | {right: left for left, right in _OPPOSITES if right not in _ONE_WAY}
_WORD = re.compile(rf"(?<!{{)(?<!\bat )\b(?:{'|'.join(_OPPOSITE)})\b")
_OWN = {"q", "s", "rival", "He", "he", "his", "him", "His"}


def of_rival(filling: Filling, ask: Ask, draw: random.Random) -> str | None:
    """Ask of the rival what is known of the subject alone; None where that cannot be asked."""
    if "rival" not in filling.slots:
        return None
    wordings = [one for one in ask.wordings if slots(one) == ["q"]]
    article = "the " if filling.domain.called[0].startswith("the ") else ""
    return filling.fill(draw.choice(wordings), q=article + filling.slots["rival"]) if wordings else None


def of_another(filling: Filling, ask: Ask, called: str, draw: random.Random) -> str | None:
    """Ask under a condition that does not hold: a year, a number or a name of the wording is another one."""
    wordings = [one for one in ask.wordings if set(slots(one)) - _OWN]
    if not wordings:
        return None
    wording = draw.choice(wordings)
    bent = draw.choice(sorted(set(slots(wording)) - _OWN))
    value = filling.another(bent)
    return None if value == filling.slots[bent] else filling.fill(wording, q=called, **{bent: value})


def of_opposite(filling: Filling, ask: Ask, called: str, draw: random.Random) -> str | None:
    """Ask for the opposite of what is told."""
    wordings = [one for one in ask.wordings if _WORD.search(one)]
    if not wordings:
        return None
    bent = _WORD.sub(lambda word: _OPPOSITE[word[0]], draw.choice(wordings), count=1)
    return filling.fill(bent, q=called)


def tells_of_rival(fact: Fact) -> bool:
    """Whether a fact mentions the rival of the subject."""
    return any("{rival}" in one for one in fact.say)


def slots(wording: str) -> list[str]:
    """Name the slots of a template in their order."""
    return re.findall(r"\{(\w+)\}", wording)
