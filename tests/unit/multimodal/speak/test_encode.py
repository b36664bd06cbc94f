import io

import av
import numpy as np
import pytest

from core.media import SoundFormat
from multimodal.speak.encode import Encoder
from multimodal.speak.tempo import hurried

RATE = 24_000


def tone(seconds: float, pitch: float = 440) -> bytes:
    at = np.arange(int(RATE * seconds)) / RATE
    return (np.sin(2 * np.pi * pitch * at) * 8000).astype("<i2").tobytes()


def decoded(content: bytes) -> np.ndarray:
    with av.open(io.BytesIO(content), "r") as container:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
        frames = [out for frame in container.decode(audio=0) for out in resampler.resample(frame)]
    return np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames])


def pitch_of(samples: np.ndarray) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(samples))) * RATE / len(samples))


@pytest.mark.parametrize("made", [each for each in SoundFormat if each is not SoundFormat.PCM])
def test_each_format_holds_the_sound_and_comes_early(made: SoundFormat) -> None:
    encoder = Encoder(made, RATE)
    first = encoder.feed(tone(1))
    whole = first + encoder.feed(tone(0.5)) + encoder.end()
    heard = decoded(whole)
    assert len(first) > len(whole) / 3
    assert len(heard) / RATE == pytest.approx(1.5, abs=0.15)
    assert pitch_of(heard) == pytest.approx(440, abs=3)


def test_bare_samples_pass_as_they_are() -> None:
    encoder = Encoder(SoundFormat.PCM, RATE)
    assert encoder.feed(tone(0.1)) + encoder.end() == tone(0.1)


@pytest.mark.parametrize("factor", [1.5, 2.0])
def test_hurried_sound_keeps_its_pitch(factor: float) -> None:
    samples = np.frombuffer(tone(2), "<i2").astype(np.float32) / np.float32(32768)
    fast = hurried(samples, RATE, factor)
    assert len(fast) == pytest.approx(len(samples) / factor, rel=0.05)
    assert pitch_of(fast) == pytest.approx(440, abs=5)
