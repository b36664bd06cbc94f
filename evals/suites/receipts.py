"""Are receipts read right: company, date, address and total, and the letters they are made of?

On receipts that are drawn from the seed, or on a folder of SROIE's layout (`img/`, `key/`, `box/`). What counts as the
same value is said by `evals.receipts.normal`: a day however it is written, an amount without its currency, and else
letter for letter but for case and spaces.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import jiwer

from core.media import Reading
from core.settings import MediaSettings
from evals.receipts import FIELDS, Receipt, drawn_receipts, normal, read_receipts
from evals.suite import Options, Pooled, Scorer, Suite, refuse_foreign, sample
from multimodal.fields.receipts import find_receipt
from multimodal.media import MediaGate
from multimodal.reading.rapid import RapidReader

_DRAWN = 24
_NAMES = {"merchant": "company"}


@dataclass(frozen=True, slots=True)
class Extracted:
    """What was read, and the fields that were found in it, by the names of the key."""

    reading: Reading
    fields: Mapping[str, str]


@asynccontextmanager
async def open_suite(options: Options) -> AsyncIterator[Suite[Receipt, Extracted]]:
    """The suite on the folder that `options` names, or on drawn receipts."""
    refuse_foreign("receipts", options)
    cases = read_receipts(options.data) if options.data else drawn_receipts(_DRAWN, options.seed)
    reader = RapidReader()
    try:
        yield Suite(
            name="receipts",
            cases=sample(cases, options),
            task=partial(extract, MediaGate(MediaSettings()), reader),
            scorers=SCORERS,
            details=_details,
            facts={
                "data": options.data.name if options.data else "drawn receipts",
                "reader": "rapidocr, PP-OCRv6 small",
            },
            pooled=POOLED,
        )
    finally:
        await reader.close()


async def extract(gate: MediaGate, reader: RapidReader, case: Receipt) -> Extracted:
    """Through the gate, as the gateway does it."""
    reading = await reader.read(await gate.picture(case.content, "file"))
    return Extracted(reading, {_NAMES.get(each.name, each.name): each.value for each in find_receipt(reading)})


def right(field: str, case: Receipt, out: Extracted) -> float | None:
    """1 for the key's value, 0 for another or none; None where the key has none."""
    if not case.key[field]:
        return None
    return float(normal(field, out.fields.get(field, "")) == normal(field, case.key[field]))


def macro(case: Receipt, out: Extracted) -> float | None:
    """The mean of `right` over the key's fields."""
    scores = [score for field in FIELDS if (score := right(field, case, out)) is not None]
    return sum(scores) / len(scores) if scores else None


def f1(field: str, rows: Sequence[tuple[Receipt, Extracted]]) -> float | None:
    """F1 of one field: a wrong value counts against precision and recall, a missing one against recall."""
    hits = sum(bool(right(field, case, out)) for case, out in rows)
    made = sum(field in out.fields for _, out in rows)
    wanted = sum(bool(case.key[field]) for case, _ in rows)
    return 2 * hits / (made + wanted) if made + wanted else None


def macro_f1(rows: Sequence[tuple[Receipt, Extracted]]) -> float | None:
    """The mean of the fields' F1."""
    scores = [score for field in FIELDS if (score := f1(field, rows)) is not None]
    return sum(scores) / len(scores) if scores else None


def character_error(case: Receipt, out: Extracted) -> float | None:
    """Edits over letters, of all that is printed, in the order of the reading's rows, without case and spaces."""
    if not case.text:
        return None
    return float(jiwer.cer(_squeezed(case.text), _squeezed([line.text for line in out.reading.lines]) or " "))


def word_recall(case: Receipt, out: Extracted) -> float | None:
    """The share of the printed words that were read exactly, whatever their order."""
    printed, read = (Counter(re.findall(r"\w+", " ".join(text).casefold())) for text in (case.text, _lines(out)))
    return (printed & read).total() / printed.total() if printed else None


def _lines(out: Extracted) -> list[str]:
    return [line.text for line in out.reading.lines]


def _squeezed(lines: Sequence[str]) -> str:
    return re.sub(r"\s+", "", "".join(lines)).casefold()


def _details(case: Receipt, out: Extracted) -> Mapping[str, str]:
    return {field: f"{case.key[field]} → {out.fields.get(field, '–')}" for field in FIELDS}


SCORERS: tuple[Scorer[Receipt, Extracted], ...] = (
    Scorer("field_accuracy", macro),
    *(Scorer(f"{field}_accuracy", partial(right, field)) for field in FIELDS),
    Scorer("character_error", character_error, lower_is_better=True),
    Scorer("word_recall", word_recall),
)
POOLED: tuple[Pooled[Receipt, Extracted], ...] = (
    Pooled("macro_f1", macro_f1),
    *(Pooled(f"{field}_f1", partial(f1, field)) for field in FIELDS),
)
