import numpy as np
import pytest

from core.media import RATE
from multimodal.resample import SENT, Downsampler


def tone(pitch: float, seconds: float = 1.0) -> bytes:
    at = np.arange(int(SENT * seconds)) / SENT
    return (np.sin(2 * np.pi * pitch * at) * 16384).astype("<i2").tobytes()


@pytest.mark.parametrize("pitch", [200, 1000, 5000])
def test_what_can_be_heard_stays(pitch: float) -> None:
    samples = Downsampler().feed(tone(pitch))
    assert len(samples) == RATE
    inner = samples[200:-200]
    assert np.abs(inner).max() == pytest.approx(0.5, rel=0.05)
    assert np.argmax(np.abs(np.fft.rfft(samples))) == pitch


def test_what_is_too_high_does_not_fold_back() -> None:
    assert np.abs(Downsampler().feed(tone(11_000))[200:]).max() < 0.01


@pytest.mark.parametrize("size", [2, 14, 1000, 9600])
def test_pieces_join_without_a_seam(size: int) -> None:
    whole, parts = tone(700, 0.5), Downsampler()
    joined = np.concatenate([parts.feed(whole[at : at + size]) for at in range(0, len(whole), size)])
    np.testing.assert_allclose(joined, Downsampler().feed(whole), atol=1e-6)


def test_nothing_gives_nothing() -> None:
    assert len(Downsampler().feed(b"")) == 0
