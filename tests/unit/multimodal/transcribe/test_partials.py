"""Committed text only grows, whatever the hypotheses say."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import EngineUnavailable
from core.media import RATE, Audio, Segment, Transcript, Word
from multimodal.transcribe.partials import Listening, Partial
from tests.fakes.transcriber import FakeTranscriber

SECOND = Audio(np.full(RATE, 0.5, np.float32))


class Scripted:
    """Gives one hypothesis after the other: words with their seconds in the stream. `heard` is how much it was given.

    It is told where the sound begins by being given all of `stream`; so words behind its end are not said.
    """

    def __init__(self, hypotheses: Sequence[Sequence[tuple[str, float, float]]]) -> None:
        self.hypotheses = list(hypotheses)
        self.heard: list[float] = []
        self.prompts: list[str] = []

    async def transcribe(
        self,
        audio: Audio,
        *,
        language: str | None = None,
        translate: bool = False,
        prompt: str = "",
        words: bool = False,
    ) -> Transcript:
        self.heard.append(audio.seconds)
        self.prompts.append(prompt)
        said = tuple(Word(text, start, end, 0.5) for text, start, end in self.hypotheses.pop(0))
        segments = (Segment("", 0, audio.seconds, said),) if said else ()
        return Transcript("en", audio.seconds, segments)


async def test_what_two_hypotheses_agree_on_is_committed() -> None:
    listening = Listening(
        Scripted(
            [
                [("where", 0, 0.4), ("is", 0.4, 0.8)],
                [("Where", 0, 0.4), ("is", 0.4, 0.8), ("mine", 1, 1.4)],
                [("Where", 0, 0.4), ("is", 0.4, 0.8), ("my", 1, 1.4), ("order", 1.5, 2)],
            ]
        )
    )
    assert await listening.feed(SECOND) == Partial("", "where is")
    assert await listening.feed(SECOND) == Partial("Where is", "mine")
    finished = await listening.finish(SECOND)
    assert (finished.text, finished.seconds) == ("Where is my order", 3)


async def test_little_sound_is_not_listened_to_yet() -> None:
    transcriber = FakeTranscriber()
    listening = Listening(transcriber)
    for _ in range(9):
        await listening.feed(Audio(SECOND.samples[: RATE // 10]))
    assert transcriber.asked == []
    assert (await listening.finish()).text == "Where is"
    assert transcriber.asked == [{"language": None, "translate": False, "prompt": "", "words": True}]


async def test_a_finished_sentence_is_not_listened_to_again() -> None:
    transcriber = Scripted(
        [
            [("Hello", 0, 0.5), ("there.", 0.5, 0.9)],
            [("Hello", 0, 0.5), ("there.", 0.5, 0.9), ("How", 1.2, 1.6)],
            [("How", 0.3, 0.7), ("are", 0.8, 1.0)],
        ]
    )
    listening = Listening(transcriber, prompt="A call.")
    await listening.feed(SECOND)
    assert (await listening.feed(SECOND)).committed == "Hello there."
    finished = await listening.finish(SECOND)
    assert transcriber.heard == pytest.approx([1, 2, 2.1])
    assert transcriber.prompts == ["A call.", "A call.", "A call. Hello there."]
    assert [segment.text for segment in finished.segments] == ["Hello there.", "How are"]
    assert finished.segments[1].start == pytest.approx(1.2)
    assert finished.segments[1].logprob == pytest.approx(np.log(0.5))


async def test_silence_is_let_go() -> None:
    transcriber = Scripted([[], [], [], [("Yes", 1.2, 1.6)]])
    listening = Listening(transcriber)
    for _ in range(3):
        assert await listening.feed(SECOND) == Partial("", "")
    finished = await listening.finish(SECOND)
    assert transcriber.heard == pytest.approx([1, 2, 2, 2])
    assert finished.seconds == 4
    assert finished.segments[0].start == pytest.approx(3.2)


async def test_sound_without_agreement_is_not_kept_for_ever() -> None:
    transcriber = Scripted([[(f"word{n}", 0.1, 0.5), ("again", 18, 19)] for n in range(60)])
    listening = Listening(transcriber)
    for _ in range(60):
        await listening.feed(SECOND)
    assert max(transcriber.heard) <= 21


async def test_nothing_fed_is_nothing_said() -> None:
    finished = await Listening(FakeTranscriber()).finish()
    assert (finished.text, finished.seconds, finished.segments) == ("", 0, ())


async def test_errors_of_the_transcriber_surface_and_the_sound_is_kept() -> None:
    transcriber = FakeTranscriber()
    transcriber.failure = EngineUnavailable("gone")
    listening = Listening(transcriber)
    with pytest.raises(EngineUnavailable):
        await listening.feed(SECOND)
    transcriber.failure = None
    assert (await listening.finish(SECOND)).text == "Where is my order?"


spoken = st.lists(
    st.tuples(st.sampled_from(["yes", "no.", "No", "order", "my", "ship?"]), st.floats(0, 2), st.floats(0, 2)),
    max_size=6,
).map(lambda words: sorted(((text, min(a, b), max(a, b)) for text, a, b in words), key=lambda word: word[1]))


@settings(deadline=None)
@given(st.lists(spoken, min_size=1, max_size=12), st.lists(st.floats(0.1, 5), min_size=1, max_size=11))
def test_committed_text_only_grows(hypotheses: list[list[tuple[str, float, float]]], pieces: list[float]) -> None:
    async def listen() -> None:
        listening = Listening(Scripted([*hypotheses, *([[]] * len(pieces))]))
        before = ""
        for seconds in pieces:
            partial = await listening.feed(Audio(np.full(round(seconds * RATE), 0.5, np.float32)))
            assert partial.committed.startswith(before)
            before = partial.committed
        finished = await listening.finish()
        assert finished.text.startswith(before)
        assert finished.seconds == pytest.approx(sum(round(seconds * RATE) for seconds in pieces) / RATE)

    asyncio.run(listen())
