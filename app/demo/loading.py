"""Loads the demo company into an empty workspace, and says how far it is."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import track

from app.demo.company import generate
from app.demo.load import articles, has_records, load_records

if TYPE_CHECKING:
    from core.database import Database
    from retrieval.documents import Documents
    from retrieval.ingest import Ingestion


# Where the shipped articles say that they come from.
SOURCE = "demo/"


async def load_demo(
    database: Database, documents: Documents, ingestion: Ingestion, tenant: str, console: Console | None
) -> None:
    """Load articles and records and return when they can be found.

    Does nothing where the tenant has documents of its own, or has the demo's records: those come last and in one
    transaction, so a load that was killed is taken up again, and an article deleted later stays deleted.
    """
    known = await documents.list(tenant, limit=100)
    if any(not each.source.startswith(SOURCE) for each in known) or await has_records(database, tenant):
        return
    shown = console or Console(quiet=True)
    shown.print("Loading the demo company Harbor & Pine (once, into an empty workspace)")
    for path in track(list(articles()), "reading articles", console=shown):
        await documents.add(tenant, path.name, path.read_bytes(), source=SOURCE + path.name)
    with shown.status("indexing articles"):
        await ingestion.wait_idle()
    with shown.status("making customers, orders and sales"):
        await load_records(database, tenant, await asyncio.to_thread(generate))
