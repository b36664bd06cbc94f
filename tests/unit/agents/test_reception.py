"""A tool is used where both judgements allow it; everything else is a question for the documents."""

from typing import Any

import pytest

from agents.actions import SUPPORT, Wish
from agents.conversation import Asked, Call, Matter, Pending
from agents.reception import WHICH, Reception, Way
from agents.router import Route, Specialist, Step
from core.media import NOTHING, Observed, Seen
from tests.fakes.assistant import SameRoute, reception

TOOLS = frozenset(WHICH)
WISHES: dict[str, Any] = {
    "cancel my order": "cancel_order",
    "cancel ORD-10421": "cancel_order",
    "where is it": "lookup_order",
    "news": "news",
    "buy more": "create_purchase_order",
    "my zip broke": "create_ticket",
    "my zip broke, open a ticket": "create_ticket",
    "maybe": Wish("cancel_order", 0.4, clear=False, second="lookup_order"),
}
SURE_OF_DOCUMENTS = SameRoute(Specialist.KNOWLEDGE)


async def way(text: str, matter: Matter | None = None, desk: Reception | None = None, **more: Any) -> tuple[str, str]:
    heading = await (desk or reception(WISHES)).heading(text, TOOLS, matter or Matter(), more.get("pending", ()))
    return heading["way"], heading["tool"]


def waiting(tool: str) -> Pending:
    call = Call(step=1, index=0, tool=tool, arguments={}, subject={})
    return Pending(approval="apr_1", thread="t1", reason="", call=call, key_id="k", role="client", customer_id=None)


async def test_a_clear_wish_goes_to_its_tool() -> None:
    assert await way("cancel my order") == (Way.TOOL, "cancel_order")


async def test_a_question_goes_to_the_documents() -> None:
    assert await way("how do I cancel?") == (Way.DOCUMENTS, "")


async def test_an_order_is_nothing_for_a_visitor_to_ask_after() -> None:
    desk, tools = reception(WISHES), frozenset({"search_help_center", "create_ticket"})
    assert (await desk.heading("Where is ORD-10421?", tools, Matter(), ()))["way"] == Way.SIGN_IN
    assert (await desk.heading("How do I cancel?", tools, Matter(), ()))["way"] == Way.DOCUMENTS


async def test_whoever_waits_is_told_the_news_in_whatever_words_they_ask() -> None:
    asking = "Any word from your colleagues?"
    assert await way(asking) == (Way.DOCUMENTS, "")
    assert await way(asking, pending=[waiting("issue_refund")]) == (Way.NEWS, "")
    assert await way(asking, Matter(news=["It was turned down."])) == (Way.NEWS, "")


async def test_ones_own_purchase_is_the_one_that_was_spoken_of() -> None:
    tools = frozenset({*TOOLS, "track_purchase_order"})
    heading = await reception(WISHES).heading(
        "What is the state of my purchase?", tools, Matter(po_id="PO-00001", latest="po_id"), ()
    )
    assert (heading["way"], heading["tool"]) == (Way.TOOL, "track_purchase_order")


async def test_of_two_that_may_be_meant_the_last_spoken_of_is() -> None:
    asking = "where are the goods?"
    torn = Wish("suggest_reorders", 0.5, clear=False, second="track_purchase_order", rival=True)
    desk, tools = reception({asking: torn}), frozenset({*TOOLS, "track_purchase_order", "suggest_reorders"})
    after = Matter(po_id="PO-00001", latest="po_id")
    assert (await desk.heading(asking, tools, after, ()))["tool"] == "track_purchase_order"
    assert (await desk.heading(asking, tools, Matter(), ()))["way"] == Way.WHICH


async def test_a_router_that_is_sure_of_the_documents_has_its_way_but_for_an_id() -> None:
    desk = reception(WISHES, SURE_OF_DOCUMENTS)
    assert await way("cancel my order", desk=desk) == (Way.DOCUMENTS, "")
    assert await way("cancel ORD-10421", desk=desk) == (Way.TOOL, "cancel_order")


async def test_what_the_router_knows_nobody_for_takes_a_surer_wish() -> None:
    strange = SameRoute(Specialist.PERSON, Step.DECLINE)
    doubtful = {"cancel": Wish("cancel_order", 0.7, clear=True), "stop it": Wish("cancel_order", 0.95, clear=True)}
    desk = reception(doubtful, strange)
    assert await way("cancel", desk=desk) == (Way.DOCUMENTS, "")
    assert await way("stop it", desk=desk) == (Way.TOOL, "cancel_order")


