"""Speech begins and ends where it does, in pieces of any size."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import InvalidInput
from core.media import RATE, Audio
from evals.spoken import spoken as spoken_by_voice
from multimodal.transcribe.endpoint import Edge, Endpoint, Endpointing, TurnDetection
from multimodal.transcribe.vad import PADDING, Span, spoken, stretches


@pytest.fixture(scope="module")
def call() -> Audio:
    """A second of silence, a sentence, two seconds of silence, another sentence, a second of silence."""
    said = [spoken_by_voice(text).samples for text in ("My parcel has not arrived.", "Please send another one.")]
    quiet = np.zeros(RATE, np.float32)
    return Audio(np.concatenate([quiet, said[0], quiet, quiet, said[1], quiet]).astype(np.float32))


def edges(audio: Audio, size: int, detection: TurnDetection | None = None) -> list[Endpoint]:
    endpointing = Endpointing(detection)
    pieces = (Audio(audio.samples[start : start + size]) for start in range(0, len(audio.samples), size))
    return [edge for piece in pieces for edge in endpointing.feed(piece)]


def test_each_sentence_has_a_start_and_a_stop(call: Audio) -> None:
    found = edges(call, 1600)
    assert [edge.edge for edge in found] == [Edge.STARTED, Edge.STOPPED] * 2
    assert 500 < found[0].milliseconds < 1100
    assert found[1].at < found[2].at
    assert found[3].at <= len(call.samples)


@pytest.mark.parametrize("size", [1, 511, 4000, 10**9])
def test_the_size_of_the_pieces_does_not_matter(call: Audio, size: int) -> None:
    short = Audio(call.samples[: 3 * RATE]) if size == 1 else call
    assert edges(short, size) == edges(short, 512)


def test_longer_silence_joins_the_sentences(call: Audio) -> None:
    found = edges(call, 1600, TurnDetection(silence_duration_ms=5000))
    assert [edge.edge for edge in found] == [Edge.STARTED]


def test_padding_moves_the_start_but_not_before_the_beginning(call: Audio) -> None:
    plain, padded, endless = (
        edges(call, 1600, TurnDetection(prefix_padding_ms=each))[0].at for each in (0, 500, 30_000)
    )
    assert (plain - padded, endless) == (RATE // 2, 0)


def test_silence_and_noise_have_no_edges() -> None:
    noise = np.random.default_rng(7).normal(0, 0.05, 5 * RATE).astype(np.float32)
    for samples in (np.zeros(5 * RATE, np.float32), noise):
        assert edges(Audio(samples), 1600) == []
        assert spoken(Audio(samples)) == []


@pytest.mark.parametrize(
    "name_and_value", [("threshold", 1.1), ("prefix_padding_ms", -1), ("silence_duration_ms", 30_001)]
)
def test_settings_out_of_range_are_refused(name_and_value: tuple[str, float]) -> None:
    name, value = name_and_value
    with pytest.raises(InvalidInput) as refused:
        TurnDetection(**{name: value})  # type: ignore[arg-type]
    assert refused.value.param == name


def test_the_stretches_of_a_call_hold_its_sentences(call: Audio) -> None:
    found = spoken(call)
    assert len(found) == 2
    assert found[0].start < RATE + RATE // 10 < found[0].end < found[1].start < found[1].end <= len(call.samples)


def test_a_click_is_no_speech_and_a_breath_no_end() -> None:
    click = [0.9, 0.9, *[0.0] * 30]
    assert stretches(click, 32 * 512) == []
    breath = [*[0.0] * 20, *[0.9] * 10, *[0.0] * 5, *[0.9] * 10, *[0.0] * 30]
    room = round(PADDING * RATE)
    assert stretches(breath, 75 * 512) == [Span(20 * 512 - room, 45 * 512 + room)]


def test_speech_up_to_the_very_end_is_kept() -> None:
    assert stretches([0.9] * 10, 10 * 512) == [Span(0, 10 * 512)]
