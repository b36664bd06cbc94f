"""Which tools may be called without a network, and whether what was wanted then is still wanted now.

`weigh` is a pure function: the whole policy of conflicts is here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.intents import Intent, Seen, version


@dataclass(frozen=True, slots=True)
class Offline:
    """What matters for a tool that may be called offline.

    `record` names the argument with the id of the order that it changes, None where it changes none. `fields` of that
    order are what somebody bases their wish on. `reaches` maps a field to the value that the call brings about: an
    argument's name after `=`, or the value itself. `money` moves: then nothing happens without a person who agrees
    while there is a network.
    """

    record: str | None = None
    fields: tuple[str, ...] = ()
    reaches: Mapping[str, str] | None = None
    money: bool = False


OFFLINE: Mapping[str, Offline] = {
    "create_ticket": Offline(),
    "escalate_to_human": Offline(),
    "change_delivery_address": Offline("order_id", ("status", "address"), {"address": "=address"}),
    "cancel_order": Offline("order_id", ("status", "charged", "refunded"), {"status": "cancelled"}, money=True),
    "issue_refund": Offline("order_id", ("status", "total", "charged", "refunded"), money=True),
}


@dataclass(frozen=True, slots=True)
class Go:
    """It may be brought about; `merged` where the record has changed since, in nothing that matters."""

    merged: bool


@dataclass(frozen=True, slots=True)
class Already:
    """The record is as the person wants it: nothing is left to do."""


@dataclass(frozen=True, slots=True)
class Ask:
    """The person has to agree once more. `code` says why: `changed`, `money`, or `unseen`; `fields` have changed."""

    code: str
    fields: tuple[str, ...] = ()


Weighed = Go | Already | Ask


def seen(rule: Offline, record: Mapping[str, Any]) -> Seen:
    """What an intent has to say of the record that a person saw."""
    return Seen(version=version(record), fields={name: record[name] for name in rule.fields})


def weigh(rule: Offline, intent: Intent, record: Mapping[str, Any]) -> Weighed:
    """Whether the intent may change the record as it is now."""
    present = version(record)
    if _reached(rule, intent, record):
        return Already()
    if intent.confirmed == present:
        return Go(merged=intent.base is None or intent.base.version != present)
    if intent.base is None:
        return Ask("money" if rule.money else "unseen")
    if rule.money:
        return Ask("money", _changed(rule, intent.base, record))
    if intent.base.version == present:
        return Go(merged=False)
    changed = _changed(rule, intent.base, record)
    return Ask("changed", changed) if changed else Go(merged=True)


def _changed(rule: Offline, base: Seen, record: Mapping[str, Any]) -> tuple[str, ...]:
    if base.version == version(record):
        return ()
    return tuple(name for name in rule.fields if name not in base.fields or base.fields[name] != record[name])


def _reached(rule: Offline, intent: Intent, record: Mapping[str, Any]) -> bool:
    if not rule.reaches:
        return False
    wanted = {
        name: intent.arguments.get(value[1:]) if value.startswith("=") else value
        for name, value in rule.reaches.items()
    }
    return all(record[name] == value for name, value in wanted.items())
