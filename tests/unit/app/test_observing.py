"""What comes with a message is made out once, named in every refusal, and passed on as text."""

import base64
from typing import Any, cast

import numpy as np
import pytest

from app.attachments import Attachments
from app.observing import MEDIA_A_MESSAGE, MEDIA_A_REQUEST, Observing, joined, stored
from app.parts import Sent, SentMedia, SentPicture, SentVoice
from app.senses import Senses
from core.errors import InvalidInput, MissingExtra, TooLarge, WaysideError
from core.media import NOTHING, RATE, Audio
from core.settings import MediaSettings
from core.types import ATTACHED, Message
from multimodal.remote import RemotePictures
from tests.fakes.attaching import data_url
from tests.fakes.senses import ScriptedSenses, scripted


def voice(text: str, where: str = "voice") -> SentVoice:
    return SentVoice(base64.b64encode(text.encode()).decode(), where)


def picture(text: str, where: str = "picture") -> SentPicture:
    return SentPicture(f"data:image/png;base64,{base64.b64encode(text.encode()).decode()}", where)


async def test_speech_joins_the_words_and_pictures_the_attachments() -> None:
    parts: list[SentMedia] = [
        picture("Payment failed\nError E-4012"),
        voice("I was charged twice"),
        Sent("note.txt", data_url(b"The order is ORD-10421."), "file"),
        voice("please help"),
    ]
    [nothing, came] = await scripted().read("acme", [[], parts])
    assert nothing.observed == NOTHING
    assert came.spoken == "I was charged twice\nplease help"
    assert [each.name for each in came.attachments] == ["note.txt", "picture 1"]
    [shown] = came.observed.seen
    assert (shown.attachment, shown.text) == (came.attachments[1].id, "Payment failed\nError E-4012")
    assert shown.attachment.startswith(ATTACHED)
    assert [(fact.name, fact.value, fact.line) for fact in shown.facts] == [("error_code", "E-4012", 1)]
    assert [each.text for each in came.attachments[1].passages]
    assert [each.confidence for each in came.observed.heard] == [0.9, 0.9]
    message = joined(Message("user", "Hello"), came)
    assert message.text == "Hello\nI was charged twice\nplease help"
    assert [part["type"] for part in stored(came)] == ["text", "attachment", "attachment", "observed"]


async def test_the_same_bytes_are_made_out_once_and_by_tenant() -> None:
    senses = ScriptedSenses()
    observing = scripted(senses)
    for tenant in ("acme", "acme", "rival"):
        [came] = await observing.read(tenant, [[picture("Sold out"), voice("hello", f"{tenant}.1")]])
        assert came.observed.heard[0].where == f"{tenant}.1"
    assert senses.asked == ["picture", "acme.1", "picture", "rival.1"]


async def test_how_it_sounds_is_told_where_enough_is_said() -> None:
    time = np.arange(3 * RATE) / RATE
    buzz = np.sin(2 * np.pi * 180 * time) * np.sin(np.pi * 4 * time) ** 2
    senses = ScriptedSenses({"long": Audio((0.2 * buzz).astype(np.float32))})
    [came] = await scripted(senses).read("acme", [[voice("long"), voice("short")]])
    assert [each.tone is None for each in came.observed.heard] == [False, True]


@pytest.mark.parametrize(
    ("part", "error", "code"),
    [
        (voice(""), InvalidInput, "no_speech"),
        (SentVoice("%%%", "voice"), InvalidInput, "invalid_input"),
        (SentPicture("data:image/png,abc", "picture"), InvalidInput, "invalid_input"),
        (SentPicture("ftp://example.com/a.png", "picture"), InvalidInput, "invalid_input"),
        (SentPicture("http://127.0.0.1/a.png", "picture"), InvalidInput, "remote_urls_off"),
    ],
)
async def test_what_cannot_be_made_out_is_named(part: SentMedia, error: type[WaysideError], code: str) -> None:
    with pytest.raises(error) as refused:
        await scripted().read("acme", [[part]])
    assert (refused.value.param, refused.value.code) == (part.where, code)


async def test_too_many_media_are_refused_before_any_is_looked_at() -> None:
    senses = ScriptedSenses()
    many = [picture(f"{number}", f"{number}") for number in range(MEDIA_A_MESSAGE + 1)]
    with pytest.raises(TooLarge) as refused:
        await scripted(senses).read("acme", [many])
    assert refused.value.param == f"{MEDIA_A_MESSAGE}"
    with pytest.raises(TooLarge):
        await scripted(senses).read("acme", [[voice("a")]] * (MEDIA_A_REQUEST + 1))
    assert senses.asked == []


async def test_without_the_models_the_command_that_installs_them_is_told() -> None:
    gate = cast("Any", ScriptedSenses())
    remote = RemotePictures(MediaSettings(), gate)
    missing = MissingExtra("faster-whisper", "voice")
    observing = Observing(Senses(gate, remote, missing, missing, MissingExtra("rapidocr", "vision")), Attachments())
    for part, extra in ((voice("hi"), "voice"), (picture("hi"), "vision")):
        with pytest.raises(MissingExtra, match=extra):
            await observing.read("acme", [[part]])
