"""Receipts with their keys: read from a folder, or drawn from a seed; and what counts as the same value."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import orjson
from PIL import Image, ImageDraw, ImageFont

from core.errors import InvalidInput
from multimodal.fields.amounts import amounts
from multimodal.fields.dates import find_date

FIELDS = ("company", "date", "address", "total")
_PICTURES = {".jpg", ".jpeg", ".png"}
_WIDTH = 560
_FIRMS = (
    "Alder Trading Ltd",
    "Quarry Lane Stores Ltd",
    "Pinewood Hardware Inc",
    "Lantern Cafe Ltd",
    "Fjord Outdoor GmbH",
)
_STREETS = ("14 Mill Street", "8 Harbour Road", "221 Station Avenue", "3 Orchard Lane")
_TOWNS = ("Westbury 40213", "Northfield 7741", "Elmhaven 90122")
_GOODS = ("Tent pegs", "Wool socks", "Coffee", "Rope 10 m", "Gas canister", "Map of the lakes", "Soap", "Bread")


@dataclass(frozen=True, slots=True)
class Receipt:
    """A picture of a receipt and its key; `text` is all that is printed, line by line, where it was written down."""

    id: str
    content: bytes
    key: Mapping[str, str]
    text: tuple[str, ...] = ()


def read_receipts(folder: Path) -> list[Receipt]:
    """The receipts of a folder of SROIE's layout: `img/`, `key/*.json` and, where there is one, `box/*.csv`.

    Raises `InvalidInput` (`data`) where the layout is another.
    """
    found = [_read(path, folder) for path in sorted(folder.glob("img/*")) if path.suffix.lower() in _PICTURES]
    if not found:
        raise InvalidInput(f"{folder} has no pictures in img/", param="data")
    return found


def _read(path: Path, folder: Path) -> Receipt:
    try:
        key = orjson.loads((folder / "key" / f"{path.stem}.json").read_bytes())
    except (OSError, ValueError) as problem:
        raise InvalidInput(f"{folder} has no readable key/{path.stem}.json", param="data") from problem
    box = folder / "box" / f"{path.stem}.csv"
    rows = csv.reader(io.StringIO(box.read_text("utf-8", "replace")), quoting=csv.QUOTE_NONE) if box.exists() else ()
    text = tuple(",".join(row[8:]) for row in rows if len(row) > 8)
    return Receipt(path.stem, path.read_bytes(), {name: str(key.get(name, "")) for name in FIELDS}, text)


def drawn_receipts(count: int, seed: int) -> list[Receipt]:
    """`count` receipts of made-up shops, a little turned and with some noise."""
    random = np.random.default_rng(seed)
    return [_drawn(f"drawn-{number}", random) for number in range(count)]


def _drawn(name: str, random: np.random.Generator) -> Receipt:
    firm, street, town = (str(random.choice(words)) for words in (_FIRMS, _STREETS, _TOWNS))
    day = date(2025, 1, 1) + timedelta(days=int(random.integers(600)))
    form = str(random.choice(["%d/%m/%Y", "%Y-%m-%d", "%d %b %Y"]))
    goods = [str(each) for each in random.choice(_GOODS, size=int(random.integers(2, 6)), replace=False)]
    prices = [Decimal(int(random.integers(120, 9000))) / 100 for _ in goods]
    net = sum(prices, Decimal())
    tax = (net * Decimal("0.06")).quantize(Decimal("0.01"))
    total, cash = net + tax, (net + tax) // 50 * 50 + 50
    table = [(firm, ""), (street, ""), (town, ""), ("Tel: 555 0134 22", ""), ("Receipt no: R" + f"{day:%m%d}77", "")]
    table += [
        (f"Date: {day.strftime(form)}", ""),
        *((what, f"{price:.2f}") for what, price in zip(goods, prices, strict=True)),
    ]
    table += [("Subtotal", f"{net:.2f}"), ("Tax 6%", f"{tax:.2f}"), ("TOTAL", f"{total:.2f}")]
    table += [("Cash", f"{cash:.2f}"), ("Change", f"{cash - total:.2f}"), ("Thank you", "")]
    image = Image.new("L", (_WIDTH, 60 + 36 * len(table)), 244)
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(size=22)
    for row, (left, right) in enumerate(table):
        pen.text((40, 30 + 36 * row), left, font=font, fill=30)
        pen.text((_WIDTH - 40, 30 + 36 * row), right, font=font, fill=30, anchor="ra")
    turned = image.rotate(float(random.uniform(-1.5, 1.5)), Image.Resampling.BICUBIC, expand=True, fillcolor=244)
    noisy = np.asarray(turned, np.float32) + random.normal(0, 8, (turned.height, turned.width))
    made = io.BytesIO()
    Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).convert("RGB").save(made, "PNG")
    key = {"company": firm, "date": day.strftime(form), "address": f"{street} {town}", "total": f"{total:.2f}"}
    return Receipt(name, made.getvalue(), key, tuple(part for row in table for part in row if part))


def normal(field: str, value: str) -> str:
    """What is compared: a day, an amount without its currency, and else the letters without case and spaces."""
    if field == "date" and (day := find_date(value)) is not None:
        return day.isoformat()
    if field == "total" and (found := next(amounts(value), None)) is not None:
        return f"{found.value}"
    return re.sub(r"\s+", "", value).casefold()
