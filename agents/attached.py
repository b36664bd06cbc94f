"""Documents that people attach: as a thread keeps them, when a message is about one, and what of them is passed on.

A message keeps the names of what came with it, and the thread keeps the texts apart from its messages, so that they
are not shown with every look at the conversation. What a file says is untrusted: it is quoted as the file's, its ids
may say which of a person's things is meant, and it never says what to do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from langchain_core.messages import BaseMessage, HumanMessage

from agents import slots
from agents.words import content_stems, numbers, stem, words
from core.types import ATTACHED, Attachment, Beside, Findings, Passage

FIELD = "attachments"
"""Where LangChain's message has them: as `packed` when it comes in, and as `{"id", "name"}` once it is received."""
KEPT_CHARACTERS = 100_000
KEPT = 10
"""How much text, in how many documents, a thread remembers: the latest, and always the last one."""

# How likely an attached document is meant, before a word of it is looked at (docs/decisions/0018-attachments.md).
_THERE, _POINTED = 0.1, 0.4
_SHOWN = 300
_FILE = frozenset(
    stem(word)
    for word in "file document attachment attach pdf docx scan upload picture photo image screenshot screen".split()
)
_NOTE = "Attached: "
HEARD = "Heard: "
"""How the note begins that says how a message was spoken."""
_NOTES = re.compile(rf"\n\n(?:{_NOTE}|{HEARD})")
# What one asks of a document as a whole.
_WHOLE = _FILE | frozenset(
    stem(word)
    for word in (
        "say tell read show contain content state summarise summarize summary sum overview gist explain describe look "
        "check see mean help send please hello hi hey thanks page paper text doc short brief quick review"
    ).split()
)

_PARTICULAR = re.compile(r"\b(where|when|who|whom|whose|why|which|how)\b", re.IGNORECASE)

Packed = dict[str, Any]


def pack(attachment: Attachment) -> Packed:
    """The attachment as plain JSON. Its passages are places in its text."""
    places = [[list(each.headings), each.start, each.end] for each in attachment.passages]
    return {"id": attachment.id, "name": attachment.name, "text": attachment.text, "passages": places}


def unpack(packed: Mapping[str, Any]) -> Attachment:
    """What `pack` had."""
    name, text = packed["name"], packed["text"]
    return Attachment(
        packed["id"],
        name,
        text,
        tuple(
            Passage(packed["id"], name, tuple(headings), text[start:end], start, end, position)
            for position, (headings, start, end) in enumerate(packed["passages"])
        ),
    )


def keep(held: Sequence[Packed], new: Sequence[Packed]) -> list[Packed]:
    """What the thread remembers once these have come: the latest, each once, as far as there is room."""
    latest = list({each["id"]: each for each in reversed([*held, *new])}.values())[:KEPT]
    kept, characters = list[Packed](), 0
    for each in latest:
        characters += len(each["text"])
        if kept and characters > KEPT_CHARACTERS:
            break
        kept.append(each)
    return kept[::-1]


def received(messages: Sequence[BaseMessage]) -> tuple[list[BaseMessage], list[Packed]]:
    """The messages with the names alone, and what came with them."""
    bare, came = list[BaseMessage](), list[Packed]()
    for message in messages:
        files = message.additional_kwargs.get(FIELD)
        if files:
            came += files
            names = [{"id": each["id"], "name": each["name"]} for each in files]
            message = message.model_copy(update={"additional_kwargs": {**message.additional_kwargs, FIELD: names}})
        bare.append(message)
    return bare, came


def of_messages(messages: Iterable[BaseMessage], held: Sequence[Packed], last: int = 1) -> list[Attachment]:
    """What came with the person's last messages, as far as the thread still has it."""
    if not held:
        return []
    heard = [message for message in messages if isinstance(message, HumanMessage)][-last:]
    wanted = {each["id"] for message in heard for each in message.additional_kwargs.get(FIELD, ())}
    return [unpack(each) for each in held if each["id"] in wanted]


def points_at(question: str, now: Sequence[Attachment], held: Sequence[Attachment]) -> bool:
    """Whether the question speaks of a document: by its name, or as "it" where one came along, `now`."""
    return names(question, held) or (bool(now) and slots.points_back(question))


def beside(held: Sequence[Attachment], *, pointed: bool) -> Beside:
    """The thread's documents for a search."""
    passages = tuple(passage for each in held for passage in each.passages)
    return Beside(passages, _POINTED if pointed else _THERE)


def quotable(findings: Findings, *, pointed: bool) -> Findings:
    """What may be quoted: where the question points at a document and one leads, it alone."""
    if not (pointed and findings.hits and findings.hits[0].passage.document_id.startswith(ATTACHED)):
        return findings
    own = tuple(hit for hit in findings.hits if hit.passage.document_id.startswith(ATTACHED))
    return Findings(own, findings.answerability)


def names(text: str, files: Sequence[Attachment]) -> bool:
    """Whether the text speaks of a file: by that word, or by a word of its name."""
    called = {stem for each in files for stem in _called(each) if len(stem) > 2}
    return bool(files) and bool(content_stems(words(text)) & (_FILE | called))


def asks_for_whole(text: str, files: Sequence[Attachment]) -> bool:
    """Whether nothing is asked but what the files say."""
    if _PARTICULAR.search(text):
        return False
    said = words(text)
    called = {stem for each in files for stem in _called(each)}
    return bool(files) and not numbers(said) and not content_stems(said) - _WHOLE - called


def ids(files: Sequence[Attachment], kind: str) -> list[str]:
    """The ids of one kind in the files, each once and in order."""
    return list(dict.fromkeys(found for each in files for found in slots.ids(each.text, kind)))


def note(files: Sequence[Attachment]) -> str:
    """What a colleague is told of the files: their names, and how each begins."""
    return "\n".join(f"{_NOTE}{each.name}, which begins: “{_begins(each.text)}”" for each in files)


def without_note(text: str) -> str:
    """The person's own words, of a text that `note` was added to: what a file says asks for nothing."""
    return _NOTES.split(text, maxsplit=1)[0]


def listed(files: Sequence[Attachment] | Sequence[Mapping[str, Any]]) -> str:
    """The names, as part of a sentence."""
    called = [each.name if isinstance(each, Attachment) else str(each["name"]) for each in files]
    return " and ".join(filter(None, [", ".join(called[:-1]), *called[-1:]]))


def titled(text: str, files: Sequence[Attachment] | Sequence[Mapping[str, Any]]) -> str:
    """The message as a list of conversations shows it: what was said, and the names of what came with it."""
    return f"{text} [{listed(files)}]".strip() if files else text


def _called(attachment: Attachment) -> set[str]:
    return content_stems(words(re.sub(r"[\W_]+", " ", attachment.name)))


def _begins(text: str) -> str:
    flat = " ".join(text[: 2 * _SHOWN].split())
    return flat if len(flat) <= _SHOWN else flat[: _SHOWN - 1] + "…"


def files_of(state: Mapping[str, Any]) -> list[Attachment]:
    """What came with the message that a graph's state is at."""
    return of_messages(state["messages"], cast("Sequence[Packed]", state.get(FIELD) or ()))
