"""The nouns that cross rooms. All are frozen; none knows where it is stored or how it travels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

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


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation, as plain text. `speaker` is `system`, `user` or `assistant`."""

    speaker: str
    text: str


@dataclass(frozen=True, slots=True)
class Turn:
    """One user message and what is needed to answer it.

    `messages` are the ones that the client sent now; the last is the user's. They are added to whatever the
    thread already holds; `thread_id` is unique within the principal's tenant.
    """

    principal: Principal
    thread_id: str
    messages: tuple[Message, ...]


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


TurnEvent = TextDelta | ToolCalled | ToolResult | Interrupted | Answer
"""What a turn is made of, as it streams. The answer comes last."""
