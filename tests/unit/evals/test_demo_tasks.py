"""The demo's tasks: how they are read and played, and how their records are judged. No gateway is opened."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from core.errors import InvalidInput
from evals.demo.conversation import Played, play, unsaid
from evals.demo.records import JUDGED, Record, Records, judge
from evals.demo.tasks import DEMO, Decides, Known, Says, Task, read

ORDER: Record = {"id": "ORD-1", "status": "placed", "refunded": "0.00"}
PRODUCT: Record = {"sku": "SKU-1", "stock": "12"}
KNOWN = Known({"order.id": "ORD-1", "order.total": "52.10"})


def task(*steps: Any, **fields: Any) -> Task:
    told = {"changed": {}, "new": {}, "told": [], **fields}
    return Task.model_validate({"id": "t", "who": {"role": "client"}, "steps": list(steps), **told})


class Scripted:
    """Answers by what was said; one approval waits for ever."""

    def __init__(self, answers: Mapping[str, str], waiting: tuple[str, ...] = ()) -> None:
        self.answers, self._waiting = answers, waiting
        self.heard: list[str] = []
        self.decided: list[tuple[str, str]] = []

    async def says(self, text: str) -> str:
        self.heard.append(text)
        return self.answers.get(text, "All right.")

    async def waiting(self) -> list[str]:
        return list(self._waiting)

    async def decides(self, approval: str, decision: Decides, known: Known) -> str:
        self.decided.append((approval, decision.decide))
        return "approved"


def records(**tables: list[Record]) -> Records:
    keys = {"orders": ("id",), "products": ("sku",), "tickets": ("id",), "purchase_orders": ("id",)}
    found = {
        name: {"/".join(str(row[key]) for key in keys[name]): row for row in rows} for name, rows in tables.items()
    }
    return {name: found.get(name, {}) for name in JUDGED}


async def test_a_person_answers_what_they_are_asked_once_and_then_goes_on() -> None:
    person = Scripted(
        {
            "Cancel my order": "Which order shall I cancel? ORD-1 of 2 June, 52.10 EUR: placed.",
            "ORD-1": "Shall I cancel ORD-1 of 2 June, 52.10 EUR: placed?",
            "Yes.": "Shall I cancel ORD-1 of 2 June, 52.10 EUR: placed?",
        }
    )
    played = await play(
        task("Cancel my order", "Bye", answers={"order": "{order.id}", "confirm": "Yes."}), KNOWN, person, person
    )
    assert person.heard == ["Cancel my order", "ORD-1", "Yes.", "Bye"]
    assert played.turns == 4


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("It is shipped. Would you like me to open a ticket, so that a person can look into it?", "ticket"),
        ("Do you want me to look up a purchase order, or to book in a delivery?", "choice"),
        ("ORD-1 goes to: 3 Quay Street. What is the whole new address, with street, number and city?", "address"),
        ("How many pieces of SKU-1 shall I order from SUP-01?", "quantity"),
        ("Several products could be meant: SKU-1; SKU-2. Which one?", "product"),
        ("Shall I cancel ORD-1 of 2 June, 35.22 EUR: placed?", "confirm"),
    ],
)
async def test_what_a_question_asks_for(question: str, asked: str) -> None:
    person = Scripted({"Hello": question})
    await play(task("Hello", answers={asked: "this"}), KNOWN, person, person)
    assert person.heard == ["Hello", "this"]
    nobody = Scripted({"Hello": question.replace("?", ".")})
    await play(task("Hello", answers={asked: "this"}), KNOWN, nobody, nobody)
    assert nobody.heard == ["Hello"], "nothing was asked"


async def test_what_was_picked_up_is_said_and_without_it_the_person_gives_up() -> None:
    steps = ({"say": "Order 8", "capture": {"po": r"(PO-\d+)"}}, "{po} is here")
    told = Scripted({"Order 8": "Purchase order PO-7 is placed."})
    assert (await play(task(*steps), KNOWN, told, told)).known.fill("{po}") == "PO-7"
    assert told.heard == ["Order 8", "PO-7 is here"]
    untold = Scripted({"Order 8": "Not possible."})
    played = await play(task(*steps, "Bye"), KNOWN, untold, untold)
    assert untold.heard == ["Order 8"]
    assert "gives up" in played.lines[-1][1]


async def test_decisions_are_made_by_whom_the_task_says() -> None:
    person, colleague = Scripted({}), Scripted({}, waiting=("apr_1",))
    await play(task("Refund", {"decide": "approve"}), KNOWN, person, colleague)
    assert (person.decided, colleague.decided) == ([], [("apr_1", "approve")])
    await play(task("Refund", {"decide": "reject", "by": "oneself"}), KNOWN, person, colleague)
    assert person.decided == [("apr_1", "reject")]
    nothing = await play(task("Refund", {"decide": "approve"}), KNOWN, person, Scripted({}))
    assert "nothing waits" in nothing.lines[-1][1]


def test_what_was_said_and_what_was_not_to_be_said() -> None:
    played = Played(KNOWN, [("person", "tracking AB1?"), ("assistant", "52.10  EUR for ORD-1\nare on their way.")])
    assert unsaid(played, ["{order.total} EUR for", "sent|on their way"], ["AB1"]) == []
    assert unsaid(played, ["refused"], ["{order.id}"]) == ["not said: refused", "said: ORD-1"]


def test_the_expected_change_and_no_other() -> None:
    before = records(orders=[ORDER], products=[PRODUCT])
    refunded = records(orders=[{**ORDER, "refunded": "52.10"}], products=[{**PRODUCT, "stock": "20"}])
    expected = {"orders": {"ORD-1": {"refunded": "52.10"}}, "products": {"SKU-1": {"stock": "+8"}}}
    right = judge(before, refunded, expected, {})
    assert (right.missing, right.unexpected) == ([], [])
    nothing = judge(before, before, expected, {})
    assert (len(nothing.missing), nothing.unexpected) == (2, [])
    unwanted = judge(before, refunded, {"orders": expected["orders"]}, {})
    assert (unwanted.missing, len(unwanted.unexpected)) == ([], 1)
    wrong = judge(before, refunded, {**expected, "orders": {"ORD-1": {"refunded": "20.00"}}}, {})
    assert (len(wrong.missing), len(wrong.unexpected)) == (1, 1)
    assert judge(before, records(products=[PRODUCT]), {}, {}).unexpected == ["orders ORD-1 is gone"]


def test_new_rows_are_matched_one_to_one() -> None:
    ticket: Record = {"id": "TCK-1", "category": "billing", "customer_id": "CUS-1"}
    before, after = records(), records(tickets=[ticket, {**ticket, "id": "TCK-2"}])
    wanted = {"category": ["billing", "other"], "customer_id": "CUS-1"}
    both = judge(before, after, {}, {"tickets": [wanted, wanted]})
    assert (both.missing, both.unexpected) == ([], [])
    assert len(judge(before, after, {}, {"tickets": [wanted]}).unexpected) == 1
    other = judge(before, after, {}, {"tickets": [wanted, {"category": "fraud"}]})
    assert (len(other.missing), len(other.unexpected)) == (1, 1)


def test_a_row_that_is_only_not_finished_is_no_wrong_effect() -> None:
    after = records(purchase_orders=[{"id": "PO-1", "status": "placed"}])
    verdict = judge(records(), after, {}, {"purchase_orders": [{"id": "PO-1", "status": "received"}]})
    assert (len(verdict.missing), verdict.unexpected) == (1, [])


def test_the_shipped_tasks_can_be_read_and_half_of_them_may_change_nothing() -> None:
    tasks = read(DEMO)
    assert len(tasks) >= 60
    assert sum(each.acts for each in tasks) >= 25 and sum(not each.acts for each in tasks) >= 25


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("{", "line 1"),
        ('{"id": "1"}', "line 1: who"),
        (task("Hi").model_dump_json().replace("client", "king"), "role"),
    ],
)
def test_names_the_line_that_cannot_be_used(tmp_path: Path, row: str, complaint: str) -> None:
    (tmp_path / "tasks.jsonl").write_text(row)
    with pytest.raises(InvalidInput, match=complaint):
        read(tmp_path / "tasks.jsonl")


def test_an_empty_file_and_two_of_one_id_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "tasks.jsonl"
    for text in ("", 2 * (task(Says(say="Hi").say).model_dump_json() + "\n")):
        path.write_text(text)
        with pytest.raises(InvalidInput, match="no task, or two"):
            read(path)
