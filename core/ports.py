"""The seams that LangChain does not already have.

Where LangChain has the interface (`BaseChatModel`, `Embeddings`, `BaseTool`), that interface is the port.
Every port here has a deterministic fake in `tests/fakes/`, and one contract suite in `tests/contract/`
that runs on the fake and on each real adapter.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from core.demand import Outlook
from core.media import Audio, Picture, Reading, Transcript
from core.orders import Order, OrderAction, OrderFilter
from core.purchasing import Found_co, PurchaseAction, PurchaseOrder, Query
from core.recommending import Asking, Recommendations
from core.tickets import Ticket, TicketAction, TicketFilter
from core.types import Audience, Beside, Findings, Passage, Scope

if TYPE_CHECKING:
    from core.types import Vector

PointId = int | str
"""What an index calls one passage of one revision of a document; nothing is to be read out of it."""


@dataclass(frozen=True, slots=True)
class IndexedPassage:
    """A passage with its unit-length vectors by name (the names are the index's layout: `text`, `title`)."""

    passage: Passage
    vectors: Mapping[str, Vector]


@dataclass(frozen=True, slots=True)
class HybridQuery:
    """A search request: the words for BM25, the unit-length vector for the dense halves.

    `limit` is the number of candidates that each half contributes, not the number of results.
    """

    text: str
    vector: Vector
    scope: Scope
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage that at least one half found, by its raw scores.

    `point` names it until its document is replaced or removed. `cosines` has one entry for each named vector;
    `bm25` is 0.0 where the lexical half did not find it.
    """

    point: PointId
    cosines: Mapping[str, float]
    bm25: float


class VectorIndex(Protocol):
    """Keeps passages and finds them again, within a scope.

    * A document is whole or absent: `replace` makes all its new passages visible at once and drops its old
      ones; killed in between, a search sees the old ones or none, and repeating the call repairs it.
    * The scope is applied inside the engine, on every half of a search: a passage of another tenant or
      audience is never a candidate.
    * Raises `InvalidInput` when a vector's name or size is not the index's.
    """

    async def replace(
        self, tenant: str, document_id: str, audience: Audience, passages: Sequence[IndexedPassage]
    ) -> None:
        """Make `passages` the whole content of the document. Returns when they can be found and survive a kill."""

    async def remove(self, tenant: str, document_id: str) -> None:
        """Forget the document. Afterwards no search finds it; removing what is not there is fine."""

    async def search(self, query: HybridQuery) -> list[Candidate]:
        """Return the union of the halves' best `limit` candidates, in no particular order."""

    async def passages(self, scope: Scope, points: Sequence[PointId]) -> dict[PointId, Passage]:
        """Return what these points hold, but for those that are gone by now or lie outside of the scope.

        Apart from `search`, because most candidates are only weighed: reading them all would cost more than
        finding them.
        """


class PassageSearch(Protocol):
    """Finds the passages that speak to a question."""

    async def search(self, query: str, scope: Scope, limit: int = 10, beside: Beside | None = None) -> Findings:
        """Return up to `limit` hits, best first, ties by passage identity, so that equal input gives equal output.

        With `beside`, its passages are weighed along with the index's, this one time, and in one order with them.
        Raises `InvalidInput` when the query is empty.
        """


# The three systems below have one shape: something to read, `act` which changes the world, and `outcome` which tells
# what an act did. All of them promise:
#
# * Nothing of another tenant is ever read, changed or told apart from what does not exist.
# * `key` makes an act happen once: calls with the same key and action, at once or one after the other, change the
#   system once and give the same result, as it was then. The same key with another action raises `KeyReused`.
#   A key has 1 to 128 visible ASCII characters (else `InvalidInput`) and is unknown to the other two systems.
# * A refusal changes nothing, and leaves the key free: `InvalidInput` for what can never be done, `NotFound`,
#   `Conflict` for what the state does not allow now.
# * `SystemUnavailable`: not done, and may be tried again. `OutcomeUnknown`: perhaps done; `outcome` tells, and
#   repeating the act with its key is safe. Other `SystemFault`s are for a person to look at.
# * Reading gives at most `limit` answers (1 to 1000, else `InvalidInput`), and none where nothing fits.


class HelpDesk(Protocol):
    """Where customers' tickets are kept."""

    async def tickets(self, tenant: str, wanted: TicketFilter) -> list[Ticket]:
        """Return the tickets that fit, the latest first."""

    async def act(self, tenant: str, key: str, action: TicketAction) -> Ticket:
        """Do it, and return the ticket as it is then.

        `NotFound` when the ticket, or the customer or order of a new one, does not exist. `Conflict` when the ticket
        cannot go to that status: a resolved one is reopened or closed, a closed one takes notes only.
        """

    async def outcome(self, tenant: str, key: str) -> Ticket | None:
        """Return what the act with this key returned, or None when there was none."""


class Orders(Protocol):
    """Where customers' orders are kept."""

    async def orders(self, tenant: str, wanted: OrderFilter) -> list[Order]:
        """Return the orders that fit, the latest first."""

    async def act(self, tenant: str, key: str, action: OrderAction) -> Order:
        """Do it, and return the order as it is then.

        `Conflict` when an order that is no longer placed is to be cancelled or redirected, and when a refund
        exceeds what was charged and not yet refunded.
        """

    async def outcome(self, tenant: str, key: str) -> Order | None:
        """Return what the act with this key returned, or None when there was none."""


class Procurement(Protocol):
    """Where stock, suppliers, sales and purchase orders are kept."""

    async def read(self, tenant: str, wanted: Query[Found_co]) -> list[Found_co]:
        """Return what the query asks for, in the order that it promises.

        At most `limit`, which is 1 to 1,000 (else `InvalidInput`): `core.purchase_pages` reads all.
        """

    async def act(self, tenant: str, key: str, action: PurchaseAction) -> PurchaseOrder:
        """Do it, and return the purchase order as it is then.

        `InvalidInput` when a quantity is no multiple of the supplier's pack, or the order is below its minimum: the
        message tells the nearest quantity that works. `Conflict` when more is to be booked in than is still to come.
        Booking in raises the stock, and closes the order when all of it has come.
        """

    async def outcome(self, tenant: str, key: str) -> PurchaseOrder | None:
        """Return what the act with this key returned, or None when there was none."""


class Recommender(Protocol):
    """Tells what customers may want next.

    * Products are in stock, each stands once, and scores fall. A customer whom nobody knows gets what sells.
    * Equal records give equal answers; another tenant's records change nothing.
    * Raises `Conflict` (`wish`) where wishes cannot be read now, and what the company's systems raise.
    """

    async def recommend(self, tenant: str, asking: Asking) -> Recommendations:
        """Return the best, fewer than asked for where fewer may be recommended."""


class Forecaster(Protocol):
    """Foretells what products will sell."""

    async def outlooks(self, tenant: str, days: Mapping[str, int]) -> dict[str, Outlook]:
        """Foretell, for each SKU, at least so many days (1 to `core.demand.MOST_DAYS`, else `InvalidInput` `days`).

        * Pieces a day, none below zero, from the day after the last one whose sales are known: `begins` says which.
          Sales that came after `known_until` have changed nothing but the beginning.
        * Whoever is asked again before sales come in says the same.
        * A product that does not exist, or has sold for less than four weeks, is left out.
        * Nothing of another tenant is read. What keeps the sales may fail: `SystemUnavailable`, other `SystemFault`s.
        """


class Transcriber(Protocol):
    """Writes down what is said.

    * Where nobody speaks the transcript has no segments: nothing is made up.
    * Segments and words are in order, do not overlap, and lie within the audio.
    * Equal audio and arguments give equal transcripts.
    * Raises `InvalidInput` (`language`) for a language that it does not know, and `EngineError` where a remote one
      does not answer.
    """

    async def transcribe(
        self,
        audio: Audio,
        *,
        language: str | None = None,
        translate: bool = False,
        prompt: str = "",
        words: bool = False,
    ) -> Transcript:
        """Transcribe, in `language` (ISO 639-1, None to find out), or translate into English.

        `prompt` is text that may have come before, or words to expect. `words` asks for each word's place.
        """


class Speaker(Protocol):
    """Reads text aloud.

    `voices` are the names it has, the default first. `rate` is its samples a second.
    """

    @property
    def voices(self) -> Sequence[str]:
        """The names that `speak` takes."""

    @property
    def rate(self) -> int:
        """Samples a second, of one channel."""

    def speak(self, text: str, *, voice: str | None = None, speed: float = 1.0) -> AsyncIterator[bytes]:
        """Speak sentence by sentence: signed 16-bit little-endian samples, each piece as soon as it is there.

        Text without anything to say gives nothing. Raises `InvalidInput` for an unknown voice or a speed outside of
        [0.25, 4]; `EngineError` where a remote one does not answer. Closing the iterator stops the work.
        """


class TextReader(Protocol):
    """Reads the text in pictures."""

    async def read(self, picture: Picture) -> Reading:
        """Return its lines in reading order; none where there is no text. Equal pictures give equal readings."""
