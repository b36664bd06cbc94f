"""Customers' names, from our own tables."""

from __future__ import annotations

from sqlalchemy import select

from agents.records import CustomerRecord
from core.database import Database


class BuiltinNames:
    """Knows the customers that are kept here. Where another system keeps them, nobody is known by name."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def name(self, tenant: str, customer_id: str) -> str | None:
        """The customer's whole name, or None where it is not known."""
        wanted = select(CustomerRecord.name).where(CustomerRecord.tenant == tenant, CustomerRecord.id == customer_id)
        async with self._database.session() as session:
            found: str | None = await session.scalar(wanted)
        return found
