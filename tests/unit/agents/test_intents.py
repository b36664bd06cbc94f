"""What was wanted offline and is weighed against what is now: for every tool, whatever has changed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.intents import OFFLINE, Already, Ask, Go, Offline, seen, weigh
from core.intents import Intent, version

RECORDS = st.fixed_dictionaries(
    {
        "id": st.just("ORD-1"),
        "status": st.sampled_from(["placed", "packing", "shipped", "cancelled"]),
        "address": st.sampled_from(["1 Quay, Hull", "2 Quay, Hull", "5 Mill Lane, Bristol"]),
        "total": st.sampled_from(["10.00", "20.00"]),
        "charged": st.sampled_from(["10.00", "20.00"]),
        "refunded": st.sampled_from(["0.00", "10.00"]),
        "tracking": st.sampled_from([None, "T1"]),
    }
)
ON_ORDERS = st.sampled_from(sorted(name for name, rule in OFFLINE.items() if rule.record is not None))
ARGUMENTS: dict[str, dict[str, Any]] = {
    "change_delivery_address": {"order_id": "ORD-1", "address": "5 Mill Lane, Bristol"},
    "cancel_order": {"order_id": "ORD-1", "reason": "too late"},
    "issue_refund": {"order_id": "ORD-1", "amount": "10.00", "reason": "charged twice"},
}


def intent(tool: str, before: dict[str, Any] | None, confirmed: str | None = None) -> Intent:
    base = None if before is None else seen(OFFLINE[tool], before)
    return Intent.make(tool, ARGUMENTS[tool], base=base).model_copy(update={"confirmed": confirmed})


def reached(tool: str, record: dict[str, Any]) -> bool:
    if tool == "change_delivery_address":
        return bool(record["address"] == ARGUMENTS[tool]["address"])
    return tool == "cancel_order" and record["status"] == "cancelled"


@given(ON_ORDERS, RECORDS, RECORDS)
def test_unconfirmed_it_goes_only_where_nothing_that_matters_has_changed(
    tool: str, before: dict[str, Any], present: dict[str, Any]
) -> None:
    rule, weighed = OFFLINE[tool], weigh(OFFLINE[tool], intent(tool, before), present)
    changed = {name for name in rule.fields if before[name] != present[name]}
    if reached(tool, present):
        assert weighed == Already()
    elif rule.money:
        assert isinstance(weighed, Ask) and weighed.code == "money"
        assert set(weighed.fields) == changed
    elif changed:
        assert weighed == Ask("changed", tuple(name for name in rule.fields if name in changed))
    else:
        assert weighed == Go(merged=before != present)


@given(ON_ORDERS, RECORDS, RECORDS, RECORDS)
def test_a_person_agrees_to_one_state_and_to_no_other(
    tool: str, before: dict[str, Any], agreed: dict[str, Any], present: dict[str, Any]
) -> None:
    rule = OFFLINE[tool]
    weighed = weigh(rule, intent(tool, before, version(agreed)), present)
    if reached(tool, present):
        assert weighed == Already()
    elif agreed == present:
        assert weighed == Go(merged=before != present)
    else:
        assert weighed == weigh(rule, intent(tool, before), present)


@given(ON_ORDERS, RECORDS)
def test_who_says_nothing_of_what_they_saw_is_asked(tool: str, present: dict[str, Any]) -> None:
    weighed = weigh(OFFLINE[tool], intent(tool, None), present)
    assert weighed == Already() if reached(tool, present) else isinstance(weighed, Ask)


def test_every_tool_that_moves_money_says_so() -> None:
    assert {name for name, rule in OFFLINE.items() if rule.money} == {"cancel_order", "issue_refund"}


def test_a_base_without_a_field_that_matters_counts_as_changed() -> None:
    rule = Offline("order_id", ("status", "address"))
    made = intent("change_delivery_address", {"status": "placed", "address": "1 Quay, Hull"})
    assert made.base is not None
    thin = made.model_copy(update={"base": made.base.model_copy(update={"fields": {"status": "placed"}})})
    record = {"id": "ORD-1", "status": "placed", "address": "2 Quay, Hull"}
    assert weigh(rule, thin, record) == Ask("changed", ("address",))


@pytest.mark.parametrize("wrong", [{"id": "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"}, {"arguments": {"a": 2**60}}])
def test_an_intent_that_is_none_is_refused(wrong: dict[str, Any]) -> None:
    made = intent("cancel_order", None).model_dump(mode="json")
    with pytest.raises(ValueError, match=r"version 7|not JSON"):
        Intent.model_validate({**made, **wrong})
