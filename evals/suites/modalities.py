"""What do a picture, spoken words and the tone of a voice add to a typed message? Category and priority, with and
without each.

Every case is one message of four parts: typed words that tell little, a drawn screen, a spoken phrase, and how it is
spoken. They go through the media gate, the readers and the transcriber that serve, and are judged once with everything
and once without each part. Tense voices are imitated (higher, faster, brighter), so the tone's share says what a voice
that shows all of this does, and not how often people's voices show it.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from agents.triage import Triage, Triaged
from app.attachments import Attachments
from app.observing import Came, Observing
from app.parts import SentMedia, SentPicture, SentVoice
from app.senses import open_senses
from app.teaching import open_embeddings
from core.media import NOTHING, Observed
from core.modelstore import ModelStore
from core.settings import Settings
from core.tickets import TicketPriority
from evals.media.made import Voice, screen
from evals.suite import Options, Scorer, Suite, refuse_foreign, sample

DATA = Path(__file__).parents[1] / "data" / "media" / "modalities.jsonl"
VARIANTS = ("all", "no_picture", "no_words", "no_tone", "typed")
_URGENCY = tuple(TicketPriority)


@dataclass(frozen=True, slots=True)
class Case:
    """A message: what is typed, said (and whether tensely) and shown, and what a person makes of it."""

    id: str
    text: str
    says: str | None
    tense: bool
    screen: tuple[str, ...]
    category: str
    priority: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """The triage of each variant, and what came of the media."""

    triaged: Mapping[str, Triaged]
    came: Came


@asynccontextmanager
async def open_suite(options: Options) -> AsyncIterator[Suite[Case, Judgement]]:
    """The suite on the project's own messages, or on a JSONL file of the same shape."""
    refuse_foreign("modalities", options)
    cases = read_cases(options.data or DATA)
    settings = Settings()
    async with AsyncExitStack() as stack:
        embeddings = await asyncio.to_thread(open_embeddings, settings)
        stack.callback(embeddings.close)
        observing = Observing(open_senses(settings, ModelStore(), stack), Attachments())
        triage, voice = Triage.shipped(embeddings), await asyncio.to_thread(Voice)
        yield Suite(
            name="modalities",
            cases=sample(cases, options),
            task=partial(judge, triage, observing, voice),
            scorers=SCORERS,
            details=_details,
            facts={"data": (options.data or DATA).name, "voices": "synthetic, tense ones imitated"},
            concurrency=1,
        )


def read_cases(path: Path) -> list[Case]:
    """The cases of a JSONL file."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return [Case(**{**row, "screen": tuple(row["screen"] or ())}) for row in rows]


async def judge(triage: Triage, observing: Observing, voice: Voice, case: Case) -> Judgement:
    """The message with everything, and without each part."""
    parts = await asyncio.to_thread(_parts, voice, case)
    [came] = await observing.read("evals", [parts])
    seen = Observed(seen=came.observed.seen)
    silent = replace(came.observed, heard=tuple(replace(each, tone=None) for each in came.observed.heard))
    spoken = "\n".join(filter(None, (case.text, came.spoken)))
    variants = {
        "all": (spoken, came.observed),
        "no_picture": (spoken, replace(came.observed, seen=())),
        "no_words": (case.text, came.observed),
        "no_tone": (spoken, silent),
        "typed": (case.text, NOTHING),
    }
    assert seen or not case.screen, "a screen was drawn, and is read"  # noqa: S101
    return Judgement({name: await triage.classify(*given) for name, given in variants.items()}, came)


def _parts(voice: Voice, case: Case) -> list[SentMedia]:
    parts = list[SentMedia]()
    if case.screen:
        drawn = base64.b64encode(screen(list(case.screen))).decode()
        parts.append(SentPicture(f"data:image/png;base64,{drawn}", "screen"))
    if case.says:
        parts.append(SentVoice(base64.b64encode(voice.say(case.says, tense=case.tense)).decode(), "voice"))
    return parts


def right(head: str, variant: str, case: Case, out: Judgement) -> float:
    """1 for what a person makes of it."""
    judged = getattr(out.triaged[variant], head).value
    return float(judged == getattr(case, head))


def off(variant: str, case: Case, out: Judgement) -> float:
    """How many steps the priority is off."""
    judged = _URGENCY.index(TicketPriority(out.triaged[variant].priority.value))
    return float(abs(judged - _URGENCY.index(TicketPriority(case.priority))))


def sounds_right(case: Case, out: Judgement) -> float | None:
    """1 where the tone is told as it was spoken."""
    tone = out.came.observed.tone
    return None if tone is None else float((tone.mood.value == "tense") == case.tense)


def _details(case: Case, out: Judgement) -> Mapping[str, str]:
    judged = {name: f"{each.category.value}, {each.priority.value}" for name, each in out.triaged.items()}
    because = "; ".join(filter(None, (out.triaged["all"].category.because, out.triaged["all"].priority.because)))
    shown = " · ".join(each.text.replace("\n", " / ") for each in out.came.observed.seen)
    return {
        "typed": case.text,
        "heard": out.came.spoken,
        "read": shown,
        "wanted": case.category,
        **judged,
        "why": because,
    }


def _scorer(name: str, score: Callable[..., float | None], *, lower: bool = False) -> Scorer[Case, Judgement]:
    return Scorer(name, score, lower_is_better=lower)


SCORERS = [
    *(_scorer(f"category_{variant}", partial(right, "category", variant)) for variant in VARIANTS),
    *(_scorer(f"priority_{variant}", partial(right, "priority", variant)) for variant in VARIANTS),
    *(_scorer(f"priority_off_{variant}", partial(off, variant), lower=True) for variant in VARIANTS),
    _scorer("tone", sounds_right),
]
