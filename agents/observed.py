"""What was made out in a message's pictures and voice notes: as a thread keeps it, and as evidence to weigh.

A voice note's words are the person's own and stand in the message's text. A picture's words are an attachment's:
quoted, never obeyed. Both, and how a voice sounds, may say who looks after the message and how soon.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from langchain_core.messages import BaseMessage, HumanMessage

from agents.attached import HEARD
from agents.router import UPSET, Observation, Sense
from core.media import Field, Heard, Mood, Observed, Seen, Tone

FIELD = "observed"
"""Where LangChain's message has it, as `packed`."""
TELLING = 0.65
"""How sure a tone must be to be spoken of, or to count: one calm voice in ten sounds tense by less."""
_QUOTED = 160

Packed = dict[str, Any]


def pack(observed: Observed) -> Packed:
    """The observations as plain JSON."""
    packed = asdict(observed)
    for voice in packed["heard"]:
        if voice["tone"] is not None:
            voice["tone"]["mood"] = voice["tone"]["mood"].value
    return packed


def unpack(packed: Mapping[str, Any]) -> Observed:
    """What `pack` had."""
    return Observed(
        tuple(Heard(**{**each, "tone": _tone(each["tone"])}) for each in packed["heard"]),
        tuple(Seen(**{**each, "facts": tuple(Field(**fact) for fact in each["facts"])}) for each in packed["seen"]),
    )


def of_messages(messages: Iterable[BaseMessage], last: int = 1) -> list[Observed]:
    """What came with the person's last messages, the latest last."""
    heard = [message for message in messages if isinstance(message, HumanMessage)][-last:]
    return [unpack(message.additional_kwargs[FIELD]) for message in heard if FIELD in message.additional_kwargs]


def joined(several: Iterable[Observed]) -> Observed:
    """All of it as one."""
    each = list(several)
    return Observed(tuple(h for one in each for h in one.heard), tuple(s for one in each for s in one.seen))


def observations(observed: Observed) -> list[Observation]:
    """What the router weighs beside the message's text, in which what was said stands already."""
    seen = [Observation(Sense.OCR, each.text, each.confidence) for each in observed.seen if each.text]
    tone = observed.tone
    if tone is None:
        return seen
    name = UPSET if tone.mood is Mood.TENSE else tone.mood.value
    return [*seen, Observation(Sense.TONE, name, tone.confidence if tone.confidence >= TELLING else 0.0)]


def is_tense(observed: Observed) -> bool:
    """Whether a voice sounds tense, surely enough to count."""
    tone = observed.tone
    return tone is not None and tone.mood is Mood.TENSE and tone.confidence >= TELLING


def reasons(observed: Observed) -> list[str]:
    """What speaks for something, in words: what a picture shows, and a voice that sounds tense."""
    shown = [f"{each.name} shows “{quoted(each)}”" for each in observed.seen if each.text]
    tone = observed.tone
    sounds = [f"the voice sounds tense ({tone.confidence:.0%})"] if tone is not None and is_tense(observed) else []
    return [*shown, *sounds]


def quoted(seen: Seen) -> str:
    """The line of the picture that tells most: one with a fact in it, else how its text begins."""
    lines = seen.text.splitlines()
    telling = [lines[fact.line] for fact in seen.facts if fact.line < len(lines)]
    text = " · ".join(dict.fromkeys(telling)) or " ".join(seen.text.split())
    return text if len(text) <= _QUOTED else text[: _QUOTED - 1] + "…"


def note(several: Sequence[Observed]) -> str:
    """What a colleague is told of how it was said; what a picture shows is told of with the files."""
    voices = [each for one in several for each in one.heard]
    if not voices:
        return ""
    tones = [one.tone for one in several if one.tone is not None and is_tense(one)]
    tense = f", which sounds tense ({tones[-1].confidence:.0%})" if tones else ""
    return f"{HEARD}in a voice note{tense}."


def _tone(packed: Mapping[str, Any] | None) -> Tone | None:
    return None if packed is None else Tone(**{**packed, "mood": Mood(packed["mood"])})
