"""Hands without a network: they read the records that were taken along, and note down what is to be done."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from agents.conversation import Call
from agents.hands import Done, Noted, Outcome, TurnedDown, Waiting
from agents.intents import OFFLINE, seen
from agents.tools.tool import Caller
from core.canonical import JSON
from core.effects import effect_key
from core.errors import Conflict, InvalidInput, NotFound
from core.intents import Intent, Settlement, State
from core.types import Principal
from edge.outbox import Kept, Outbox

_READINGS = frozenset({"list_orders", "lookup_order"})


class OutboxHands:
    """See `agents.hands.Hands`. What is performed is an intent in the outbox, until it is heard what became of it."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    def tools(self, principal: Principal) -> frozenset[str]:
        """See `Hands.tools`: what can wait. Who is nobody's customer has no orders to speak of."""
        return _READINGS | OFFLINE.keys() if principal.customer_id else frozenset({"create_ticket"})

    async def read(self, caller: Caller, tool: str, arguments: Mapping[str, Any]) -> JSON:
        """See `Hands.read`. Orders are as of the last time that there was a network."""
        orders = await asyncio.to_thread(self._orders)
        if tool == "list_orders":
            if arguments.get("customer_id") != caller.subject.customer_id:
                raise NotFound(f"no customer {arguments.get('customer_id')}", param="customer_id")
            return [*orders.values()]
        if tool == "lookup_order":
            return self._order(orders, str(arguments.get("order_id")))
        raise InvalidInput(f"no tool {tool} without a network", param="tool")

    async def perform(self, caller: Caller, thread: str, call: Call) -> Outcome:
        """See `Hands.perform`."""
        return await asyncio.to_thread(self._perform, caller, thread, call)

    def _perform(self, caller: Caller, thread: str, call: Call) -> Outcome:
        tool, arguments = call["tool"], call["arguments"]
        rule = OFFLINE.get(tool)
        if rule is None:
            raise Conflict(f"{tool} takes a network")
        place = effect_key(caller.tenant, thread, call["step"], call["index"], tool, arguments)
        kept = self._outbox.at(place)
        if kept is None:
            base = None
            if rule.record is not None:
                base = seen(rule, self._order(self._orders(), str(arguments[rule.record])))
            subject = {**call["subject"], **caller.subject.given()}
            kept = self._outbox.add(place, Intent.make(tool, arguments, subject=subject, base=base))
        return outcome(kept)

    def _orders(self) -> dict[str, dict[str, Any]]:
        """The records, with what is noted down already: a person sees what they asked for."""
        records = self._outbox.records()
        return {each["id"]: each for each in records.orders} if records is not None else {}

    def _order(self, orders: Mapping[str, dict[str, Any]], order_id: str) -> dict[str, Any]:
        if order_id not in orders:
            raise NotFound(f"no order {order_id} on this device", param="order_id")
        return orders[order_id]


def outcome(kept: Kept) -> Outcome:
    """How an intent stands, as the agents say it."""
    settlement, intent = kept.settlement, kept.intent
    if kept.dropped:
        return TurnedDown("you let it be")
    if settlement is None:
        return Noted(str(intent.id), "")
    match settlement.state:
        case State.APPLIED | State.MERGED:
            return Done(settlement.result, settlement.arguments or intent.arguments, _edited(settlement, intent))
        case State.REJECTED:
            return TurnedDown(settlement.text)
        case State.WAITING:
            return Waiting(settlement.approval or str(intent.id), settlement.text)
        case State.NEEDS_USER | State.LATER:
            return Noted(str(intent.id), settlement.text)


def _edited(settlement: Settlement, intent: Intent) -> bool:
    return settlement.arguments is not None and settlement.arguments != intent.arguments
