"""Where a turn goes: to the documents, to a specialist's tool, on with an open question, or to an offer of ours.

Two learned judgements have to agree before a tool is used: what is asked to have done (`agents.actions`) and who does
such things (`agents.router`). Everything else is a question, and whether the documents answer it they say themselves:
a company's own documents may be about anything, so nothing is turned away here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import TypedDict

from agents import attached, slots
from agents.actions import NEWS, NONE, SUPPORT, Actions, Wish
from agents.conversation import Matter, Pending
from agents.observed import observations
from agents.router import Router, Specialist, Step
from agents.shopping import TOOL, asks_for_goods
from core.media import NOTHING, Observed
from core.types import Attachment

# A ticket that nobody asked for in so many words is offered after the documents have had their say.
_ASKS_FOR_TICKET = re.compile(
    r"\b(tickets?|case|complain\w*|complaint|report\w*|claims?|grievance|on record|in writing|log|file|register)\b",
    re.IGNORECASE,
)
_WHEREABOUTS = re.compile(r"\b(where|when|stat(?:us|e)|arriv\w*|track\w*|how far)\b", re.IGNORECASE)
_THEIRS = re.compile(r"\b(?:my|our|the) (?:orders?|purchase|delivery|goods|parcel|package|shipment)\b", re.IGNORECASE)
# Where something waits, or was decided unheard, these ask after it in whatever other words.
_TIDINGS = re.compile(
    r"\b(?:news|word from|updates?|heard?|decided|decision|colleagues?|anything new)\b", re.IGNORECASE
)
_PLACE = re.compile(r"\b(where|status|arriv\w*|track\w*)\b", re.IGNORECASE)
_PASSES_ON = frozenset({"create_ticket", "update_ticket", "escalate_to_human"})
_ASKS = re.compile(r"\W*(who|whom|whose|what|which|when|where|how|why)\b", re.IGNORECASE)
# Which ids each wish can be about.
_ABOUT = {
    **dict.fromkeys(("lookup_order", "cancel_order", "change_delivery_address", "issue_refund"), "ORD"),
    **dict.fromkeys(("check_stock", "forecast_demand", "create_purchase_order"), "SKU"),
    **dict.fromkeys(("track_purchase_order", "confirm_delivery"), "PO"),
    "update_ticket": "TCK",
}
# How what was last spoken of is looked at.
_LOOKS = {"po_id": "track_purchase_order", "order_id": "lookup_order"}
# From here on a message is about something else than the question that is open.
_ELSE = 0.8


class Way(StrEnum):
    """Where a turn goes."""

    DOCUMENTS = "documents"
    TOOL = "tool"
    NEWS = "news"
    TICKET = "ticket"
    DISMISS = "dismiss"
    WHICH = "which"
    SIGN_IN = "sign_in"
    FILES = "files"
    PROPOSE = "propose"


class Heading(TypedDict):
    """A way, and the tool where it leads to one; `second` is the other tool that may be meant."""

    way: str
    tool: str
    second: str


class Reception:
    """Finds each turn's way. Safe to share between requests."""

    def __init__(self, router: Router, actions: Actions) -> None:
        self._router = router
        self._actions = actions

    async def heading(
        self,
        text: str,
        tools: frozenset[str],
        matter: Matter,
        pending: Sequence[Pending],
        files: Sequence[Attachment] = (),
        observed: Observed = NOTHING,
    ) -> Heading:
        """Where the message goes, given what the caller may use and what the thread remembers.

        `files` came with it. What is wished for is looked for in the person's own words alone. Where those ask for
        nothing that can be done, what was `observed` in pictures and voices may still show a trouble: then a ticket
        is proposed, which is not to open one.
        """
        heading = await self._by_words(text, tools, matter, pending, files)
        leaves_open = heading["way"] in (Way.DOCUMENTS, Way.FILES)
        if leaves_open and "create_ticket" in tools and await self._shows_trouble(text, observed):
            return _to(Way.PROPOSE)
        return heading

    async def _shows_trouble(self, text: str, observed: Observed) -> bool:
        """Whether what was made out makes the message one for support, where its words alone are not clear."""
        evidence = observations(observed)
        if not evidence or _ASKS.match(text):
            # Who asks wants an answer first; where there is none, a ticket is offered all the same.
            return False
        alone = await self._router.route(text)
        if alone.specialist is Specialist.KNOWLEDGE and alone.step is Step.GO:
            return False
        joined = await self._router.route(text, evidence)
        return joined.step in (Step.GO, Step.HAND_OVER) and joined.specialist in (Specialist.SUPPORT, Specialist.PERSON)

    async def _by_words(
        self,
        text: str,
        tools: frozenset[str],
        matter: Matter,
        pending: Sequence[Pending],
        files: Sequence[Attachment],
    ) -> Heading:
        agreed = slots.agrees(text)
        offered = matter.get("offer")
        if offered is not None and agreed is not None and "create_ticket" in tools:
            return _to(Way.TICKET if agreed else Way.DISMISS)
        open_ = matter.get("asked")
        if files and (agreed is None or open_ is None) and attached.asks_for_whole(text, files):
            found = open_ is not None and attached.ids(files, slots.KINDS.get(open_["wanted"], ""))
            return _to(Way.TOOL, open_["tool"]) if open_ is not None and found else _to(Way.FILES)
        if asks_for_goods(text, tools):
            return _to(Way.TOOL, TOOL)
        wish = await self._actions.wish(text, tools)
        asked = matter.get("asked")
        if asked is not None:
            if agreed is False:
                return _to(Way.DISMISS)
            elsewhere = wish.action not in (asked["tool"], NONE, NEWS) and wish.probability >= _ELSE
            if not (elsewhere and not _answers(text, asked["wanted"])):
                return _to(Way.TOOL, asked["tool"])
        if "lookup_order" not in tools and slots.ids(text, "ORD") and not _to_a_person(wish, text):
            # No document knows of it, and nobody who is not known may.
            return _to(Way.SIGN_IN)
        if pending and (wish.action == NEWS or _again(text, wish, pending)):
            return _to(Way.NEWS)
        if (pending or matter.get("news")) and wish.action == NONE and _TIDINGS.search(text):
            return _to(Way.NEWS)
        if wish.action == NEWS:
            return _latest(matter, tools)
        if wish.action == NONE:
            # "Where is it?" says nothing by itself, and all by what was spoken of.
            after = (slots.points_back(text) or _THEIRS.search(text)) and _WHEREABOUTS.search(text)
            if after and files:
                # "It" is the file, or the order that stands in it.
                named = "lookup_order" in tools and attached.ids(files, "ORD") and _PLACE.search(text)
                return _to(Way.TOOL, "lookup_order") if named else _to(Way.DOCUMENTS)
            return _latest(matter, tools) if after else _to(Way.DOCUMENTS)
        if wish.action == "create_ticket" and not _ASKS_FOR_TICKET.search(text):
            return _to(Way.DOCUMENTS)
        if wish.action in _PASSES_ON and _ASKS.match(text) and attached.names(text, files):
            # What an invoice says is to be read, and not to be passed on.
            return _to(Way.DOCUMENTS)
        if not await self._is_theirs(text, wish, matter, files):
            return _to(Way.DOCUMENTS)
        if wish.clear:
            return _to(Way.TOOL, _pointed(text, wish.action, matter, tools))
        if not wish.rival:
            return _to(Way.DOCUMENTS)
        spoken_of = _LOOKS.get(matter.get("latest", ""))
        if spoken_of in (wish.action, wish.second) and _WHEREABOUTS.search(text):
            # Of two that may be meant, the one about what was last spoken of.
            return _to(Way.TOOL, str(spoken_of))
        return _to(Way.WHICH, wish.action, wish.second)

    async def _is_theirs(self, text: str, wish: Wish, matter: Matter, files: Sequence[Attachment]) -> bool:
        """Whether the router does not speak against it.

        An id in the text settles it, or one in a file that the wish can be about, as does pointing at what was spoken
        of: no document knows that.
        """
        if any(slots.ids(text, kind) for kind in slots.KINDS.values()):
            return True
        if attached.ids(files, _ABOUT.get(wish.action, "")):
            return True
        if slots.points_back(text) and matter.get("latest"):
            return True
        route = await self._router.route(text)
        sure_of_documents = route.specialist is Specialist.KNOWLEDGE and route.step is Step.GO
        return not sure_of_documents and (route.step is not Step.DECLINE or wish.probability >= _ELSE)


