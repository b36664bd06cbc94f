"""Subtitles as the formats demand them, and recordings cut where it is quiet."""

from __future__ import annotations

import numpy as np
import pytest

from core.media import RATE, Audio, Segment, Transcript, Word
from multimodal.transcribe.captions import srt, vtt
from multimodal.transcribe.cutting import pieces
from multimodal.transcribe.languages import NAMES, code_of, name_of

LONG = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"


def transcript(*segments: Segment) -> Transcript:
    return Transcript("en", 4000.0, segments)


def test_times_and_numbers() -> None:
    heard = transcript(Segment("Hello.", 0.5, 1.25), Segment("Goodbye.", 3661.0015, 3662.9996))
    assert srt(heard) == ("1\n00:00:00,500 --> 00:00:01,250\nHello.\n\n2\n01:01:01,002 --> 01:01:03,000\nGoodbye.\n\n")
    assert vtt(heard).startswith("WEBVTT\n\n00:00:00.500 --> 00:00:01.250\nHello.\n\n01:01:01.002 --> ")


def test_nobody_spoke() -> None:
    assert (srt(transcript()), vtt(transcript())) == ("", "WEBVTT\n\n")


def test_long_lines_become_cues_of_two_lines() -> None:
    cues = srt(transcript(Segment(LONG, 0, 10))).strip().split("\n\n")
    assert len(cues) == 2
    lines = [line for cue in cues for line in cue.split("\n")[2:]]
    assert " ".join(lines) == LONG
    assert max(map(len, lines)) <= 42
    # Without words a cue ends by its share of the letters, and the next begins there.
    assert cues[0].split("\n")[1].split(" --> ")[1] == cues[1].split("\n")[1].split(" --> ")[0] > "00:00:07"


def test_cues_end_where_their_words_do() -> None:
    texts = LONG.split()
    words = tuple(Word(text, number, number + 0.5, 1.0) for number, text in enumerate(texts))
    first = srt(transcript(Segment(LONG, 0, 17, words))).split("\n\n")[0]
    spoken = len(" ".join(first.split("\n")[2:]).split())
    assert first.split("\n")[1] == f"00:00:00,000 --> 00:00:{spoken - 1:02},500"


def test_no_cue_ends_when_it_begins_and_no_text_is_markup() -> None:
    assert vtt(transcript(Segment("a --> <b> & c", 2, 2))).split("\n")[2:4] == [
        "00:00:02.000 --> 00:00:02.001",
        "a --&gt; &lt;b&gt; &amp; c",
    ]


def test_a_recording_is_cut_where_it_is_quiet_and_nothing_is_lost() -> None:
    samples = np.random.default_rng(1).normal(0, 0.3, 50 * RATE).astype(np.float32)
    for pause in (16, 33):
        samples[pause * RATE : (pause + 1) * RATE] = 0
    cut = list(pieces(Audio(samples)))
    assert [round(start - 0.5) for start, _ in cut] == pytest.approx([0, 16, 33], abs=1)
    np.testing.assert_array_equal(np.concatenate([piece.samples for _, piece in cut]), samples)
    assert max(piece.seconds for _, piece in cut) <= 20


def test_nothing_is_one_piece() -> None:
    assert [(start, len(piece.samples)) for start, piece in pieces(Audio(np.zeros(0, np.float32)))] == [(0.0, 0)]


def test_languages_have_codes_and_names() -> None:
    assert (name_of("de"), code_of("German"), code_of("de"), name_of("qq")) == ("german", "de", "de", "qq")
    assert len(NAMES) == len(set(NAMES.values()))
