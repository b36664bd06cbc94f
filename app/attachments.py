"""Documents that come with a message: every door's way from a client's `file` part to a read `Attachment`.

A file is read before the turn begins, in the readers' sandbox and within limits, and each refusal names the part. What
a turn, a run or a thread has of it afterwards is text.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from agents.attached import KEPT_CHARACTERS
from app.parts import Sent, decoded
from core.errors import TooLarge, UnreadableDocument, UnsupportedMedia
from core.types import ATTACHED, Attachment, Passage
from retrieval.passages import split
from retrieval.readers import ReadLimits, ReadText, read
from retrieval.readers.draft import clean, readable
from retrieval.readers.text import Section

# How many files a message, and a request with all its messages, may carry.
FILES_A_MESSAGE = 3
FILES_A_REQUEST = 10
LIMITS = ReadLimits(bytes=2 * 2**20, characters=KEPT_CHARACTERS, pages=300, seconds=15.0, inflated=50 * 2**20)
"""What one file may cost. All files of a request together have at most as much text as one."""
# Shorter than the company's own passages: a letter or an invoice tells many things in a few lines, and a question about
# one of them is near to few of its words.
_SIZE, _TOGETHER = 40, 25
_MOST_PASSAGES = 1_000
_LONGEST_NAME = 120
# Readers at work at the same time, and files remembered for clients that send a conversation whole every time.
_READERS = 2
_REMEMBERED = 32
READ = "attachment"
"""The type of part that stands for a file, once it was read, in a run's stored input."""


class Attachments:
    """Reads what clients attach. One for all doors, so that their readers together stay few."""

    def __init__(self, limits: ReadLimits = LIMITS) -> None:
        self._limits = limits
        self._reading = asyncio.Semaphore(_READERS)
        self._known: OrderedDict[tuple[str, str], Attachment] = OrderedDict()

    async def read(self, tenant: str, messages: Sequence[Sequence[Sent]]) -> list[tuple[Attachment, ...]]:
        """What is attached to each message of a request, in order.

        Raises `TooLarge` for too many files, bytes or characters, `UnsupportedMedia` for a format that has no reader,
        `UnreadableDocument` for one that is damaged or empty, and `InvalidInput` for what is no base64; each names
        the file's place in the request.
        """
        if sum(map(len, messages)) > FILES_A_REQUEST:
            last = [sent for of_one in messages for sent in of_one][FILES_A_REQUEST]
            raise TooLarge(f"A request has at most {FILES_A_REQUEST} files.", param=last.where)
        read_, characters = list[tuple[Attachment, ...]](), 0
        for of_one in messages:
            if len(of_one) > FILES_A_MESSAGE:
                where = of_one[FILES_A_MESSAGE].where
                raise TooLarge(f"A message has at most {FILES_A_MESSAGE} files.", param=where)
            attachments = []
            for sent in of_one:
                attachment = await self._one(tenant, sent)
                characters += len(attachment.text)
                if characters > self._limits.characters:
                    most = f"{self._limits.characters:,} characters"
                    raise TooLarge(f"The files of a request have at most {most} of text in sum.", param=sent.where)
                attachments.append(attachment)
            # The same file twice in a message is one.
            read_.append(tuple({each.id: each for each in attachments}.values()))
        return read_

    async def _one(self, tenant: str, sent: Sent) -> Attachment:
        name = _shown(sent.name)
        # Some megabytes take some milliseconds, which nobody else has to wait for.
        content, media_type, digest = await asyncio.to_thread(self._opened, name, sent)
        key = (tenant, digest)
        attachment = self._known.get(key)
        if attachment is None:
            async with self._reading:
                attachment = await self._read(content, name, media_type, digest, sent)
            self._known[key] = attachment
        self._known.move_to_end(key)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return attachment

    async def _read(self, content: bytes, name: str, media_type: str, digest: str, sent: Sent) -> Attachment:
        try:
            text = await read(content, name, media_type or None, limits=self._limits)
        except (TooLarge, UnreadableDocument, UnsupportedMedia) as problem:
            raise type(problem)(problem.message, param=sent.where) from problem
        document_id = ATTACHED + digest[:24]
        passages = await asyncio.to_thread(_passages, document_id, name, text)
        if len(passages) > _MOST_PASSAGES:
            raise TooLarge(f"{name}: has more than {_MOST_PASSAGES:,} sections; send a part of it.", param=sent.where)
        return Attachment(document_id, name, text.text, tuple(passages))

    def _opened(self, name: str, sent: Sent) -> tuple[bytes, str, str]:
        content, media_type = self._decoded(sent)
        digest = hashlib.sha256(b"\0".join((name.encode(), media_type.encode(), content))).hexdigest()
        return content, media_type, digest

    def _decoded(self, sent: Sent) -> tuple[bytes, str]:
        if len(sent.data.rpartition(",")[2]) * 3 // 4 > self._limits.bytes + 2:
            raise TooLarge(f"A file has at most {self._limits.bytes:,} bytes.", param=sent.where)
        return decoded(sent.data, "A file", sent.where)


def without_text(request: Mapping[str, Any]) -> Mapping[str, Any]:
    """A run's request as it is shown: of what was attached, the names."""
    given = request.get("input")
    messages = given.get("messages") if isinstance(given, dict) else None
    if not isinstance(messages, list) or not any(_attaching(message) for message in messages):
        return request
    shown = [
        {**message, "content": [_named(part) for part in message["content"]]} if _attaching(message) else message
        for message in messages
    ]
    return {**request, "input": {**(given or {}), "messages": shown}}


def _attaching(message: Any) -> bool:
    content = message.get("content") if isinstance(message, dict) else None
    return isinstance(content, list) and any(isinstance(part, dict) and part.get("type") == READ for part in content)


def _named(part: Any) -> Any:
    if isinstance(part, dict) and part.get("type") == READ:
        return {"type": READ, "attachment": {name: part["attachment"][name] for name in ("id", "name")}}
    return part


def passages_of(document_id: str, name: str, text: str) -> tuple[Passage, ...]:
    """The passages of a text that is no file, such as what was read in a picture; none where it says nothing."""
    if not text.strip():
        return ()
    return tuple(_passages(document_id, name, ReadText(name, text, (Section((), 0, 0, len(text)),))))


def _passages(document_id: str, name: str, text: ReadText) -> list[Passage]:
    """The document's passages under the file's name; a title of its own is their outermost heading."""
    own = (text.title,) if text.title != readable(name) else ()
    passages = split(document_id, ReadText(name, text.text, text.sections), _SIZE, _TOGETHER)
    return [
        Passage(document_id, name, (*own, *each.headings), each.text, each.start, each.end, each.position)
        for each in passages
    ]


def _shown(name: str | None) -> str:
    """The file's name as it is said in answers: one line, no path, and nothing that reads like a citation's mark."""
    last = clean(name or "").replace("\\", "/").rsplit("/", 1)[-1].replace("[", "(").replace("]", ")").strip()
    if len(last) > _LONGEST_NAME:
        stem, dot, extension = last.rpartition(".")
        last = f"{stem[: _LONGEST_NAME - 20]}…{dot}{extension[:10]}" if dot else f"{last[:_LONGEST_NAME]}…"
    return last or "attachment"
