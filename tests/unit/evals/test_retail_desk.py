from decimal import Decimal
from typing import Any

import pytest

from core.errors import Conflict, InvalidInput, NotFound
from evals.retail.desk import Call, Desk
from evals.retail.state import State, digest
from tests.unit.evals.desk_records import AWAY, CANCEL, EXCHANGE, HOME, MOVE, RETURN, SWAP, call, database


@pytest.fixture
def desk() -> Desk:
    return Desk(State(database()))


def balance(desk: Desk, name: str = "ann") -> Decimal:
    return Decimal(desk.get_user_details(name)["payment_methods"][f"{name}_gift"]["balance"])


def payments(order: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [
        (each["transaction_type"], str(each["amount"]), each["payment_method_id"]) for each in order["payment_history"]
    ]


def test_a_cancelled_order_gives_its_money_back_at_once_to_a_gift_card(desk: Desk) -> None:
    order = desk.call(CANCEL)
    assert (order["status"], order["cancel_reason"]) == ("cancelled", "no longer needed")
    assert payments(order) == [("payment", "12.00", "ann_gift"), ("refund", "12.00", "ann_gift")]
    assert balance(desk) == Decimal("32.00")


def test_what_was_paid_back_already_is_not_paid_back_again(desk: Desk) -> None:
    desk.call(call("modify_pending_order_payment", order_id="#3", payment_method_id="ann_card"))
    assert balance(desk) == Decimal("32.00")
    order = desk.call(CANCEL)
    assert payments(order)[1:] == [
        ("payment", "12.00", "ann_card"),
        ("refund", "12.00", "ann_gift"),
        ("refund", "12.00", "ann_card"),
    ]
    assert balance(desk) == Decimal("32.00")


def test_a_modified_order_has_the_new_item_and_pays_the_difference(desk: Desk) -> None:
    order = desk.call(SWAP)
    assert [(line["item_id"], str(line["price"])) for line in order["items"]] == [("m2", "12.00"), ("l1", "40.00")]
    assert payments(order)[-1] == ("payment", "1.50", "ann_gift")
    assert balance(desk) == Decimal("18.50")
    for again in (SWAP, MOVE, call("cancel_pending_order", order_id="#1", reason="no longer needed")):
        with pytest.raises(Conflict, match="items modified"):
            desk.call(again)


def test_an_exchange_is_asked_for_with_its_difference_and_moves_no_money_yet(desk: Desk) -> None:
    order = desk.call(EXCHANGE)
    assert (order["status"], order["exchange_price_difference"]) == ("exchange requested", Decimal("1.50"))
    assert (order["exchange_items"], order["exchange_new_items"]) == (["m1", "m1"], ["m1", "m2"])
    assert len(order["payment_history"]) == 1
    with pytest.raises(Conflict, match="exchange requested"):
        desk.call(RETURN)


def test_addresses_change_where_they_were_asked_to(desk: Desk) -> None:
    desk.call(MOVE)
    assert desk.get_order_details("#1")["address"] == AWAY
    assert desk.get_user_details("ann")["address"] == desk.get_order_details("#3")["address"] == HOME
    desk.call(call("modify_user_address", user_id="ann", **AWAY))
    assert desk.get_user_details("ann")["address"] == AWAY


def test_customers_and_things_are_found(desk: Desk) -> None:
    assert desk.call(call("find_user_id_by_email", email="Ann@example.org")) == "ann"
    assert desk.call(call("find_user_id_by_name_zip", first_name="bob", last_name="Lee", zip="BN3")) == "bob"
    assert desk.call(call("get_item_details", item_id="l2"))["price"] == Decimal("90.00")
    assert desk.call(call("list_all_product_types")) == {"mug": "mug", "lamp": "lamp"}
    assert desk.call(call("get_product_details", product_id="mug"))["name"] == "mug"
    assert desk.call(call("transfer_to_human_agents", summary="cannot help")).endswith("cannot help")


@pytest.mark.parametrize(
    ("refused", "error", "why"),
    [
        (call("cancel_pending_order", order_id="#2", reason="no longer needed"), Conflict, "#2 is delivered"),
        (call("cancel_pending_order", order_id="#1", reason="bored"), InvalidInput, "no longer needed"),
        (call("cancel_pending_order", order_id="#9", reason="no longer needed"), NotFound, "#9"),
        (Call(RETURN.name, {**RETURN.arguments, "order_id": "#1"}), Conflict, "#1 is pending"),
        (Call(RETURN.name, {**RETURN.arguments, "payment_method_id": "ann_pal"}), Conflict, "no gift card"),
        (Call(RETURN.name, {**RETURN.arguments, "payment_method_id": "bob_card"}), NotFound, "bob_card"),
        (Call(RETURN.name, {**RETURN.arguments, "item_ids": ["l1", "l1"]}), NotFound, "not as many"),
        (Call(RETURN.name, {**RETURN.arguments, "item_ids": []}), InvalidInput, "no item"),
        (Call(RETURN.name, {**RETURN.arguments, "item_ids": "l1"}), InvalidInput, "list"),
        (Call(SWAP.name, {**SWAP.arguments, "new_item_ids": ["l1"]}), NotFound, "no variant of mug"),
        (Call(SWAP.name, {**SWAP.arguments, "new_item_ids": ["m3"]}), Conflict, "not available"),
        (Call(SWAP.name, {**SWAP.arguments, "new_item_ids": []}), InvalidInput, "one new item for each"),
        (
            Call(SWAP.name, {**SWAP.arguments, "item_ids": ["l1"], "new_item_ids": ["l2"]}),
            Conflict,
            "holds 20.00, and 50.00",
        ),
        (call("modify_pending_order_payment", order_id="#1", payment_method_id="ann_card"), Conflict, "one other"),
        (call("modify_pending_order_payment", order_id="#1", payment_method_id="ann_gift"), Conflict, "holds 20.00"),
        (call("modify_user_address", user_id="ann"), InvalidInput, "address1"),
        (call("get_user_details", user_id="ann", verbose=True), InvalidInput, "verbose"),
        (call("delete_user", user_id="ann"), InvalidInput, "no tool"),
        (call("find_user_id_by_email", email="no@example.org"), NotFound, "no@example.org"),
        (call("get_item_details", item_id="m9"), NotFound, "m9"),
    ],
)
def test_what_the_policy_forbids_is_refused_and_changes_nothing(
    desk: Desk, refused: Call, error: type[Exception], why: str
) -> None:
    before = desk.state.digest()
    with pytest.raises(error, match=why):
        desk.call(refused)
    assert desk.state.digest() == before


@pytest.mark.parametrize(
    ("expression", "value"), [("155.33 - 147.05 + 0.1", "8.38"), ("2*(3+4)", "14.00"), ("-1/3", "-0.33")]
)
def test_calculates_in_decimals(desk: Desk, expression: str, value: str) -> None:
    assert str(desk.call(call("calculate", expression=expression))) == value


@pytest.mark.parametrize("expression", ["", "2 +", "1/0", "2**9", "abs(1)", "True", "'a'", "1" * 300, "9e999*9e999"])
def test_calculates_nothing_else(desk: Desk, expression: str) -> None:
    with pytest.raises(InvalidInput):
        desk.call(call("calculate", expression=expression))


def test_equal_contents_have_equal_hashes() -> None:
    first = {"items": [{"item_id": "b"}, {"item_id": "a"}], "sum": Decimal("46.80"), "zero": Decimal("-0.0"), "n": None}
    again = {"n": None, "zero": 0, "sum": Decimal("46.8"), "items": [{"item_id": "a"}, {"item_id": "b"}]}
    assert digest(first) == digest(again)
    assert digest({"payments": ["b", "a"]}) != digest({"payments": ["a", "b"]}), "a history has an order"
    assert digest({"sum": Decimal("46.8")}) != digest({"sum": "46.8"})
    assert digest({"sum": 100}) == digest({"sum": Decimal("1E+2")})


def test_a_change_taken_back_is_no_change() -> None:
    desk = Desk(State(database()))
    before = desk.state.digest()
    desk.call(MOVE)
    assert desk.state.digest() != before
    desk.call(call("modify_pending_order_address", order_id="#1", **HOME))
    assert desk.state.digest() == before


def test_writing_into_a_result_changes_no_record() -> None:
    desk = Desk(State(database()))
    for asked in (call("get_order_details", order_id="#1"), MOVE):
        desk.call(asked)["address"]["city"] = "Nowhere"
    assert desk.get_order_details("#1")["address"] == AWAY


def test_states_do_not_share_their_changes() -> None:
    shared = database()
    Desk(State(shared)).call(CANCEL)
    assert Desk(State(shared)).get_order_details("#3")["status"] == "pending"
