"""Reads purchases in the layout of UCI Online Retail, from Parquet, with pandas.

Columns: InvoiceNo, StockCode, Description, Quantity, InvoiceDate, UnitPrice, CustomerID. Left out are lines without a
customer, cancellations (an InvoiceNo with a C, a quantity below 1), lines without a price, and what is no product:
postage, fees and corrections, whose codes begin with a letter.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from core.errors import InvalidInput
from tabular.recommend.purchases import Purchase

FILE = "online_retail.parquet"
COLUMNS = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID")
_FORMAT = "%m/%d/%y %H:%M"


def read_retail(path: Path) -> list[tuple[Purchase, str]]:
    """Every line's purchase with the item's description, which may be empty, the earliest first.

    `path` is the file or its folder. Times are taken for UTC. Raises `InvalidInput` for what is not of the layout.
    """
    file = path / FILE if path.is_dir() else path
    try:
        table: Any = pd.read_parquet(file, columns=list(COLUMNS))
        products = table["StockCode"].astype(str).str.match(r"\d")
        kept = table["CustomerID"].notna() & (table["Quantity"] > 0) & (table["UnitPrice"] > 0) & products
        lines = table[kept & ~table["InvoiceNo"].astype(str).str.startswith("C")]
        # The lines of an invoice share their moment: each is read once.
        moments = {text: datetime.strptime(text, _FORMAT).replace(tzinfo=UTC) for text in set(lines["InvoiceDate"])}
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise InvalidInput(f"{file} is not in the layout of Online Retail: {problem}", param="data") from problem
    columns = (lines[name].tolist() for name in ("CustomerID", "StockCode", "InvoiceDate", "InvoiceNo", "Description"))
    found = [
        (
            Purchase(str(int(customer)), str(item), moments[moment], str(basket)),
            " ".join(title.split()) if isinstance(title, str) else "",
        )
        for customer, item, moment, basket, title in zip(*columns, strict=True)
    ]
    return sorted(found, key=lambda line: line[0].time)
