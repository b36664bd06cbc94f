"""What every transcriber promises: the fake, Whisper, and the client of an API that speaks OpenAI's protocol."""

from __future__ import annotations

import asyncio
import io
import wave
from collections.abc import AsyncIterator, Iterator

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from core.errors import EngineRejected, EngineTimeout, EngineUnavailable, InvalidInput, NotFound
from core.media import RATE, Audio
from core.modelstore import ModelStore
from core.ports import Transcriber
from core.settings import SpeechSettings
from evals.spoken import spoken
from multimodal.transcribe.remote import RemoteTranscriber
from multimodal.transcribe.whisper import WhisperTranscriber
from tests.contract.conftest import served
from tests.fakes.transcriber import FakeTranscriber

SENTENCE = "Where is my order?"
# Seconds of a word, as fast as the packaged voice says that.
_BRISK = 0.2


@pytest.fixture(scope="module")
def whisper() -> Iterator[WhisperTranscriber]:
    store = ModelStore()
    store.pull("whisper-tiny.en")
    made = WhisperTranscriber(lambda: store.path("whisper-tiny.en"))
    yield made
    made.close()


class HearingServer:
    """An API over the fake transcriber, which misbehaves as the prompt says: `status NNN`, `silence`, `garbage`."""

    async def answer(self, request: Request) -> Response:
        async with request.form() as form:
            return await self._answer(form)

    async def _answer(self, form: FormData) -> Response:
        order = str(form.get("prompt", ""))
        if order.startswith("status "):
            return JSONResponse({"error": {"message": "as ordered"}}, int(order.split()[1]))
        if order == "silence":
            await asyncio.sleep(30)
        if order == "garbage":
            return PlainTextResponse("no transcript")
        content = form["file"]
        assert not isinstance(content, str)
        with wave.open(io.BytesIO(await content.read())) as file:
            samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / np.float32(32767)
        heard = await FakeTranscriber(seconds=_BRISK).transcribe(Audio(samples), words=True)
        segments = [
            {
                "id": 0,
                "seek": 0,
                "start": each.start,
                "end": each.end,
                "text": f" {each.text}",
                "tokens": [],
                "temperature": 0.0,
                "avg_logprob": -0.1,
                "compression_ratio": 1.0,
                "no_speech_prob": 0.0,
            }
            for each in heard.segments
        ]
        words = [
            {"word": word.text, "start": word.start, "end": word.end} for each in heard.segments for word in each.words
        ]
        answer = {"text": heard.text, "language": "english", "duration": heard.seconds, "segments": segments}
        wanted = form.getlist("timestamp_granularities[]")
        return JSONResponse(answer | ({"words": words} if "word" in wanted else {}))


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    hearing = HearingServer()
    routes = [
        Route(f"/v1/audio/{task}", hearing.answer, methods=["POST"]) for task in ("transcriptions", "translations")
    ]
    with served(Starlette(routes=routes)) as base:
        yield f"{base}/v1"


@pytest.fixture
async def remote(url: str) -> AsyncIterator[RemoteTranscriber]:
    made = RemoteTranscriber(SpeechSettings.model_validate({"url": url}), seconds=2)
    yield made
    await made.close()


@pytest.fixture(params=["fake", "whisper", "remote"])
def transcriber(request: pytest.FixtureRequest) -> Transcriber:
    if request.param == "fake":
        return FakeTranscriber(seconds=_BRISK)
    made: Transcriber = request.getfixturevalue(request.param)
    return made


@pytest.fixture(scope="module")
def question() -> Audio:
    """The sentence, with a second of silence around it."""
    quiet = np.zeros(RATE, np.float32)
    return Audio(np.concatenate([quiet, spoken(SENTENCE).samples, quiet]))


async def test_what_is_said_is_written_down(transcriber: Transcriber, question: Audio) -> None:
    heard = await transcriber.transcribe(question, words=True)
    assert (heard.text, heard.language) == (SENTENCE, "en")
    assert heard.seconds == pytest.approx(question.seconds)


async def test_segments_and_words_are_in_order_and_within_the_sound(transcriber: Transcriber, question: Audio) -> None:
    heard = await transcriber.transcribe(question, words=True)
    words = [word for segment in heard.segments for word in segment.words]
    assert [word.text for word in words] == SENTENCE.split()
    for places in (heard.segments, words):
        flat = [at for each in places for at in (each.start, each.end)]
        assert flat == sorted(flat)
        assert flat[0] >= 0
        assert flat[-1] <= question.seconds
    assert all(0 <= word.probability <= 1 for word in words)
    # The silence before is not where the words are.
    assert words[0].end > 0.9


