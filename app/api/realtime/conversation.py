"""The items of a realtime conversation, and how much of a spoken one was heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from core.errors import Conflict, NotFound, TooLarge, UnsupportedParameter
from core.media import NOTHING, Observed

Json = dict[str, Any]
MOST = 1000


@dataclass(slots=True)
class Item:
    """A message. `text` is what was written or heard; `answered` says that a turn has taken it up.

    `observed` is how a spoken one sounded.
    """

    id: str
    role: str
    content: list[Json] = field(default_factory=list)
    status: str = "completed"
    text: str = ""
    answered: bool = False
    observed: Observed = NOTHING

    def json(self) -> Json:
        """As clients see it."""
        return {
            "id": self.id,
            "object": "realtime.item",
            "type": "message",
            "status": self.status,
            "role": self.role,
            "content": self.content,
        }


class Conversation:
    """The items of one session, in order. What a turn has taken up lies in the thread as well, and stays there."""

    def __init__(self) -> None:
        self._items: dict[str, Item] = {}

    @property
    def last(self) -> str | None:
        """The newest item's id."""
        return next(reversed(self._items), None)

    def add(self, item: Item, after: str | None = None) -> None:
        """Add it at the end. Raises `Conflict` for an id that is taken, `UnsupportedParameter` for another place, and
        `TooLarge` when there are `MOST` already.
        """
        if len(self._items) >= MOST:
            raise TooLarge(f"A session has {MOST} items at most.", param="item")
        if item.id in self._items:
            raise Conflict(f"There is an item {item.id!r} already.", param="item.id")
        if after not in (None, self.last):
            raise UnsupportedParameter("Items are added at the end only.", param="previous_item_id")
        self._items[item.id] = item

    def get(self, item_id: str) -> Item:
        """The item. Raises `NotFound`."""
        if item_id not in self._items:
            raise NotFound(f"There is no item {item_id!r}.", param="item_id")
        return self._items[item_id]

    def delete(self, item_id: str) -> None:
        """Forget a message that was not answered. Raises `NotFound`, and `Conflict` where the thread has it."""
        if self.get(item_id).answered:
            raise Conflict("The thread has this item already, and keeps it.", param="item_id")
        del self._items[item_id]

    def unanswered(self) -> list[Item]:
        """The messages that wait for an answer, in order."""
        return [item for item in self._items.values() if not item.answered and item.text.strip()]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of an answer's text and how many milliseconds it takes to say."""

    text: str
    milliseconds: float


def heard(pieces: Sequence[Piece], milliseconds: float) -> str:
    """What of the answer was heard after so long: whole stretches, and of the one that was cut its share of words."""
    told = ""
    for piece in pieces:
        if milliseconds >= piece.milliseconds:
            told += piece.text
            milliseconds -= piece.milliseconds
            continue
        words = piece.text.rstrip().split(" ")
        return (told + " ".join(words[: int(len(words) * milliseconds / piece.milliseconds)])).rstrip()
    return told.rstrip()
