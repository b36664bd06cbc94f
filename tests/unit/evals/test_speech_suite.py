"""The suite counts what was heard, and reads folders of both layouts."""

from __future__ import annotations

import json
import wave
from pathlib import Path

import numpy as np
import pytest

from core.errors import InvalidInput
from core.media import RATE, Audio
from core.settings import Settings
from evals.suites import speech
from evals.suites.speech import Case, Heard
from tests.fakes.transcriber import FakeTranscriber

SECOND = Audio(np.full(RATE, 0.5, np.float32))
VOCABULARY = {"item": ["tent", "mug"], "size": ["small", "large"]}


def write(file: Path, seconds: float = 1.6, loudness: int = 9000) -> None:
    with wave.open(str(file), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes(np.full(round(seconds * RATE), loudness, "<i2").tobytes())


def slotted(slots: dict[str, str], heard: dict[str, str]) -> tuple[Case, Heard]:
    return Case("1", SECOND, slots=slots, vocabulary=VOCABULARY), Heard("", heard, 0.5)


def test_f1_counts_wrong_missing_and_invented_slots() -> None:
    rows = [
        slotted({"item": "tent", "size": "small"}, {"item": "tent", "size": "large"}),
        slotted({"item": "mug"}, {}),
        slotted({}, {"size": "small"}),
    ]
    assert [speech.slot_f1(*row) for row in rows] == [0.5, 0.0, 0.0]
    assert speech.f1_by_slot(rows) == {"item": pytest.approx(2 / 3), "size": 0.0}
    assert speech.macro_f1(rows) == pytest.approx(1 / 3)
    assert speech.micro_f1(rows) == pytest.approx(2 / 6)
    assert speech.slot_f1(*slotted({}, {})) is None


def test_word_errors_of_each_level() -> None:
    rows = [
        (Case("1", SECOND, "order 12345"), Heard("Order 1, 2, 3, 4, 5.", {}, 0.1)),
        (Case("2", SECOND, "thank you", level=5), Heard("Tank you", {}, 0.1)),
    ]
    assert speech.word_errors(None, rows) == 0
    assert speech.word_errors(5, rows) == 0.5
    assert speech.word_errors(10, rows) is None
    assert [speech.exact(*row) for row in rows] == [1.0, 0.0]
    assert speech.real_time_factor(rows) == pytest.approx(0.1)


def test_noise_lies_as_far_below_the_speech_as_was_asked() -> None:
    random = np.random.default_rng(2)
    voice, noise = (Audio(random.normal(0, 0.1, size).astype(np.float32)) for size in (RATE, RATE // 3))
    behind = speech.mix(voice, noise, 10).samples - voice.samples
    power = np.mean(np.square(voice.samples)) / np.mean(np.square(behind))
    assert 10 * np.log10(power) == pytest.approx(10, abs=0.1)


async def test_a_folder_of_texts_is_heard_clean_and_in_noise(tmp_path: Path) -> None:
    for name in ("thank_you", "where_is_my_order", "siren"):
        write(tmp_path / f"{name}.wav")
    cases = await speech._given(tmp_path, Settings())
    assert [(case.text, case.level) for case in cases] == [
        ("thank you", None),
        ("where is my order", None),
        *((text, level) for level in (10, 5) for text in ("thank you", "where is my order")),
    ]
    heard = await speech.listen(FakeTranscriber(), cases[1])
    assert speech.exact(cases[1], heard) == 1


async def test_a_folder_with_labels_has_their_vocabulary(tmp_path: Path) -> None:
    (tmp_path / "wav").mkdir()
    for name in ("a", "b"):
        write(tmp_path / "wav" / f"{name}.wav")
    labels = {"a.wav": {"slots": {"what": "order"}}, "b.wav": {"slots": {"what": "refund"}}}
    (tmp_path / "label.json").write_text(json.dumps(labels))
    cases = await speech._given(tmp_path, Settings())
    assert cases[0].vocabulary == {"what": ["order", "refund"]}
    heard = await speech.listen(FakeTranscriber(), cases[0])
    assert (heard.slots, speech.all_slots(cases[0], heard)) == ({"what": "order"}, 1.0)
    (tmp_path / "label.json").write_text(json.dumps({"c.wav": {"slots": {}}}))
    with pytest.raises(InvalidInput, match=r"c\.wav"):
        await speech._given(tmp_path, Settings())


async def test_a_folder_without_recordings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no wavs"):
        await speech._given(tmp_path, Settings())
