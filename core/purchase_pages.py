"""All products and all sales that procurement keeps, page by page: it gives no more than a thousand at once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from typing import TypeVar

from core.errors import SystemFault
from core.ports import Procurement
from core.purchasing import Product, ProductQuery, Query, SalesHistory, SalesQuery

PAGE = 1_000
"""Products or histories that are asked for at once, the most that procurement gives."""

Listed = TypeVar("Listed", Product, SalesHistory)


def product_pages(procurement: Procurement, tenant: str, wanted: ProductQuery) -> AsyncIterator[list[Product]]:
    """Every product that fits, in the order of the SKUs, `wanted.limit` at a time; none comes twice.

    A page with fewer is the last one. Raises `SystemFault` where the next page cannot be told, since SKUs come out of
    order or again, and what procurement raises: `InvalidInput` where it cannot be asked for another page.
    """
    return _pages(procurement, tenant, wanted.limit, wanted.after, lambda after: replace(wanted, after=after))


def sales_pages(procurement: Procurement, tenant: str, wanted: SalesQuery) -> AsyncIterator[list[SalesHistory]]:
    """The sales of every product that fits, as `product_pages` does it."""
    return _pages(procurement, tenant, wanted.limit, wanted.after, lambda after: replace(wanted, after=after))


async def all_products(procurement: Procurement, tenant: str) -> list[Product]:
    """Every product of the tenant, in the order of the SKUs. Raises what `product_pages` does."""
    pages = product_pages(procurement, tenant, ProductQuery(limit=PAGE))
    return [each async for page in pages for each in page]


async def all_sales(procurement: Procurement, tenant: str, since: date) -> list[SalesHistory]:
    """The sales of every product from `since` on, in the order of the SKUs. Raises what `product_pages` does."""
    pages = sales_pages(procurement, tenant, SalesQuery(since, limit=PAGE))
    return [each async for page in pages for each in page]


async def sold_until(procurement: Procurement, tenant: str, known: date) -> date:
    """The last day of which the sales of any product are known, `known` where that is the last one.

    One history tells whether anything is known from some day on, so no page is read: asking leaps ahead, ever further
    while something is found and half as far when nothing is. Raises what procurement does, and `SystemFault` for sales
    of other days than were asked for.
    """
    step = 1
    while True:
        since = known + timedelta(days=step)
        found = await procurement.read(tenant, SalesQuery(since, limit=1))
        if found:
            known, step = last_day(found[0]), 2 * step
            if known < since:
                raise SystemFault(f"sales from {since} on were asked for, and those of {found[0].sku} end before")
        elif step == 1:
            return known
        else:
            step //= 2


def last_day(history: SalesHistory) -> date:
    """The last day of a history."""
    return history.first_day + timedelta(days=len(history.units) - 1)


async def _pages(
    procurement: Procurement, tenant: str, size: int, after: str | None, asked: Callable[[str | None], Query[Listed]]
) -> AsyncIterator[list[Listed]]:
    while True:
        page = await procurement.read(tenant, asked(after))
        skus = [each.sku for each in page]
        # Whoever does not heed `after` gives the same page for ever.
        if after is not None and any(sku <= after for sku in skus):
            raise SystemFault(f"products behind {after} were asked for, and others came as well")
        if page:
            yield page
        if len(page) < size:
            return
        # Behind the last of a page that is out of order, some that have not come are passed over.
        if any(first >= second for first, second in pairwise(skus)):
            raise SystemFault("the SKUs of a page do not ascend by their code points: no next page can be told")
        after = skus[-1]
