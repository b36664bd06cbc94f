"""Loads the demo company into an empty workspace, and says how far it is."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import track

from app.demo.company import generate
from app.demo.load import articles, load_records

if TYPE_CHECKING:
    from core.database import Database
    from retrieval.documents import Documents
    from retrieval.ingest import Ingestion


async def load_demo(
    database: Database, documents: Documents, ingestion: Ingestion, tenant: str, console: Console | None
) -> None:
    """Load articles and records and return when they can be found; does nothing where the tenant has documents."""
    if await documents.list(tenant, limit=1):
        return
    shown = console or Console(quiet=True)
    shown.print("Loading the demo company Harbor & Pine (once, into an empty workspace)")
    await load_records(database, tenant, await asyncio.to_thread(generate))
    for path in track(list(articles()), "reading articles", console=shown):
        await documents.add(tenant, path.name, path.read_bytes(), source=f"demo/{path.name}")
    with shown.status("indexing articles"):
        await ingestion.wait_idle()
