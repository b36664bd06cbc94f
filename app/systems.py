"""Chooses each of the company's systems: its own behind HTTP where the settings describe one, else the built-in one."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agents.systems.builtin.help_desk import BuiltinHelpDesk
from agents.systems.builtin.orders import BuiltinOrders
from agents.systems.builtin.procurement import BuiltinProcurement

if TYPE_CHECKING:
    from agents.systems.remote.system import RemoteSystem
    from core.database import Database
    from core.ports import HelpDesk, Orders, Procurement
    from core.systems import RemoteSettings, SystemsSettings


@dataclass(frozen=True, slots=True)
class Systems:
    """Where the tools of the agents read and act."""

    help_desk: HelpDesk
    orders: Orders
    procurement: Procurement


def open_systems(settings: SystemsSettings, database: Database, stack: AsyncExitStack) -> Systems:
    """Open the systems; the stack closes them. Raises `InvalidInput` when an expression in the settings is none."""
    return Systems(
        help_desk=_help_desk(settings, database, stack),
        orders=_orders(settings, database, stack),
        procurement=_procurement(settings, database, stack),
    )


def _help_desk(settings: SystemsSettings, database: Database, stack: AsyncExitStack) -> HelpDesk:
    if settings.help_desk is None:
        return BuiltinHelpDesk(database)
    from agents.systems.remote.help_desk import RemoteHelpDesk

    return RemoteHelpDesk(_connected(settings.help_desk, stack), settings.help_desk)


def _orders(settings: SystemsSettings, database: Database, stack: AsyncExitStack) -> Orders:
    if settings.orders is None:
        return BuiltinOrders(database)
    from agents.systems.remote.orders import RemoteOrders

    return RemoteOrders(_connected(settings.orders, stack), settings.orders)


def _procurement(settings: SystemsSettings, database: Database, stack: AsyncExitStack) -> Procurement:
    if settings.procurement is None:
        return BuiltinProcurement(database)
    from agents.systems.remote.procurement import RemoteProcurement

    return RemoteProcurement(_connected(settings.procurement, stack), settings.procurement)


def _connected(settings: RemoteSettings, stack: AsyncExitStack) -> RemoteSystem:
    # Only who has a system of their own waits for the HTTP client to be imported.
    from agents.systems.remote.system import RemoteSystem

    system = RemoteSystem(settings)
    stack.push_async_callback(system.close)
    return system
