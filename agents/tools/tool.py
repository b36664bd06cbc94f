"""What a tool is: something to read, or something to do that takes effect once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from pydantic_core import to_jsonable_python

from core.canonical import JSON
from core.effects import Destination, Effect
from core.errors import InvalidInput, NotFound
from core.types import Principal, Role


class Checked(Protocol):
    """Arguments that have been checked."""

    def canonical(self) -> dict[str, JSON]:
        """The arguments as JSON, amounts as strings: what is hashed, stored and shown."""


Given = TypeVar("Given", bound=Checked)
Given_co = TypeVar("Given_co", bound=Checked, covariant=True)


class Shape(Protocol[Given_co]):
    """What a tool is called with: a class of `agents.tools.arguments`, or another server's JSON schema."""

    def model_json_schema(self) -> dict[str, Any]:
        """The JSON schema of the arguments, an object's."""

    def read(self, arguments: Mapping[str, Any]) -> Given_co:
        """Check the arguments. Raises `InvalidInput`, which names the first that is wrong."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom and what a call is about, as the conversation knows it and no model can change it.

    With a customer, only that customer's orders and tickets are found.
    """

    customer_id: str | None = None
    order_id: str | None = None
    ticket_id: str | None = None

    def given(self) -> dict[str, str]:
        """Its fields, but for those that are not set."""
        names = ("customer_id", "order_id", "ticket_id")
        return {name: value for name in names if (value := getattr(self, name)) is not None}


class Caller:
    """A principal and what it talks about. A client acts for its own customer, whatever else is said."""

    def __init__(self, principal: Principal, subject: Subject | None = None) -> None:
        """Raise `NotFound` when a client is to act for another customer, or a visitor on anybody's order or ticket."""
        subject = subject or Subject()
        if principal.role is Role.CLIENT:
            if subject.customer_id not in (None, principal.customer_id):
                raise NotFound(f"no customer {subject.customer_id}", param="customer_id")
            if principal.customer_id is None and (subject.order_id or subject.ticket_id):
                raise NotFound("this key acts for no customer, so it has no orders or tickets", code="no_customer")
            subject = Subject(principal.customer_id, subject.order_id, subject.ticket_id)
        self.principal = principal
        self.subject = subject

    @property
    def tenant(self) -> str:
        """Whose company it is."""
        return self.principal.tenant

    @property
    def owner(self) -> str:
        """Whose threads and proposals these are."""
        return self.principal.owner

    @property
    def visitor(self) -> bool:
        """Whether it is a client that acts for no customer, and so has no orders or tickets."""
        return self.principal.role is Role.CLIENT and self.principal.customer_id is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool(Generic[Given]):
    """What readings and actions have in common.

    `personal` ones work on a customer's own things. `foreign` ones are another server's, which tells what they do.
    """

    name: str
    description: str
    arguments: Shape[Given]
    personal: bool = False
    foreign: bool = False

    def parse(self, arguments: Mapping[str, Any]) -> Given:
        """Check the arguments. Raises `InvalidInput`, which names the first that is wrong."""
        try:
            return self.arguments.read(arguments)
        except InvalidInput as problem:
            raise InvalidInput(f"{self.name}: {problem.message}", param=problem.param) from None

    def check(self, caller: Caller) -> None:
        """Raise `NotFound` when the tool is about a customer's things and the caller has none."""
        if self.personal and caller.visitor:
            raise NotFound("this key acts for no customer, so it has no orders or tickets", code="no_customer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading(Tool[Given]):
    """A tool that changes nothing. `read` raises `NotFound` for what the caller may not see."""

    read: Callable[[Caller, Given], Awaitable[JSON]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Action(Tool[Given]):
    """A tool that changes the world; only `Acting` performs it.

    `examine` refuses what cannot be done before a person is asked, and gives the amounts that a policy may limit.
    `measures` has the names of these amounts. `destination` is where it takes effect; `object_of` names what it
    changed (`order/ORD-10421`) for the audit log, its result being null when it was refused. `additive` ones make
    something new and leave what there is; the same call of an `idempotent` one has no effect the second time.
    """

    examine: Callable[[str, Subject, Given], Awaitable[Mapping[str, Decimal]]]
    destination: Callable[[Subject, Given], Destination]
    object_of: Callable[[Given, JSON], str]
    measures: tuple[str, ...] = ()
    additive: bool = False
    idempotent: bool = False


AnyTool: TypeAlias = Reading[Any] | Action[Any]


class _System(Protocol):
    async def act(self, tenant: str, key: str, action: Any) -> Any: ...

    async def outcome(self, tenant: str, key: str) -> Any: ...


@dataclass(frozen=True, slots=True)
class SystemDestination:
    """One action at one of the company's systems, as the ledger sees it."""

    system: _System
    action: Any

    async def execute(self, effect: Effect) -> JSON:
        """See `Destination.execute`."""
        return as_json(await self.system.act(effect.tenant, effect.key, self.action))

    async def outcome(self, effect: Effect) -> JSON:
        """See `Destination.outcome`."""
        found = await self.system.outcome(effect.tenant, effect.key)
        return None if found is None else as_json(found)


def as_json(noun: Any) -> JSON:
    """A noun as JSON; amounts and times are strings."""
    said: JSON = to_jsonable_python(noun)
    return said