def _to(way: Way, tool: str = "", second: str = "") -> Heading:
    return Heading(way=way.value, tool=tool, second=second)


def _again(text: str, wish: Wish, pending: Sequence[Pending]) -> bool:
    """Whether a customer asks once more for what waits, naming nothing else. A buyer may well want another one."""
    named = slots.ids(text, "ORD") or slots.ids(text, "TCK")
    return wish.action in SUPPORT and not named and any(wish.action == each["call"]["tool"] for each in pending)


def _to_a_person(wish: Wish, text: str) -> bool:
    """Whether the message shall go to somebody, which takes no look at the records."""
    return wish.action in _PASSES_ON and (wish.action != "create_ticket" or _ASKS_FOR_TICKET.search(text) is not None)


def _answers(text: str, wanted: str) -> bool:
    """Whether the text holds what was asked for."""
    if wanted in slots.KINDS:
        return bool(slots.ids(text, slots.KINDS[wanted]) or slots.places(text, 10))
    if wanted == "address":
        return slots.address(text, asked=True) is not None
    return wanted == "quantity" and slots.pieces(text) is not None


def _pointed(text: str, tool: str, matter: Matter, tools: frozenset[str]) -> str:
    """The tool for what "it" is: one asks in the same words after an order and after a purchase order."""
    twins = {"lookup_order": "order_id", "track_purchase_order": "po_id"}
    if tool not in twins or not slots.points_back(text) or slots.ids(text, "ORD") or slots.ids(text, "PO"):
        return tool
    meant = next((twin for twin, name in twins.items() if name == matter.get("latest")), tool)
    return meant if meant in tools else tool


def _latest(matter: Matter, tools: frozenset[str]) -> Heading:
    """News where nothing waits: of what was last spoken of."""
    if matter.get("news"):
        return _to(Way.NEWS)
    about = _LOOKS.get(matter.get("latest", ""), "")
    if about in tools:
        return _to(Way.TOOL, about)
    return _to(Way.DOCUMENTS)


WHICH = {
    "list_orders": "list your orders",
    "lookup_order": "look up where an order is",
    "create_ticket": "open a ticket",
    "update_ticket": "change a ticket",
    "cancel_order": "cancel an order",
    "change_delivery_address": "change where an order goes",
    "issue_refund": "look into a payment and a refund",
    "escalate_to_human": "pass you on to a person",
    "search_catalog": "search the catalogue",
    "check_stock": "check a product's stock",
    "forecast_demand": "forecast a product's demand",
    "suggest_reorders": "say what to reorder",
    "create_purchase_order": "place a purchase order",
    "track_purchase_order": "look up a purchase order",
    "confirm_delivery": "book in a delivery",
}
"""What each tool does, as it is offered in a question."""