async def test_an_unclear_wish_with_no_rival_is_left_to_the_documents() -> None:
    assert await way("maybe") == (Way.DOCUMENTS, "")


async def test_trouble_is_looked_up_before_a_ticket_is_made_of_it() -> None:
    assert await way("my zip broke") == (Way.DOCUMENTS, "")
    assert await way("my zip broke, open a ticket") == (Way.TOOL, "create_ticket")


@pytest.mark.parametrize(("text", "where"), [("yes", Way.TICKET), ("no", Way.DISMISS), ("news?", Way.DOCUMENTS)])
async def test_an_offer_is_taken_turned_down_or_passed_over(text: str, where: Way) -> None:
    assert (await way(text, Matter(offer="the zip")))[0] == where


async def test_yes_to_nothing_is_no_wish() -> None:
    assert await way("yes") == (Way.DOCUMENTS, "")


async def test_an_open_question_is_answered_unless_something_else_is_clearly_wanted() -> None:
    asked = Asked(tool="change_delivery_address", wanted="address", text="send it elsewhere", candidates=[])
    assert await way("Mill Road 4, Cork", Matter(asked=asked)) == (Way.TOOL, "change_delivery_address")
    assert await way("cancel my order", Matter(asked=asked)) == (Way.TOOL, "cancel_order")


async def test_news_is_of_what_waits_or_of_what_was_spoken_of() -> None:
    assert await way("news", pending=[waiting("issue_refund")]) == (Way.NEWS, "")
    assert await way("news", Matter(latest="po_id", po_id="PO-00001")) == (Way.TOOL, "track_purchase_order")
    assert await way("news") == (Way.DOCUMENTS, "")


async def test_asking_again_for_what_waits_proposes_no_second_one() -> None:
    assert await way("cancel my order", pending=[waiting("cancel_order")]) == (Way.NEWS, "")
    assert await way("cancel ORD-10421", pending=[waiting("cancel_order")]) == (Way.TOOL, "cancel_order")
    assert await way("buy more", pending=[waiting("create_purchase_order")]) == (Way.TOOL, "create_purchase_order")


async def test_it_is_the_purchase_order_where_that_was_spoken_of() -> None:
    assert await way("where is it", Matter(latest="po_id", po_id="PO-00001")) == (Way.TOOL, "track_purchase_order")
    assert await way("where is it", Matter(latest="order_id", order_id="ORD-1")) == (Way.TOOL, "lookup_order")


def test_every_tool_has_words_for_the_question() -> None:
    assert set(SUPPORT) <= WHICH.keys()


SHOWN = Observed(seen=(Seen("where", "attachment:1", "picture 1", "Payment failed E-4012", 0.97),))


async def observed_way(text: str, route: SameRoute, tools: frozenset[str] = TOOLS, observed: Observed = SHOWN) -> str:
    heading = await reception(WISHES, route).heading(text, tools, Matter(), (), (), observed)
    return heading["way"]


async def test_a_picture_of_a_trouble_makes_a_ticket_a_proposal_and_nothing_else() -> None:
    open_, trouble = Step.ASK, Route(Specialist.SUPPORT, 0.9, Step.GO)
    route = SameRoute(Specialist.SUPPORT, open_, shown=trouble)
    assert await observed_way("look at this", route) == Way.PROPOSE
    assert await observed_way("look at this", route, observed=NOTHING) == Way.DOCUMENTS
    assert await observed_way("look at this", route, frozenset({"search_help_center"})) == Way.DOCUMENTS
    assert await observed_way("cancel my order", route) == Way.TOOL, "the words say what is wished for"
    handed = SameRoute(Specialist.KNOWLEDGE, open_, shown=Route(Specialist.PERSON, 0.4, Step.HAND_OVER))
    assert await observed_way("look at this", handed) == Way.PROPOSE


async def test_a_question_with_a_picture_stays_a_question() -> None:
    sure = SameRoute(Specialist.KNOWLEDGE, Step.GO, shown=Route(Specialist.SUPPORT, 0.9, Step.GO))
    assert await observed_way("can I cancel?", sure) == Way.DOCUMENTS
    trouble = SameRoute(Specialist.SUPPORT, Step.ASK, shown=Route(Specialist.SUPPORT, 0.9, Step.GO))
    assert await observed_way("which code is it?", trouble) == Way.DOCUMENTS
    unsure = SameRoute(Specialist.SUPPORT, Step.ASK, shown=Route(Specialist.SUPPORT, 0.5, Step.ASK))
    assert await observed_way("look at this", unsure) == Way.DOCUMENTS
