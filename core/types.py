"""The nouns that cross rooms. All are frozen; none knows where it is stored or how it travels."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from core.media import NOTHING, Observed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vector = NDArray[np.float32]


class Role(StrEnum):
    """What a key may do. `client` acts for one customer; each later role may do all that the earlier ones may."""

    CLIENT = "client"
    STAFF = "staff"
    ENGINEER = "engineer"
    ADMIN = "admin"


class Audience(StrEnum):
    """Who may be shown a document."""

    PUBLIC = "public"
    STAFF = "staff"


@dataclass(frozen=True, slots=True)
class Scope:
    """What a search may see: one tenant, and the audiences the caller belongs to."""

    tenant: str
    audiences: tuple[Audience, ...]


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking. Made by authentication, and by nothing else."""

    key_id: str
    tenant: str
    role: Role
    customer_id: str | None = None

    @property
    def owner(self) -> str:
        """Whose its threads and proposals are: the customer's that the key acts for, or else the key's."""
        return f"customer:{self.customer_id}" if self.customer_id else f"key:{self.key_id}"

    @property
    def scope(self) -> Scope:
        """Clients see public documents; everybody else sees the staff's too."""
        audiences = (Audience.PUBLIC,) if self.role is Role.CLIENT else (Audience.PUBLIC, Audience.STAFF)
        return Scope(self.tenant, audiences)


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of one document's text.

    `start` and `end` are character offsets into the document's extracted text, so that
    `document_text[start:end] == text`. `headings` is the path of headings above it, outermost first,
    without the title. `position` counts passages within the document from 0.
    """

    document_id: str
    title: str
    headings: tuple[str, ...]
    text: str
    start: int
    end: int
    position: int


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that a search found, with its fused score (comparable within one search only)."""

    passage: Passage
    score: float


@dataclass(frozen=True, slots=True)
class Findings:
    """What a search found, best first.

    `answerability` is the calibrated probability, in [0, 1], that these passages answer the query.
    """

    hits: tuple[Hit, ...]
    answerability: float


class Verdict(StrEnum):
    """What checking a sentence against its passage said."""

    VERBATIM = "verbatim"
    SUPPORTED = "supported"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class Citation:
    """The evidence for one sentence of an answer.

    `marker` is the number in the text (`[1]`). `quote` is the span `start:end` of the document's text,
    word for word. `score` is the fused search score of the passage that it stands in.
    """

    marker: int
    document_id: str
    title: str
    headings: tuple[str, ...]
    quote: str
    start: int
    end: int
    score: float
    verdict: Verdict


ATTACHED = "attachment:"
"""How the ids of attached documents begin: no document of the company's has such an id, and they are found nowhere."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A document that a person sent along with a message, read.

    `id` stands for name and content, and is the document id of its `passages`, whose title is `name`. What it says is
    nobody's word but its author's: it may be quoted, and never decides what is done.
    """

    id: str
    name: str
    text: str
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class Beside:
    """Passages of attached documents that one search weighs along with the index's.

    A document's passages stand together. `prior` is how likely they are meant, from 0 to 1, before a word is looked at.
    """

    passages: tuple[Passage, ...]
    prior: float = 0.0


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation, as plain text. `speaker` is `system`, `user` or `assistant`.

    `attachments` came with a user's message, and `observed` is what was made out in its pictures and voice notes: what
    was said in those is part of `text`.
    """

    speaker: str
    text: str
    attachments: tuple[Attachment, ...] = ()
    observed: Observed = NOTHING


@dataclass(frozen=True, slots=True)
class Turn:
    """One user message and what is needed to answer it.

    `messages` are the ones that the client sent now; the last is the user's. They are added to whatever the
    thread already holds; `thread_id` is unique within its owner's. `fresh` says that the thread's name was made for
    this turn, so that nothing is there yet and nobody else can be at it. `id` names the turn in its timeline.
    """

    principal: Principal
    thread_id: str
    messages: tuple[Message, ...]
    fresh: bool = False
    id: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that an engine read and wrote."""

    prompt_tokens: int = 0
    completion_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        """The sum, for a turn that called an engine more than once."""
        return Usage(self.prompt_tokens + other.prompt_tokens, self.completion_tokens + other.completion_tokens)


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next stretch of an answer's text: it has passed its check, and will not be taken back."""

    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished turn.

    `text` carries the citations' marks (`[1]`). When `declined`, the documents did not support an answer:
    `text` says so and offers a ticket, and there are no citations. `engine` names the engine that spoke, or
    is empty when none was needed. `approvals` are the ids of what now waits for people.
    """

    thread_id: str
    text: str
    citations: tuple[Citation, ...]
    declined: bool
    engine: str
    usage: Usage
    approvals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ToolCalled:
    """A tool is being used."""

    tool: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What the tool said or did, as JSON."""

    tool: str
    result: Any


@dataclass(frozen=True, slots=True)
class Interrupted:
    """A call that waits for people: the id of its approval, and why it needs one."""

    approval: str
    tool: str
    arguments: Mapping[str, Any]
    reason: str


@dataclass(frozen=True, slots=True)
class ModelSpoke:
    """A model call that ended: the engine (empty when none could speak), its tokens, and the seconds it took."""

    engine: str
    usage: Usage
    seconds: float


TurnEvent = TextDelta | ToolCalled | ToolResult | Interrupted | ModelSpoke | Observed | Answer
"""What a turn is made of, as it streams. What was made out in media comes first, the answer last."""
