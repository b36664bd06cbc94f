"""Products and suppliers: names and prices are written in `catalog.toml`, costs and stock are drawn."""

from __future__ import annotations

import itertools
import tomllib
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

CATALOG = Path(__file__).with_name("catalog.toml")

CENT = Decimal("0.01")

RECENT_DAYS = 56
"""How many of the last days say how fast a product sells now."""


@dataclass(frozen=True, slots=True)
class Supplier:
    """Who delivers. Orders must reach `minimum_order` in money and come in multiples of `pack_size` pieces."""

    id: str
    name: str
    country: str
    lead_time_days: int
    minimum_order: Decimal
    pack_size: int
    payment_days: int


@dataclass(frozen=True, slots=True)
class Product:
    """What is sold. `lead_time_days` runs from a purchase order to its arrival, goods-in included."""

    sku: str
    name: str
    family: str
    price: Decimal
    cost: Decimal
    stock: int
    lead_time_days: int
    supplier_id: str


@dataclass(frozen=True, slots=True)
class Family:
    """How a family of products sells over the week, the year and the years, and who supplies it."""

    name: str
    suppliers: tuple[int, ...]
    peak_day: int
    swing: float
    gifts: float
    weekend: float
    growth: float
    markup: float


@dataclass(frozen=True, slots=True)
class Item:
    """A product as written in the catalogue, before cost and stock are drawn. `line` is the family's line."""

    name: str
    family: int
    line: int
    price: Decimal
    fuel: bool


@dataclass(frozen=True, slots=True)
class Catalog:
    """Everything `catalog.toml` says, in its order."""

    suppliers: tuple[Supplier, ...]
    families: tuple[Family, ...]
    items: tuple[Item, ...]


def read_catalog() -> Catalog:
    """Read the shipped catalogue."""
    written = tomllib.loads(CATALOG.read_text(encoding="utf-8"))
    suppliers = tuple(
        Supplier(id=f"SUP-{number:02}", **{**row, "minimum_order": Decimal(row["minimum_order"])})
        for number, row in enumerate(written["suppliers"], start=1)
    )
    families: list[Family] = []
    items: list[Item] = []
    for index, row in enumerate(written["families"]):
        lines = row.pop("lines")
        families.append(Family(**{**row, "suppliers": tuple(row["suppliers"])}))
        for number, line in enumerate(lines):
            items.extend(_items(index, number, line))
    return Catalog(suppliers, tuple(families), tuple(items))


def stock_products(random: np.random.Generator, catalog: Catalog, units: NDArray[np.int64]) -> tuple[Product, ...]:
    """Draw cost, lead time and stock for every item, given its daily sales (`units`: items by days).

    Most stocks outlast the lead time; about one in eight does not, so that there is something to reorder.
    """
    count = len(catalog.items)
    haggle = random.uniform(0.95, 1.05, count)
    goods_in = random.integers(1, 6, count)
    cover = random.lognormal(np.log(2.3), 0.7, count)
    pace = units[:, -RECENT_DAYS:].mean(axis=1)
    products = []
    for index, item in enumerate(catalog.items):
        family = catalog.families[item.family]
        supplier = catalog.suppliers[family.suppliers[item.line % len(family.suppliers)] - 1]
        lead = supplier.lead_time_days + int(goods_in[index])
        cost = item.price / Decimal(f"{family.markup * haggle[index]:.4f}")
        products.append(
            Product(
                sku=f"SKU-{index + 1:04}",
                name=item.name,
                family=family.name,
                price=item.price,
                cost=cost.quantize(CENT),
                stock=int(pace[index] * lead * cover[index]) + int(goods_in[index]),
                lead_time_days=lead,
                supplier_id=supplier.id,
            )
        )
    return tuple(products)


def _items(family: int, number: int, line: dict[str, Any]) -> Iterator[Item]:
    """Write out a line's products: every combination of its options."""
    options: list[list[str]] = line.get("options", [])
    step = Decimal(line.get("step", "0.00"))
    for chosen in itertools.product(*options):
        dearer = step * options[0].index(chosen[0]) if chosen else Decimal(0)
        price = Decimal(line["price"]) + dearer
        yield Item(line["name"].format(*chosen), family, number, price, line.get("fuel", False))
