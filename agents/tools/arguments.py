"""What each tool is called with. Names and arguments are contract: clients, graphs and evaluation sets use them.

Lengths are those that every system takes; whether a thing exists, and may be treated so, is for the systems to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, WithJsonSchema, field_validator

from core.canonical import JSON, storable
from core.errors import InvalidInput
from core.tickets import Team, TicketCategory, TicketPriority, TicketStatus

_CENT = Decimal("0.01")

Id = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[!-~]+$")]
Line = Annotated[str, Field(min_length=1, max_length=200)]
Text = Annotated[str, Field(min_length=1, max_length=10_000)]
Pieces = Annotated[int, Field(ge=1, le=1_000_000)]
# One spelling for each amount, or the same call would have two keys.
Amount = Annotated[
    Decimal,
    Field(gt=0, max_digits=12, decimal_places=2, description="in the company's currency"),
    AfterValidator(lambda amount: amount.quantize(_CENT)),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "description": "in the company's currency"}),
]


class Arguments(BaseModel):
    """The arguments of a tool. One that it does not have is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*")
    @classmethod
    def _storable(cls, value: Any) -> Any:
        if isinstance(value, str) and not storable(value):
            raise ValueError("holds a character that cannot be stored")
        return value

    @classmethod
    def read(cls, arguments: Mapping[str, Any]) -> Self:
        """Check the arguments. Raises `InvalidInput`, which names the first that is wrong."""
        try:
            return cls.model_validate(dict(arguments))
        except ValidationError as problem:
            first = problem.errors(include_url=False, include_input=False)[0]
            param = ".".join(str(step) for step in first["loc"])
            raise InvalidInput(f"{param or 'arguments'}: {first['msg']}", param=param or None) from None

    def canonical(self) -> dict[str, JSON]:
        """The arguments as JSON, amounts as strings: what is hashed, stored and shown."""
        dumped: dict[str, JSON] = self.model_dump(mode="json", exclude_none=True)
        return dumped


class SearchHelpCenter(Arguments):
    """`search_help_center`."""

    query: Line = Field(description="what to look for, in plain words")


class ListOrders(Arguments):
    """`list_orders`."""

    customer_id: Id = Field(description="such as CUS-00210")


class LookupOrder(Arguments):
    """`lookup_order`."""

    order_id: Id = Field(description="such as ORD-10421")


class OpenTicket(Arguments):
    """`create_ticket`."""

    subject: Line
    category: TicketCategory
    priority: TicketPriority
    summary: Text = Field(description="what the customer wants, in a sentence or two")


class ChangeTicket(Arguments):
    """`update_ticket`."""

    ticket_id: Id = Field(description="such as TCK-00031")
    status: TicketStatus | None = None
    assignee: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    note: Text | None = None


class CancelsOrder(Arguments):
    """`cancel_order`."""

    order_id: Id = Field(description="such as ORD-10421")
    reason: Text


class RedirectsOrder(Arguments):
    """`change_delivery_address`."""

    order_id: Id = Field(description="such as ORD-10421")
    address: Annotated[str, Field(min_length=1, max_length=500)] = Field(description="the whole new address")


class IssueRefund(Arguments):
    """`issue_refund`."""

    order_id: Id = Field(description="such as ORD-10421")
    amount: Amount
    reason: Text


class EscalateToHuman(Arguments):
    """`escalate_to_human`."""

    team: Team
    reason: Text


class SearchCatalog(Arguments):
    """`search_catalog`."""

    query: Line = Field(description="words of the product's name or family")


class CheckStock(Arguments):
    """`check_stock`."""

    sku: Id = Field(description="such as SKU-0137")


class ForecastDemand(Arguments):
    """`forecast_demand`."""

    sku: Id = Field(description="such as SKU-0137")
    weeks: Annotated[int, Field(ge=1, le=52)]


class SuggestReorders(Arguments):
    """`suggest_reorders`."""

    limit: Annotated[int, Field(ge=1, le=100)] = Field(10, description="the most urgent so many")


class CreatePurchaseOrder(Arguments):
    """`create_purchase_order`."""

    sku: Id = Field(description="such as SKU-0137")
    quantity: Pieces
    supplier_id: Id | None = Field(None, description="such as SUP-07; by default the product's own")


class TrackPurchaseOrder(Arguments):
    """`track_purchase_order`."""

    po_id: Id = Field(description="such as PO-00012")


class ConfirmsDelivery(Arguments):
    """`confirm_delivery`."""

    po_id: Id = Field(description="such as PO-00012")
    received_quantity: Pieces


class RecommendProducts(Arguments):
    """`recommend_products`."""

    customer_id: Id = Field(description="such as CUS-00210")
    limit: Annotated[int, Field(ge=1, le=20)] = 5