async def test_a_number_is_one_word(whisper: WhisperTranscriber) -> None:
    heard = await whisper.transcribe(
        spoken("The pressure reads five point one bar, and the order has 8-ounce cups."), words=True
    )
    words = [word.text for segment in heard.segments for word in segment.words]
    assert " ".join(words) == heard.text
    assert "5.1" in words


async def test_words_have_places_only_where_they_are_asked_for(transcriber: Transcriber, question: Audio) -> None:
    heard = await transcriber.transcribe(question)
    assert heard.text == SENTENCE
    assert all(segment.words == () for segment in heard.segments)


async def test_equal_sound_gives_equal_transcripts(transcriber: Transcriber, question: Audio) -> None:
    assert await transcriber.transcribe(question, words=True) == await transcriber.transcribe(question, words=True)


@pytest.mark.parametrize("seconds", [0, 0.01, 3])
async def test_silence_says_nothing(transcriber: Transcriber, seconds: float) -> None:
    heard = await transcriber.transcribe(Audio(np.zeros(round(seconds * RATE), np.float32)), words=True)
    assert (heard.segments, heard.text) == ((), "")


async def test_the_english_of_a_translation_is_its_transcript(transcriber: Transcriber, question: Audio) -> None:
    assert (await transcriber.transcribe(question, translate=True)).text == SENTENCE


async def test_an_unknown_language_is_refused_by_name(transcriber: Transcriber, question: Audio) -> None:
    with pytest.raises(InvalidInput) as refused:
        await transcriber.transcribe(question, language="xx")
    assert refused.value.param == "language"


async def test_several_at_once_get_their_own_answers(transcriber: Transcriber, question: Audio) -> None:
    silence = Audio(np.zeros(RATE, np.float32))
    heard = await asyncio.gather(*(transcriber.transcribe(each) for each in (question, silence, question)))
    assert [each.text for each in heard] == [SENTENCE, "", SENTENCE]


async def test_noise_and_tones_make_whisper_invent_nothing(whisper: WhisperTranscriber) -> None:
    random = np.random.default_rng(3)
    hiss = random.normal(0, 0.1, 8 * RATE)
    hum = 0.3 * np.sin(2 * np.pi * 110 * np.arange(8 * RATE) / RATE)
    knocks = hiss * (np.arange(8 * RATE) % RATE < 400)
    for sound in (hiss, hum, knocks, hum + 0.2 * hiss):
        assert (await whisper.transcribe(Audio(sound.astype(np.float32)))).text == ""


async def test_whisper_listens_beyond_its_thirty_seconds(whisper: WhisperTranscriber) -> None:
    said = ["Where is my order?", "The tent has a hole.", "Please send me a new one."]
    quiet = np.zeros(15 * RATE, np.float32)
    long = Audio(np.concatenate([part for text in said for part in (spoken(text).samples, quiet)]))
    heard = await whisper.transcribe(long)
    assert [segment.text for segment in heard.segments] == said
    assert heard.segments[1].start > 15


async def test_an_english_model_takes_no_other_language(whisper: WhisperTranscriber, question: Audio) -> None:
    with pytest.raises(InvalidInput, match="English"):
        await whisper.transcribe(question, language="de")


async def test_a_model_that_is_missing_is_told_when_it_is_needed(question: Audio) -> None:
    def missing() -> None:
        raise NotFound("pull it first")

    made = WhisperTranscriber(missing)  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        await made.transcribe(question)
    made.close()


@pytest.mark.parametrize(
    ("order", "kind"),
    [
        ("status 400", EngineRejected),
        ("status 401", EngineUnavailable),
        ("status 429", EngineUnavailable),
        ("status 500", EngineUnavailable),
        ("garbage", EngineUnavailable),
        ("silence", EngineTimeout),
    ],
)
@pytest.mark.parametrize("translate", [False, True])
async def test_the_failures_of_an_api_are_told_apart(
    remote: RemoteTranscriber, question: Audio, order: str, kind: type[Exception], translate: bool
) -> None:
    with pytest.raises(kind):
        await remote.transcribe(question, prompt=order, translate=translate)


async def test_an_api_that_is_not_there_is_unavailable(question: Audio) -> None:
    gone = RemoteTranscriber(SpeechSettings.model_validate({"url": "http://127.0.0.1:9/v1"}))
    with pytest.raises(EngineUnavailable):
        await gone.transcribe(question)
    await gone.close()
