"""What is wrong with rows, before a step is trained on them; a mask that fails does so silently otherwise."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import InvalidInput
from finetune.encoding import Encoded, Tokenizer
from finetune.rows import Row

# Addresses that RFC 2606 keeps for examples belong to nobody.
_MAIL = re.compile(r"\b[\w.+-]+@(?!(?:[\w-]+\.)*example(?:\.\w+)?\b)[\w-]+\.[\w.-]+\b")
_PHONE = re.compile(r"(?<![\w-])\+\d[\d ()-]{7,}\d\b")
_CARD = re.compile(r"(?<![\w-])\d(?:[ -]?\d){12,18}\b")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b")


@dataclass(frozen=True, slots=True)
class Findings:
    """What the check saw: counts, and one row decoded with what is learned between ⟦ and ⟧."""

    rows: int
    held_out: int
    tokens: int
    learned: int
    tasks: dict[str, int]
    example: str


def check(
    train: Sequence[Row],
    held_out: Sequence[Row],
    encoded: Sequence[Encoded],
    tokenizer: Tokenizer,
    *,
    longest: int,
    personal: bool = False,
) -> Findings:
    """Look at all rows. `encoded` are those of `train`, in its order.

    Raises `InvalidInput` when there is nothing to learn, a row's answer has no tokens or the row is longer than
    `longest` tokens, two rows ask the same, a held-out row is asked in training too, or a text holds an e-mail
    address, telephone, card or account number, unless `personal` says that this is meant.
    """
    if not train:
        raise InvalidInput("there are no rows to learn from", param="data")
    for number, (row, tokens) in enumerate(zip(train, encoded, strict=True), start=1):
        if len(tokens.answer) < 2:
            raise InvalidInput(f"row {number} of training ({row.task}) has an empty answer", param="data")
        if len(tokens) > longest:
            told = f"row {number} of training has {len(tokens)} tokens, more than pack_tokens ({longest})"
            raise InvalidInput(told, param="data")
    _same(train, held_out)
    if not personal:
        for kind, rows in (("training", train), ("held_out", held_out)):
            _personal(kind, rows)
    return Findings(
        rows=len(train),
        held_out=len(held_out),
        tokens=sum(map(len, encoded)),
        learned=sum(len(each.answer) for each in encoded),
        tasks=dict(Counter(row.task for row in train)),
        example=decoded(encoded[0], tokenizer),
    )


def decoded(row: Encoded, tokenizer: Tokenizer) -> str:
    """The row as text, as the model gets it; what is learned stands between ⟦ and ⟧."""
    return f"{tokenizer.decode(row.prompt)}⟦{tokenizer.decode(row.answer)}⟧"


def personal_data(text: str) -> str | None:
    """What kind of personal data the text holds, as far as its form tells; None for none."""
    if _MAIL.search(text):
        return "an e-mail address"
    if _PHONE.search(text):
        return "a telephone number"
    if any(_luhn(re.sub(r"\D", "", found)) for found in _CARD.findall(text)):
        return "a card number"
    if any(_iban(found.replace(" ", "")) for found in _IBAN.findall(text)):
        return "an account number"
    return None


def _same(train: Sequence[Row], held_out: Sequence[Row]) -> None:
    asked: dict[str, int] = {}
    for number, row in enumerate(train, start=1):
        first = asked.setdefault(row.prompt, number)
        if first != number:
            raise InvalidInput(f"rows {first} and {number} of training ask the same", param="data")
    for number, row in enumerate(held_out, start=1):
        if row.prompt in asked:
            told = f"row {number} of held_out is row {asked[row.prompt]} of training: it would measure memory"
            raise InvalidInput(told, param="held_out")


def _personal(kind: str, rows: Sequence[Row]) -> None:
    for number, row in enumerate(rows, start=1):
        found = personal_data(f"{row.prompt}\n{row.answer}")
        if found is not None:
            told = f"row {number} of {kind} holds {found}: mask it, or set personal_data: allowed in the recipe"
            raise InvalidInput(told, param="data")


def _luhn(digits: str) -> bool:
    """The check digit of card numbers (ISO/IEC 7812-1)."""
    doubled = (int(digit) * 2 for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(each - 9 * (each > 9) for each in doubled)) % 10 == 0


def _iban(number: str) -> bool:
    """The check digits of an account number (ISO 13616, ISO 7064 MOD 97-10)."""
    moved = number[4:] + number[:4]
    return int("".join(str(int(sign, 36)) for sign in moved)) % 97 == 1
