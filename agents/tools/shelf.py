"""The tools that there are just now: our own, which never change, and those of other servers, which come and go."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from agents.tools.tool import AnyTool
from core.errors import NotFound, WaysideError


class Supplier(Protocol):
    """A server whose tools stand on the shelf while it can be reached."""

    @property
    def prefix(self) -> str:
        """What the names of its tools begin with, and no other's."""

    def tools(self, tenant: str) -> Sequence[AnyTool]:
        """Its tools for this tenant, at this moment."""

    def absence(self, tenant: str) -> WaysideError | None:
        """Why none of its tools are here, though it is the tenant's; None when what is missing does not exist."""


class Shelf:
    """Every tool that a tenant has. What it may be used for, and by whom, is the policy's."""

    def __init__(self, own: Iterable[AnyTool], suppliers: Iterable[Supplier] = ()) -> None:
        self._own = {tool.name: tool for tool in own}
        self._suppliers = tuple(suppliers)

    @property
    def own(self) -> Sequence[AnyTool]:
        """The tools that do not come from another server."""
        return tuple(self._own.values())

    @property
    def prefixes(self) -> tuple[str, ...]:
        """What the names of other servers' tools begin with."""
        return tuple(supplier.prefix for supplier in self._suppliers)

    def is_foreign(self, name: str) -> bool:
        """Whether a tool of this name would be another server's."""
        return name not in self._own and any(name.startswith(supplier.prefix) for supplier in self._suppliers)

    def of(self, tenant: str) -> Iterator[AnyTool]:
        """The tenant's tools."""
        yield from self._own.values()
        for supplier in self._suppliers:
            yield from supplier.tools(tenant)

    def find(self, tenant: str, name: str) -> AnyTool:
        """Raise `NotFound` when the tenant has no such tool, `SystemUnavailable` when its server is away."""
        if name in self._own:
            return self._own[name]
        for supplier in self._suppliers:
            if name.startswith(supplier.prefix):
                for tool in supplier.tools(tenant):
                    if tool.name == name:
                        return tool
                if (absence := supplier.absence(tenant)) is not None:
                    raise absence
        raise NotFound(f"no tool {name}", param="tool")
