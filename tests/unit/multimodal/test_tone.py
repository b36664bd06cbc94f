from dataclasses import asdict

import numpy as np
import pytest

from core.media import RATE, Audio, Mood
from multimodal.tone import tone


def syllables(
    pitch: float, rate: float, *, seconds: float = 4.0, wobble: float = 0.1, bright: float = 0.05, pause: float = 0.0
) -> Audio:
    """A buzz that swells `rate` times a second, its pitch moving by the share `wobble`, with a pause in its middle."""
    time = np.arange(int(seconds * RATE)) / RATE
    contour = pitch * (1 + wobble * np.sin(2 * np.pi * 0.7 * time))
    phase = 2 * np.pi * np.cumsum(contour) / RATE
    voice = np.sum([np.sin(number * phase) / number for number in range(1, 6)], axis=0)
    voice += bright * np.sum([np.sin(number * phase) for number in range(8, 16)], axis=0)
    swell = np.sin(np.pi * rate * time) ** 2
    swell[(time > seconds / 2) & (time < seconds / 2 + pause)] = 0
    return Audio((0.1 * voice * swell).astype(np.float32))


def test_what_is_measured_is_what_is_there() -> None:
    told = tone(syllables(180.0, 4.0, pause=1.0))
    assert told is not None
    assert told.pitch == pytest.approx(180.0, rel=0.05)
    assert told.rate == pytest.approx(4.0, abs=0.6)
    assert told.pauses == pytest.approx(0.25, abs=0.06)
    assert -40 < told.loudness < -10
    assert {type(value) for name, value in asdict(told).items() if name != "mood"} == {float}, "they are stored"


def test_a_high_fast_bright_moving_voice_is_tense_and_a_quiet_one_calm() -> None:
    tense = tone(syllables(290.0, 5.6, wobble=0.45, bright=0.5))
    calm = tone(syllables(190.0, 3.4, wobble=0.15, pause=0.6))
    assert tense is not None
    assert calm is not None
    assert (tense.mood, calm.mood) == (Mood.TENSE, Mood.CALM)
    assert min(tense.confidence, calm.confidence) > 0.7


def test_how_loud_it_is_says_nothing_of_the_mood() -> None:
    loud = syllables(200.0, 4.2)
    quiet = Audio(loud.samples * 0.1)
    first, second = tone(loud), tone(quiet)
    assert first is not None
    assert second is not None
    assert first.loudness - second.loudness == pytest.approx(20.0, abs=0.1)
    assert first.confidence == pytest.approx(second.confidence, abs=0.02)


@pytest.mark.parametrize("samples", [np.zeros(0), np.zeros(100), np.zeros(5 * RATE), 0.1 * np.ones(RATE // 2)])
def test_where_too_little_is_said_nothing_is_told(samples: np.ndarray) -> None:
    assert tone(Audio(samples.astype(np.float32))) is None


def test_noise_has_no_pitch_and_is_no_certainty() -> None:
    noise = np.random.default_rng(7).normal(0, 0.05, 3 * RATE).astype(np.float32)
    told = tone(Audio(noise))
    assert told is None or told.confidence < 0.96
