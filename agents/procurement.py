"""The procurement agent's choices: what a buyer's wish comes to, given stock, sales and suppliers' terms."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

from agents import slots, telling
from agents.conversation import Choice, Matter, Say, Wanted
from agents.hands import Hands
from agents.said import CONFIRMATION, Said, question, which
from agents.words import STOPWORDS, stem, words
from core.purchasing import Product

# How many suggestions are shown when nobody says how many, and how many products one question names.
SHOWN = 5
_NAMED = 6
_WEEKS = 8
_BUYING = "order|buy|purchas|reorder|restock|get|place"
# Goods of which this is said are not here.
_ABSENT = re.compile(
    r"(?:\b(?:not|never|nothing)|n['’]t)\b(?:\s+\S+){0,3}\s+(?:arriv|c[ao]me|here|there|deliver|receiv|in\b)|"
    r"\bstill (?:waiting|missing|to come)\b|\?",
    re.IGNORECASE,
)
# What people say around a product's name.
_AROUND = frozenset(
    stem(word)
    for word in (
        "search find look show list carry sell stock stocked catalog catalogue catalogs product products item items "
        "article articles number numbers sku skus range assortment order ordered buy purchase reorder restock get "
        "place piece pieces unit units supplier suppliers available left warehouse hand shelf check level inventory "
        "quantity forecast demand sales expect expected predict projection project outlook week weeks month months "
        "next coming summer winter autumn spring give draft create make po please called name family cost costs price "
        "still enough count sold run low go ahead suggest suggested suggestion amount dig kindly state yes"
    ).split()
)


class Procurement:
    """Chooses calls of the procurement tools, or words where a call cannot be made yet."""

    def __init__(self, hands: Hands) -> None:
        self._hands = hands
        self._by_tool: Mapping[str, Callable[[Said], Awaitable[Choice]]] = {
            "search_catalog": self._search_catalog,
            "check_stock": self._check_stock,
            "forecast_demand": self._forecast_demand,
            "suggest_reorders": self._suggest_reorders,
            "create_purchase_order": self._create_purchase_order,
            "track_purchase_order": self._track_purchase_order,
            "confirm_delivery": self._confirm_delivery,
        }

    async def choose(self, tool: str, said: Said) -> Choice:
        """What to do about a wish for `tool`. Raises what `Hands.read` raises."""
        return await self._by_tool[tool](said)

    async def _suggest_reorders(self, said: Said) -> Choice:
        limit = slots.pieces(said.text) or SHOWN
        told: Any = await self._hands.read(said.caller, "suggest_reorders", {"limit": max(1, min(limit, 20))})
        suggestions = told["suggestions"]
        head = f"{told['due']} of {told['products_looked_at']} products are due"
        if not suggestions:
            return Say(f"{head}: nothing needs to be reordered now.")
        lines = []
        for number, each in enumerate(suggestions, start=1):
            product = await self._product(said, each["sku"])
            lines.append(telling.advice(number, each, product.name))
        service = f"{100 * told['policy']['service_level']:.0f} %"
        text = (
            f"{head}; the {len(lines)} most urgent, for a service level of {service}:\n" + "\n".join(lines) + "\n"
            'Say "order the first one", or which of them.'
        )
        kept = [{"sku": each["sku"], "quantity": each["quantity"], "total": each["total"]} for each in suggestions]
        return Say(text, Matter(reorders=kept))

    async def _create_purchase_order(self, said: Said) -> Choice:
        if slots.forbids(said.text, _BUYING):
            return Say("All right, I order nothing.")
        suggested = said.matter.get("reorders") or []
        chosen = slots.places(said.text, len(suggested))
        if chosen and not slots.ids(said.text, "SKU"):
            return [self._buying(said, suggested[place]["sku"], suggested[place]["quantity"]) for place in chosen]
        sku = await self._sku(said, "create_purchase_order")
        if isinstance(sku, Say):
            return sku
        by_sku = {each["sku"]: each["quantity"] for each in suggested}
        quantity = slots.pieces(said.text)
        if quantity is None and said.answers is not None:
            quantity = slots.pieces(said.answers["text"])
        quantity = quantity or by_sku.get(sku)
        if quantity is None:
            product = await self._product(said, sku)
            ask = f"How many pieces of {product.sku} {product.name} shall I order from {product.supplier_id}?"
            return question(said, "create_purchase_order", "quantity", ask, known=Matter(sku=sku))
        return [self._buying(said, sku, quantity)]

    def _buying(self, said: Said, sku: str, quantity: int) -> Wanted:
        arguments: dict[str, Any] = {"sku": sku, "quantity": quantity}
        if suppliers := slots.ids(said.text, "SUP"):
            arguments["supplier_id"] = suppliers[0]
        return Wanted("create_purchase_order", arguments)

    async def _track_purchase_order(self, said: Said) -> Choice:
        po_id = self._purchase_order(said, "track_purchase_order")
        if isinstance(po_id, Say):
            return po_id
        told: Any = await self._hands.read(said.caller, "track_purchase_order", {"po_id": po_id})
        return Say(telling.tracked(telling.purchase_order_of(told["purchase_order"])), Matter(po_id=po_id))

    async def _confirm_delivery(self, said: Said) -> Choice:
        po_id = self._purchase_order(said, "confirm_delivery")
        if isinstance(po_id, Say):
            return po_id
        told_before = said.answers["text"] if said.answers is not None else ""
        came = slots.pieces(said.text) or slots.pieces(told_before)
        if came is None:
            if _ABSENT.search(said.text) or _ABSENT.search(told_before):
                return await self._track_purchase_order(said)
            told: Any = await self._hands.read(said.caller, "track_purchase_order", {"po_id": po_id})
            order = telling.purchase_order_of(told["purchase_order"])
            came = sum(line.outstanding for line in order.lines)
            if came == 0:
                return Say(f"{po_id} has come in full already; there is nothing left to book in.", Matter(po_id=po_id))
        return [Wanted("confirm_delivery", {"po_id": po_id, "received_quantity": came})]

    async def _check_stock(self, said: Said) -> Choice:
        sku = await self._sku(said, "check_stock")
        if isinstance(sku, Say):
            return sku
        told = await self._hands.read(said.caller, "check_stock", {"sku": sku})
        return Say(telling.stock(cast("Mapping[str, Any]", told)), Matter(sku=sku))

    async def _forecast_demand(self, said: Said) -> Choice:
        sku = await self._sku(said, "forecast_demand")
        if isinstance(sku, Say):
            return sku
        arguments = {"sku": sku, "weeks": slots.weeks(said.text, _WEEKS)}
        told = await self._hands.read(said.caller, "forecast_demand", arguments)
        return Say(telling.demand(cast("Mapping[str, Any]", told)), Matter(sku=sku))

    async def _search_catalog(self, said: Said) -> Choice:
        if skus := slots.ids(said.text, "SKU"):
            return await self._check_stock(said) if len(skus) == 1 else Say("One product at a time, please.")
        found = await self._named(said)
        if not found:
            return Say("I find no product of that name in our catalogue.")
        matter = Matter(sku=found[0].sku) if len(found) == 1 else Matter()
        return Say(telling.catalog(found), matter)

    async def _sku(self, said: Said, tool: str) -> str | Say:
        """The product that is meant: by its SKU, by its name, by its place in what was shown, or the last one."""
        if skus := slots.ids(said.text, "SKU"):
            return skus[0]
        answered = said.answers
        if answered is not None:
            chosen = slots.places(said.text, len(answered["candidates"]))
            if chosen or answered["wanted"] == CONFIRMATION:
                return answered["candidates"][chosen[0] if chosen else 0]
            if answered["wanted"] != "sku" and (skus := slots.ids(answered["text"], "SKU")):
                return skus[0]
            if answered["wanted"] != "sku" and said.matter.get("sku"):
                return said.matter["sku"]
        suggested = said.matter.get("reorders") or []
        if chosen := slots.places(said.text, len(suggested)):
            return str(suggested[chosen[0]]["sku"])
        if skus := said.in_files("SKU"):
            return skus[0] if len(skus) == 1 else which(said, tool, "sku", skus)
        if not _content(said.text) and said.matter.get("sku"):
            return said.matter["sku"]
        found = await self._named(said)
        if len(found) == 1:
            return found[0].sku
        if not found:
            return question(said, tool, "sku", "Which product? Its number looks like SKU-0137.")
        named = "; ".join(f"{each.sku} {each.name}" for each in found[:_NAMED])
        more = "" if len(found) <= _NAMED else " and others"
        ask = f"Several products could be meant: {named}{more}. Which one?"
        return question(said, tool, "sku", ask, [each.sku for each in found[:_NAMED]])

    async def _named(self, said: Said) -> list[Product]:
        """The products that have every word of the message which any product has."""
        kept: list[str] = []
        found: list[Product] = []
        for word in _content(said.text):
            query = " ".join([*kept, word])
            these = telling.products_of(await self._hands.read(said.caller, "search_catalog", {"query": query}))
            if these:
                kept.append(word)
                found = these
        return found

    async def _product(self, said: Said, sku: str) -> Product:
        told: Any = await self._hands.read(said.caller, "check_stock", {"sku": sku})
        return telling.product_of(told["product"])

    def _purchase_order(self, said: Said, tool: str) -> str | Say:
        named = slots.ids(said.text, "PO")
        if named:
            return named[0]
        if said.answers is not None and (candidates := said.answers["candidates"]):
            chosen = slots.places(said.text, len(candidates))
            if chosen or said.answers["wanted"] == CONFIRMATION:
                return candidates[chosen[0] if chosen else 0]
        if found := said.in_files("PO"):
            return found[0] if len(found) == 1 else which(said, tool, "po_id", found)
        if said.matter.get("po_id"):
            return said.matter["po_id"]
        if found := said.in_files("PO", earlier=True):
            return found[0] if len(found) == 1 else which(said, tool, "po_id", found)
        return question(said, tool, "po_id", "Which purchase order? Its number looks like PO-00012.")


def _content(text: str) -> list[str]:
    """The words of the text that may name a product, in singular as the catalogue's search wants them."""
    found = []
    for word in words(text):
        if word.number is None and word.folded not in STOPWORDS and stem(word.folded) not in _AROUND:
            plural = word.folded.endswith("s") and not word.folded.endswith("ss") and len(word.folded) > 3
            found.append(word.folded[:-1] if plural else word.folded)
    return [word for word in dict.fromkeys(found) if len(word) > 2][:8]
