"""Is what was said written down, and can an agent fill its slots from that?

With `--data`: a folder of wavs with `label.json` (file → `slots`), or of wavs whose file name is their text. Noises
among the latter, by the names below, are mixed in at 10 and 5 dB. Without: phrases that the packaged voice speaks.
Where file names shorten what is said, word errors count the rest as invented: compare noise with clean, no more.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import jiwer
import numpy as np

from agents.filling import fill, spelled
from core.errors import InvalidInput
from core.media import Audio
from core.modelstore import ModelStore
from core.ports import Transcriber
from core.settings import Settings
from evals.spoken import spoken
from evals.suite import Options, Pooled, Scorer, Suite, refuse_foreign, sample
from multimodal.media import MediaGate
from multimodal.transcribe.whisper import WhisperTranscriber

if TYPE_CHECKING:
    from core.types import Vector

NOISES = frozenset({"car_horn", "dog_bark", "engine_idling", "people_talking", "ringing_phone", "siren"})
LEVELS = (10, 5)
Labels = Mapping[str, Mapping[str, Mapping[str, str]]]
PHRASES = (
    "Where is my order?",
    "The zipper of my jacket broke after two days.",
    "I would like to return a pair of boots.",
    "My card was charged twice for the same tent.",
    "Please cancel the order that I placed this morning.",
    "How much is shipping to Norway?",
    "Can somebody call me back tomorrow?",
    "The parcel is damaged and one mug is missing.",
)


@dataclass(frozen=True, slots=True)
class Case:
    """A recording and what is known of it: its text, or its slots, which are of `vocabulary`.

    `level` is the noise in dB below the speech; None is clean.
    """

    id: str
    audio: Audio
    text: str | None = None
    slots: Mapping[str, str] = field(default_factory=dict)
    vocabulary: Mapping[str, Sequence[str]] = field(default_factory=dict)
    level: int | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """The transcript, the slots read from it, and the seconds that it took."""

    text: str
    slots: Mapping[str, str]
    seconds: float


@asynccontextmanager
async def open_suite(options: Options) -> AsyncIterator[Suite[Case, Heard]]:
    """The suite on the recordings that `options` names, or on the project's own phrases."""
    refuse_foreign("speech", options)
    settings = Settings()
    store = ModelStore()
    cases = await _given(options.data, settings) if options.data else await asyncio.to_thread(_own)
    transcriber = WhisperTranscriber(lambda: store.pull(settings.speech.model))
    try:
        # The first one loads the model, which is no part of the time of a transcript.
        await transcriber.transcribe(cases[0].audio)
        slots = any(case.vocabulary for case in cases)
        yield Suite(
            name="speech",
            cases=sample(cases, options),
            task=partial(listen, transcriber),
            scorers=SLOT_SCORERS if slots else TEXT_SCORERS,
            details=_details,
            facts={
                "data": options.data.name if options.data else "phrases of the packaged voice",
                "model": settings.speech.model,
                "recordings": f"{len(cases)}, {sum(case.audio.seconds for case in cases):.0f} s",
            },
            # One after the other: it is timed.
            concurrency=1,
            pooled=(*(SLOT_POOLED if slots else TEXT_POOLED), *TIMES),
        )
    finally:
        await asyncio.to_thread(transcriber.close)


async def listen(transcriber: Transcriber, case: Case) -> Heard:
    """Transcribe, and read the slots."""
    begun = time.perf_counter()
    text = (await transcriber.transcribe(case.audio)).text
    seconds = time.perf_counter() - begun
    return Heard(text, {slot: each.value for slot, each in fill(text, case.vocabulary).items()}, seconds)


async def _given(folder: Path, settings: Settings) -> list[Case]:
    gate = MediaGate(settings.media)
    files, labels = await asyncio.to_thread(_read, folder)
    sounds = {name: await gate.audio(content, name) for name, content in files.items()}
    if labels is not None:
        return _labelled(labels, sounds)
    noises = {name: sounds.pop(name) for name in sorted(NOISES & set(sounds))}
    cases = [Case(name, audio, re.sub(r"[_-]+", " ", name)) for name, audio in sounds.items()]
    mixed = [
        Case(f"{case.id}/{noise}/{level}dB", mix(case.audio, noises[noise], level), case.text, level=level)
        for level in LEVELS
        for case in cases
        for noise in noises
    ]
    return [*cases, *mixed]


def _read(folder: Path) -> tuple[dict[str, bytes], Labels | None]:
    files = {file.stem: file.read_bytes() for file in sorted(folder.rglob("*.wav"))} if folder.is_dir() else {}
    if not files:
        raise InvalidInput(f"{folder} has no wavs", param="data")
    labels = folder / "label.json"
    return files, json.loads(labels.read_text(encoding="utf-8")) if labels.is_file() else None


