"""What comes with a message besides its words: every door's way from a client's parts to what was made out in them.

Documents become attachments. A voice note's words join the message's, with how sure they are and how it sounds. A
picture becomes an attachment of the text in it, and what stands out in it is noted. All of it happens before the turn
begins, and what a turn, a run or a thread has of it afterwards is text.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from agents.attached import KEPT_CHARACTERS, pack
from agents.observed import pack as pack_observed
from app import logs
from app.attachments import READ, Attachments, passages_of
from app.parts import Sent, SentMedia, SentPicture, SentVoice, decoded
from app.senses import Senses
from core.errors import EngineError, InvalidInput, TooLarge
from core.media import NOTHING, Heard, Observed, Picture, Reading, Seen, Tone, Transcript
from core.types import ATTACHED, Attachment, Message
from multimodal.fields.screens import find_screen
from multimodal.tone import tone

# How many pictures and voice notes a message, and a request with all its messages, may carry.
MEDIA_A_MESSAGE = 4
MEDIA_A_REQUEST = 12
# As much of a picture's text as is weighed: what it is about stands at its beginning.
_WEIGHED = 500
_REMEMBERED = 64


@dataclass(frozen=True, slots=True)
class Came:
    """What came with one message. `spoken` is what was said in its voice notes, each on a line of its own."""

    attachments: tuple[Attachment, ...] = ()
    observed: Observed = NOTHING
    spoken: str = ""


def joined(message: Message, came: Came) -> Message:
    """The message with what came with it: what was said counts as what was written."""
    text = "\n".join(filter(None, [message.text, came.spoken]))
    return replace(message, text=text, attachments=came.attachments, observed=came.observed)


def heard(where: str, transcript: Transcript, sounds: Tone | None) -> Heard:
    """A voice note as it is passed on; `where` is what it is told by."""
    return Heard(where, transcript.text, _certainty(transcript), round(float(transcript.seconds), 2), sounds)


def stored(came: Came) -> list[dict[str, Any]]:
    """What came with a message, as the parts that stand for it in a run's stored input."""
    # Parts of text are joined as they are: what was said stands on lines of its own.
    spoken = [{"type": "text", "text": f"\n{came.spoken}"}] if came.spoken else []
    read = [{"type": READ, "attachment": pack(each)} for each in came.attachments]
    observed = [{"type": "observed", "observed": pack_observed(came.observed)}] if came.observed else []
    return [*spoken, *read, *observed]


