from __future__ import annotations

from collections.abc import Sequence

import pytest

from core.errors import InvalidInput
from finetune.checks import Findings, check, personal_data
from finetune.encoding import encode
from finetune.rows import Row, Said
from tests.fakes.tiny import Letters


def _row(question: str, answer: str = "yes", task: str = "tools") -> Row:
    return Row((Said("user", question),), answer, task)


def _check(train: Sequence[Row], held_out: Sequence[Row] = (_row("h"),), *, personal: bool = False) -> Findings:
    encoded = [encode(row, Letters()) for row in train]
    return check(train, held_out, encoded, Letters(), longest=60, personal=personal)


def test_good_rows_are_counted_and_one_is_shown_with_its_mask() -> None:
    found = _check([_row("a"), _row("b", task="reading"), _row("c")])
    assert found.example == "<user>a\x01<assistant>⟦yes\x01⟧"
    assert found.tasks == {"tools": 2, "reading": 1}
    assert (found.rows, found.held_out, found.learned) == (3, 1, 12)


@pytest.mark.parametrize(
    ("train", "told"),
    [
        ([], "no rows"),
        ([_row("a"), _row("b", "")], "row 2 of training .* empty answer"),
        ([_row("a" * 50)], "row 1 of training has 72 tokens"),
        ([_row("a"), _row("b"), _row("a", "no")], "rows 1 and 3 of training ask the same"),
        ([_row("a"), _row("h")], "row 1 of held_out is row 2 of training"),
        ([_row("mail me: kim@firm.org")], "row 1 of training holds an e-mail address"),
    ],
)
def test_what_must_not_be_trained_on_is_refused(train: list[Row], told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        _check(train)


def test_personal_data_may_be_meant() -> None:
    assert _check([_row("mail me: kim@firm.org")], personal=True).rows == 1


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("write to ann.lee+shop@mail.firm.co.uk today", "an e-mail address"),
        ("call +44 20 7946 0958", "a telephone number"),
        ("the card 4111 1111 1111 1111 was used", "a card number"),
        ("pay to DE89 3704 0044 0532 0130 00 please", "an account number"),
        ("write to help@shop.example", None),
        ("write to help@example.com", None),
        ("order ORD-10421, PO-00012, 12.50, 2026-11-28", None),
        ("4111 1111 1111 1112 is no card", None),
        ("DE88 3704 0044 0532 0130 00 is no account", None),
    ],
)
def test_personal_data_is_known_by_its_form(text: str, kind: str | None) -> None:
    assert personal_data(text) == kind
