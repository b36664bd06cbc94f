"""`wayside tabular import --purchases`: every order of the company's order system into the event log."""

from __future__ import annotations

from contextlib import AsyncExitStack

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn

from app.commands.log_database import log_database
from app.recommend.history import PurchaseHistory, Taken
from app.systems import open_systems
from app.workspace import TENANT
from core.settings import Settings


async def import_purchases(settings: Settings) -> Taken:
    """Page through all orders. Raises what the order system does."""
    async with log_database(settings) as database, AsyncExitStack() as stack:
        orders = open_systems(settings.systems, database, stack).orders
        columns = SpinnerColumn(), TextColumn("{task.completed:,} orders")
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("", total=None)
            return await PurchaseHistory(orders, database).take_all(TENANT, lambda done: progress.advance(task, done))
