"""How the settings describe a company's own systems: where they are, and how each operation is said in their words.

Templates hold names in braces, such as `/orders/{order_id}/cancel`. Expressions are JMESPath (https://jmespath.org),
with three functions more: `lookup(table, key)`, `from_cents(number)` and `to_cents(amount)`. An expression that makes
a request sees the fields of the query or action, `tenant` and `key`; amounts are strings there. One that reads an
answer sees its JSON: `response` finds the thing or the list of things in it, and the system's `nouns` say how each of
them is read as one of ours (the fields of `core/orders.py`, `core/tickets.py`, `core/purchasing.py`).
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator


class OperationSettings(BaseModel):
    """One operation of a remote system. The lists of statuses say what its refusals mean."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] | None = Field(
        None, description="GET for what reads and POST for what acts, unless another is given"
    )
    path: str = Field(pattern=r"^/", description="template, such as /orders/{order_id}/cancel")
    query: str | None = Field(None, description="expression for an object of query parameters; nulls are left out")
    body: str | None = Field(None, description="expression for the JSON body; none is sent without it")
    response: str = Field("@", description="expression for the thing or things in the answer; null means nothing found")
    message: str = Field("error.message || message || detail || error", description="what a refusal says, in its body")
    not_found: tuple[int, ...] = (404, 410)
    conflict: tuple[int, ...] = (409,)
    invalid_input: tuple[int, ...] = (400, 422)
    key_reused: tuple[int, ...] = Field((), description="the key came back with another body")
    in_flight: tuple[int, ...] = Field((425,), description="the first request with this key has not ended")

    @model_validator(mode="after")
    def _unambiguous(self) -> Self:
        known = [*self.not_found, *self.conflict, *self.invalid_input, *self.key_reused, *self.in_flight]
        if len(known) > len(set(known)):
            raise ValueError("a status can mean one thing only")
        if not all(400 <= status < 500 for status in known):
            raise ValueError("only statuses from 400 to 499 say that nothing was done")
        return self


class RemoteSettings(BaseModel):
    """A system behind an HTTP API.

    It belongs to one `tenant`, or is told whose things are wanted by `{tenant}` in its URL or headers.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(pattern=r"^https?://", description="base URL; may hold {tenant}")
    tenant: str | None = None
    secret: SecretStr | None = Field(None, description="stands for {secret} in the headers")
    headers: dict[str, str] = Field({}, description='such as {Authorization = "Bearer {secret}"}')
    timeout: float = Field(10.0, gt=0, description="seconds for one attempt, from connecting to the last byte")
    retries: int = Field(3, ge=0, le=10, description="attempts after the first, where another one does no harm")
    backoff: float = Field(0.2, gt=0, description="seconds before the second attempt; doubled before each further one")
    patience: float = Field(20.0, ge=0, description="the longest Retry-After that is waited for, in seconds")
    idempotency_header: str | None = Field(
        "Idempotency-Key", description="carries the key of each act; without it, an act that may be done is not resent"
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.tenant is None and not any("{tenant}" in text for text in (self.url, *self.headers.values())):
            raise ValueError("say whose system it is: set tenant, or put {tenant} into url or headers")
        if (self.secret is not None) != any("{secret}" in text for text in self.headers.values()):
            raise ValueError("secret and {secret} in the headers need each other")
        return self


class HelpDeskOperations(BaseModel):
    """`ticket` is asked instead of `tickets` where one is wanted by its id. `escalate` sees a null `ticket_id` too."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tickets: OperationSettings
    ticket: OperationSettings | None = None
    create: OperationSettings
    update: OperationSettings
    escalate: OperationSettings
    outcome: OperationSettings


class OrdersOperations(BaseModel):
    """`order` is asked instead of `orders` where one is wanted by its id."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    orders: OperationSettings
    order: OperationSettings | None = None
    cancel: OperationSettings
    change_address: OperationSettings
    refund: OperationSettings
    outcome: OperationSettings


class ProcurementOperations(BaseModel):
    """`purchase_order` is asked instead of `purchase_orders` where one is wanted by its id.

    `products` and `sales` give the first `limit` by SKU, in the order of code points, and the first ones behind `after`
    where it is not null. Without `after` in query, path or body a company with a thousand products or more is refused
    whatever takes all of them. A page with fewer than `limit` is taken for the last one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    products: OperationSettings
    suppliers: OperationSettings
    sales: OperationSettings
    purchase_orders: OperationSettings
    purchase_order: OperationSettings | None = None
    place: OperationSettings
    confirm_delivery: OperationSettings
    outcome: OperationSettings


class HelpDeskNouns(BaseModel):
    """Expressions that read their things as ours; by default they are alike."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ticket: str = "@"


class OrdersNouns(BaseModel):
    """Expressions that read their things as ours; by default they are alike."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    order: str = "@"


class ProcurementNouns(BaseModel):
    """Expressions that read their things as ours; by default they are alike."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    product: str = "@"
    supplier: str = "@"
    sales: str = "@"
    purchase_order: str = "@"


class HelpDeskSettings(RemoteSettings):
    """The company's help desk."""

    nouns: HelpDeskNouns = HelpDeskNouns()
    operations: HelpDeskOperations


class OrdersSettings(RemoteSettings):
    """The company's order system."""

    nouns: OrdersNouns = OrdersNouns()
    operations: OrdersOperations


class ProcurementSettings(RemoteSettings):
    """The company's procurement."""

    nouns: ProcurementNouns = ProcurementNouns()
    operations: ProcurementOperations


class SystemsSettings(BaseModel):
    """The company's systems. One that is not given is the built-in one, on our own tables."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    help_desk: HelpDeskSettings | None = None
    orders: OrdersSettings | None = None
    procurement: ProcurementSettings | None = None