class Observing:
    """Makes out what clients send. One for all doors."""

    def __init__(self, senses: Senses, attachments: Attachments) -> None:
        self._senses = senses
        self._attachments = attachments
        # OpenAI's clients send the whole conversation with every message, its pictures and voice notes included.
        self._heard: OrderedDict[tuple[str, bytes], Heard] = OrderedDict()
        self._seen: OrderedDict[tuple[str, bytes], tuple[Reading, str]] = OrderedDict()

    async def read(self, tenant: str, messages: Sequence[Sequence[SentMedia]]) -> list[Came]:
        """What came with each message of a request, in order.

        Raises what `Attachments.read` and `MediaGate` raise, `MissingExtra` without the models that it takes,
        `TooLarge` for too many media, and `InvalidInput` for a voice note in which nothing is said; each names the
        part's place in the request.
        """
        media = [[each for each in of_one if not isinstance(each, Sent)] for of_one in messages]
        if sum(map(len, media)) > MEDIA_A_REQUEST:
            last = [each for of_one in media for each in of_one][MEDIA_A_REQUEST]
            raise TooLarge(f"A request has at most {MEDIA_A_REQUEST} pictures and voice notes.", param=last.where)
        for of_one in media:
            if len(of_one) > MEDIA_A_MESSAGE:
                why = f"A message has at most {MEDIA_A_MESSAGE} pictures and voice notes."
                raise TooLarge(why, param=of_one[MEDIA_A_MESSAGE].where)
        files = [[each for each in of_one if isinstance(each, Sent)] for of_one in messages]
        read = await self._attachments.read(tenant, files)
        return [await self._came(tenant, attachments, of_one) for attachments, of_one in zip(read, media, strict=True)]

    async def _came(
        self, tenant: str, attachments: tuple[Attachment, ...], media: Sequence[SentPicture | SentVoice]
    ) -> Came:
        voices, seen, shown = list[Heard](), list[Seen](), list[Attachment]()
        for each in media:
            if isinstance(each, SentVoice):
                voices.append(await self._hear(tenant, each))
                continue
            attachment, noted = await self._see(tenant, each, f"picture {len(seen) + 1}")
            shown.append(attachment)
            seen.append(noted)
        spoken = "\n".join(each.text for each in voices)
        return Came((*attachments, *shown), Observed(tuple(voices), tuple(seen)), spoken)

    async def _hear(self, tenant: str, voice: SentVoice) -> Heard:
        content, _ = await asyncio.to_thread(decoded, voice.data, "A voice note", voice.where)
        key = (tenant, hashlib.sha256(content).digest())
        known = self._heard.get(key)
        if known is None:
            audio = await self._senses.gate.audio(content, voice.where)
            transcriber = self._senses.transcriber
            transcript, sounds = await asyncio.gather(
                transcriber.transcribe(audio, words=True), asyncio.to_thread(tone, audio)
            )
            if not transcript.text:
                raise InvalidInput("Nothing is said in the voice note.", param=voice.where, code="no_speech")
            known = heard(voice.where, transcript, sounds)
            _keep(self._heard, key, known)
        return replace(known, where=voice.where)

    async def _see(self, tenant: str, sent: SentPicture, name: str) -> tuple[Attachment, Seen]:
        remote = None
        if sent.url.startswith(("http://", "https://")):
            remote = await self._senses.remote.picture(sent.url, sent.where)
        content = await self._content(sent) if remote is None else remote.content
        digest = hashlib.sha256(content)
        key = (tenant, digest.digest())
        known = self._seen.get(key)
        if known is None:
            picture = remote or await self._senses.gate.picture(content, sent.where)
            reader = self._senses.reader
            known = await asyncio.gather(reader.read(picture), self._described(picture))
            _keep(self._seen, key, known)
        reading, description = known
        text = "\n\n".join(filter(None, (reading.text, description)))
        if len(text) > KEPT_CHARACTERS:
            raise TooLarge(f"The picture has more than {KEPT_CHARACTERS:,} characters of text.", param=sent.where)
        document_id = ATTACHED + digest.hexdigest()[:24]
        passages = await asyncio.to_thread(passages_of, document_id, name, text)
        sure = sum(line.confidence for line in reading.lines) / len(reading.lines) if reading.lines else 0.0
        begins = reading.text[:_WEIGHED].rpartition("\n")[0] if len(reading.text) > _WEIGHED else reading.text
        noted = Seen(sent.where, document_id, name, begins, round(sure, 4), tuple(find_screen(reading)))
        return Attachment(document_id, name, text, passages), noted

    async def _described(self, picture: Picture) -> str:
        """What a vision model sees, where there is one; the text is there without it."""
        if self._senses.describer is None:
            return ""
        try:
            return await self._senses.describer.describe(picture)
        except EngineError as problem:
            logs.logger.warning("picture not described", **logs.describe(problem))
            return ""

    async def _content(self, sent: SentPicture) -> bytes:
        content, _ = await asyncio.to_thread(decoded, sent.url, "A picture", sent.where)
        return content


Known = TypeVar("Known")


def _keep(known: OrderedDict[tuple[str, bytes], Known], key: tuple[str, bytes], new: Known) -> None:
    known[key] = new
    while len(known) > _REMEMBERED:
        known.popitem(last=False)


def _certainty(transcript: Transcript) -> float:
    """The mean probability of its words, or of its tokens where the words are not known."""
    words = [word.probability for segment in transcript.segments for word in segment.words]
    tokens = [math.exp(segment.logprob) for segment in transcript.segments]
    told = words or tokens
    return round(min(float(sum(told)) / len(told), 1.0), 4) if told else 0.0
