"""A shop of two products, two customers and four orders, in the layout of the retail tasks."""

from decimal import Decimal
from typing import Any

from evals.retail.desk import Call
from evals.retail.state import Database

HOME = {"address1": "1 Pier", "address2": "", "city": "Hove", "state": "SX", "country": "UK", "zip": "BN3"}
AWAY = {"address1": "9 Moor", "address2": "B", "city": "York", "state": "YK", "country": "UK", "zip": "YO1"}


def variant(name: str, price: str, *, available: bool = True) -> dict[str, Any]:
    return {"item_id": name, "options": {"kind": name}, "available": available, "price": Decimal(price)}


def product(name: str, *variants: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "product_id": name, "variants": {each["item_id"]: each for each in variants}}


SHOP = {
    "mug": product("mug", variant("m1", "10.50"), variant("m2", "12.00"), variant("m3", "9.00", available=False)),
    "lamp": product("lamp", variant("l1", "40.00"), variant("l2", "90.00")),
}


def order(name: str, status: str, items: list[str], method: str, user: str = "ann") -> dict[str, Any]:
    lines = [
        {"name": kind, "product_id": kind, **{field: SHOP[kind]["variants"][item][field] for field in FIELDS}}
        for item in items
        for kind in SHOP
        if item in SHOP[kind]["variants"]
    ]
    paid = {"transaction_type": "payment", "amount": sum(line["price"] for line in lines), "payment_method_id": method}
    return {
        "order_id": name,
        "user_id": user,
        "address": HOME,
        "items": lines,
        "status": status,
        "payment_history": [paid],
    }


FIELDS = ("item_id", "price", "options")


def user(name: str, orders: list[str], balance: str) -> dict[str, Any]:
    return {
        "user_id": name,
        "name": {"first_name": name.title(), "last_name": "Lee"},
        "address": HOME,
        "email": f"{name}@example.org",
        "payment_methods": {
            f"{name}_card": {"source": "credit_card", "id": f"{name}_card"},
            f"{name}_pal": {"source": "paypal", "id": f"{name}_pal"},
            f"{name}_gift": {"source": "gift_card", "id": f"{name}_gift", "balance": Decimal(balance)},
        },
        "orders": orders,
    }


def database() -> Database:
    orders = [
        order("#1", "pending", ["m1", "l1"], "ann_card"),
        order("#2", "delivered", ["m1", "m1", "l1"], "ann_card"),
        order("#3", "pending", ["m2"], "ann_gift"),
        order("#4", "delivered", ["l2"], "bob_card", "bob"),
    ]
    users = [user("ann", ["#1", "#2", "#3"], "20.00"), user("bob", ["#4"], "0.00")]
    return Database(
        {
            "users": {each["user_id"]: each for each in users},
            "products": SHOP,
            "orders": {each["order_id"]: each for each in orders},
        }
    )


def call(name: str, **arguments: Any) -> Call:
    return Call(name, arguments)


CANCEL = call("cancel_pending_order", order_id="#3", reason="no longer needed")
MOVE = call("modify_pending_order_address", order_id="#1", **AWAY)
SWAP = call(
    "modify_pending_order_items", order_id="#1", item_ids=["m1"], new_item_ids=["m2"], payment_method_id="ann_gift"
)
RETURN = call("return_delivered_order_items", order_id="#2", item_ids=["m1", "l1"], payment_method_id="ann_card")
EXCHANGE = call(
    "exchange_delivered_order_items",
    order_id="#2",
    item_ids=["m1", "m1"],
    new_item_ids=["m2", "m1"],
    payment_method_id="ann_pal",
)