def _labelled(labels: Labels, sounds: Mapping[str, Audio]) -> list[Case]:
    values: dict[str, set[str]] = defaultdict(set)
    for row in labels.values():
        for slot, value in row["slots"].items():
            values[slot].add(value)
    vocabulary = {slot: sorted(values[slot]) for slot in sorted(values)}
    missing = sorted(file for file in labels if Path(file).stem not in sounds)
    if missing:
        raise InvalidInput(f"label.json names {missing[0]}, which is not there", param="data")
    return [
        Case(file, sounds[Path(file).stem], slots=row["slots"], vocabulary=vocabulary)
        for file, row in sorted(labels.items())
    ]


def _own() -> list[Case]:
    return [Case(f"{number}", spoken(text), text) for number, text in enumerate(PHRASES, start=1)]


def mix(speech: Audio, noise: Audio, level: int) -> Audio:
    """The speech with the noise, `level` dB below it, behind it from beginning to end."""
    behind: Vector = np.resize(noise.samples, len(speech.samples))
    loudness = float(np.sqrt(np.mean(np.square(behind)))) or 1.0
    wanted = float(np.sqrt(np.mean(np.square(speech.samples)))) / 10 ** (level / 20)
    return Audio(np.clip(speech.samples + behind * np.float32(wanted / loudness), -1, 1))


def slot_f1(case: Case, out: Heard) -> float | None:
    """F1 of the slots of one recording."""
    right = sum(case.slots.get(slot) == value for slot, value in out.slots.items())
    total = len(case.slots) + len(out.slots)
    return 2 * right / total if total else None


def all_slots(case: Case, out: Heard) -> float:
    """1 where every slot is right, and none is made up."""
    return float(dict(case.slots) == dict(out.slots))


def exact(case: Case, out: Heard) -> float | None:
    """1 where every word is right, but for case, punctuation and how numbers are written."""
    return None if case.text is None else float(_plain(case.text) == _plain(out.text))


def f1_by_slot(rows: Sequence[tuple[Case, Heard]]) -> dict[str, float]:
    """F1 of each slot over all recordings."""
    found = {}
    for slot in sorted({slot for case, _ in rows for slot in case.vocabulary}):
        right = sum(slot in out.slots and out.slots[slot] == case.slots.get(slot) for case, out in rows)
        total = sum(slot in case.slots for case, _ in rows) + sum(slot in out.slots for _, out in rows)
        found[slot] = 2 * right / total if total else 0.0
    return found


def macro_f1(rows: Sequence[tuple[Case, Heard]]) -> float | None:
    """The mean over the slots."""
    by_slot = f1_by_slot(rows)
    return sum(by_slot.values()) / len(by_slot) if by_slot else None


def micro_f1(rows: Sequence[tuple[Case, Heard]]) -> float | None:
    """Over all slots of all recordings together."""
    right = sum(case.slots.get(slot) == value for case, out in rows for slot, value in out.slots.items())
    total = sum(len(case.slots) + len(out.slots) for case, out in rows)
    return 2 * right / total if total else None


def word_errors(level: int | None, rows: Sequence[tuple[Case, Heard]]) -> float | None:
    """Wrong, missing and invented words for each word that was said."""
    chosen = [(_plain(case.text), _plain(out.text)) for case, out in rows if case.text and case.level == level]
    return float(jiwer.wer([said for said, _ in chosen], [heard for _, heard in chosen])) if chosen else None


def real_time_factor(rows: Sequence[tuple[Case, Heard]]) -> float | None:
    """Seconds of work for each second of sound."""
    return sum(out.seconds for _, out in rows) / sum(case.audio.seconds for case, _ in rows)


def middle_seconds(rows: Sequence[tuple[Case, Heard]]) -> float | None:
    """The median time of a transcript."""
    return median(out.seconds for _, out in rows)


def _plain(text: str) -> str:
    """The words alone. Digits that are said one by one count like a number that is written: 1, 2, 3 is 123."""
    joined = re.sub(r"(?<=\d)[\s,.-]+(?=\d)", "", text)
    return " ".join(spelled(joined)).replace("'", "")


def _details(case: Case, out: Heard) -> Mapping[str, str]:
    known = case.text if case.text is not None else ", ".join(f"{k}: {v.strip()}" for k, v in case.slots.items())
    return {"said": known, "heard": out.text, "slots": ", ".join(f"{k}: {v.strip()}" for k, v in out.slots.items())}


SLOT_SCORERS: tuple[Scorer[Case, Heard], ...] = (
    Scorer("slot_f1", slot_f1),
    Scorer("all_slots_right", all_slots),
)
TEXT_SCORERS: tuple[Scorer[Case, Heard], ...] = (Scorer("every_word_right", exact),)
SLOT_POOLED: tuple[Pooled[Case, Heard], ...] = (Pooled("slot_macro_f1", macro_f1), Pooled("slot_micro_f1", micro_f1))
TEXT_POOLED: tuple[Pooled[Case, Heard], ...] = (
    Pooled("wer_clean", partial(word_errors, None)),
    *(Pooled(f"wer_{level}db", partial(word_errors, level)) for level in LEVELS),
)
TIMES: tuple[Pooled[Case, Heard], ...] = (
    Pooled("real_time_factor", real_time_factor),
    Pooled("seconds_p50", middle_seconds),
)
