"""The policy file: what it must say, and what follows from it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from agents.policy import Allowed, NeedsApproval, Policy
from core.errors import Forbidden, InvalidInput
from core.types import Role
from tests.fakes.acting import ADMIN, CLIENT, STAFF, Office

OTHERS = '[others]\nrole = "staff"\n'
TIERS = """
[tools.issue_refund]
role = "client"
[[tools.issue_refund.limit]]
of = "amount"
above = "50.00"
by = "staff"
four_eyes = false
hours = 72
[[tools.issue_refund.limit]]
of = "refunded"
above = "500.00"
by = "admin"
quorum = 2
hours = 24
"""


def _policy(folder: Path, text: str) -> Path:
    path = folder / "policy.toml"
    path.write_text(text + OTHERS if "[others]" not in text else text, encoding="utf-8")
    return path


def _measured(amount: str, refunded: str) -> dict[str, Decimal]:
    return {"amount": Decimal(amount), "refunded": Decimal(refunded)}


def test_every_limit_that_is_passed_is_met(tmp_path: Path) -> None:
    policy = Policy.read(_policy(tmp_path, TIERS))
    assert policy.decide(CLIENT, "issue_refund", _measured("50.00", "500.00")) == Allowed()
    one = policy.decide(CLIENT, "issue_refund", _measured("50.01", "50.01"))
    assert one == NeedsApproval(
        "amount is 50.01, above the limit of 50.00", Role.STAFF, None, 1, False, timedelta(hours=72)
    )
    both = policy.decide(CLIENT, "issue_refund", _measured("60.00", "500.01"))
    assert isinstance(both, NeedsApproval)
    assert (both.by, both.quorum, both.four_eyes, both.within) == (Role.ADMIN, 2, True, timedelta(hours=24))


def test_a_tool_that_nobody_named_is_for_staff_and_needs_consent() -> None:
    policy = Policy.read()
    with pytest.raises(Forbidden):
        policy.decide(CLIENT, "send_rocket", {})
    for principal in (STAFF, ADMIN):
        assert isinstance(policy.decide(principal, "send_rocket", {}), NeedsApproval)


@pytest.mark.parametrize(
    "text",
    [
        "no toml",
        '[tools.create_ticket]\nrole = "king"\n',
        '[tools.create_ticket]\nrole = "client"\nlimits = []\n',
        '[tools.make_tea]\nrole = "client"\n',
        '[tools.lookup_order]\nrole = "client"\n[[tools.lookup_order.limit]]\nby = "staff"\n',
        TIERS.replace('of = "amount"', 'of = "weight"'),
        TIERS.replace('of = "amount"\n', ""),
        TIERS.replace('by = "staff"', 'by = "client"'),
        TIERS.replace("quorum = 2", "quorum = 0"),
        TIERS.replace("quorum = 2", 'assignee = "key_a1"'),
        '[others]\nrole = "staff"\n[[others.limit]]\nof = "amount"\nabove = "1"\nby = "staff"\n',
    ],
)
async def test_a_policy_that_makes_no_sense_is_refused(office: Office, tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidInput, match="policy"):
        Office(office.database, _policy(tmp_path, text))


def test_the_limits_of_the_design_are_the_default() -> None:
    policy = Policy.read()
    assert policy.decide(CLIENT, "issue_refund", _measured("50.00", "50.00")) == Allowed()
    assert isinstance(policy.decide(CLIENT, "issue_refund", _measured("50.01", "50.01")), NeedsApproval)
    assert policy.decide(STAFF, "create_purchase_order", {"total": Decimal("500.00")}) == Allowed()
    assert isinstance(policy.decide(STAFF, "create_purchase_order", {"total": Decimal("500.01")}), NeedsApproval)
