"""The judge of the retail tasks, on a small shop; the real tasks are the suite's own `--data`."""

import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from core.errors import InvalidInput
from evals.retail.desk import Call, Desk
from evals.retail.judge import ask, replay, score
from evals.retail.mistakes import mistakes
from evals.retail.tasks import Scenario, read
from evals.runner import run
from evals.suite import Options
from evals.suites import find
from tests.unit.evals.desk_records import CANCEL, EXCHANGE, HOME, MOVE, RETURN, SWAP, call, database

LOOK = call("get_order_details", order_id="#1")
WRONG = call("find_user_id_by_email", email="nobody@example.org")
EXPECTED = (WRONG, LOOK, MOVE, SWAP, CANCEL, EXCHANGE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "db.json").write_text(json.dumps(dict(database().tables), default=float))
    (tmp_path / "policy.md").write_text("# Be polite")
    write(tmp_path, EXPECTED, (WRONG, LOOK), (RETURN,))
    return tmp_path


def write(folder: Path, *tasks: Sequence[Call]) -> None:
    told = {"reason_for_call": "Help.", "known_info": None, "task_instructions": "Be short."}
    rows = [
        {
            "id": str(number),
            "initial_state": None,
            "user_scenario": {"instructions": told},
            "evaluation_criteria": {"actions": [{"name": each.name, "arguments": each.arguments} for each in calls]},
        }
        for number, calls in enumerate(tasks)
    ]
    (folder / "tasks.json").write_text(json.dumps(rows))


def test_the_expected_calls_score_and_so_does_another_way_to_the_same_state() -> None:
    shared = database()
    assert score(shared, EXPECTED, EXPECTED) == 1
    assert score(shared, EXPECTED, (CANCEL, EXCHANGE, LOOK, MOVE, SWAP)) == 1
    assert score(shared, (WRONG, LOOK), ()) == 1, "nothing was to be changed"
    assert score(shared, (WRONG, LOOK), (CANCEL,)) == 0
    assert score(shared, EXPECTED, (*EXPECTED, CANCEL)) == 1, "a refused call changes nothing"


def test_every_mistake_leads_elsewhere() -> None:
    shared = database()
    made = list(mistakes(shared, EXPECTED))
    omissions = [each.index for each in made if each.argument is None]
    assert omissions == [2, 3, 4, 5], "the calls that change something"
    arguments = {(each.index, each.argument) for each in made if each.argument is not None}
    assert arguments >= {(3, "new_item_ids"), (3, "payment_method_id"), (4, "reason"), (4, "order_id"), (5, "item_ids")}
    for each in made:
        assert score(shared, EXPECTED, each.calls) == 0, each
    only_order = call("return_delivered_order_items", order_id="#4", item_ids=["l2"], payment_method_id="bob_card")
    possible = {each.argument for each in mistakes(shared, [only_order])}
    assert possible == {None, "item_ids", "payment_method_id"}, "there is no other order that could be meant"


def test_a_mistake_in_what_is_undone_later_is_none() -> None:
    shared = database()
    back = call("modify_pending_order_address", order_id="#1", **HOME)
    there_and_back = (MOVE, back)
    unnoticed = [each for each in mistakes(shared, there_and_back) if score(shared, there_and_back, each.calls)]
    assert {each.index for each in unnoticed} == {0}, "the second call makes good what the first one did"
    assert {each.argument for each in unnoticed} >= {None, "city"}


def test_a_replay_tells_what_was_refused_and_what_changed() -> None:
    reached = replay(database(), (WRONG, LOOK, CANCEL, CANCEL))
    assert reached.changing == (2,)
    assert sorted(reached.refused) == [0, 3]
    assert "is cancelled, not pending" in reached.refused[3]


async def test_an_agent_tries_on_a_desk_of_its_own_and_sees_the_scenario_only() -> None:
    shared, scenario = database(), Scenario("Be polite", "Cancel my mug.", "", "")

    async def agent(seen: Scenario, desk: Desk) -> Sequence[Call]:
        assert seen is scenario
        assert desk.call(LOOK)["status"] == "pending"
        desk.call(SWAP)
        return [CANCEL]

    calls = await ask(agent, shared, scenario)
    assert score(shared, [CANCEL], calls) == 1, "what it only tried does not count"


async def test_the_suite_replays_and_says_that_no_agent_was_asked(folder: Path) -> None:
    async with find("tasks")(Options(folder)) as suite:
        finished = await run(suite)
    assert not finished.errors
    assert finished.facts["replayed"].startswith("3 of 3 tasks")
    assert finished.facts["agent"] == "none was asked"
    assert {name: (each.value, each.cases) for name, each in finished.metrics.items()} == {
        "replayed": (1.0, 3),
        "omission_noticed": (1.0, 2),
        "wrong_argument_noticed": (1.0, 2),
    }


async def test_an_expected_change_that_is_refused_is_counted_and_shown(folder: Path) -> None:
    write(folder, EXPECTED, (call("cancel_pending_order", order_id="#2", reason="no longer needed"),))
    async with find("tasks")(Options(folder)) as suite:
        finished = await run(suite)
    assert finished.facts["replayed"].startswith("1 of 2 tasks")
    assert finished.metrics["replayed"].value == 0.5
    assert "#2 is delivered" in finished.results[1].details["expected calls"]


async def test_what_the_judge_cannot_notice_is_counted_and_shown(folder: Path) -> None:
    write(folder, (MOVE, call("modify_pending_order_address", order_id="#1", **HOME)))
    async with find("tasks")(Options(folder)) as suite:
        finished = await run(suite)
    assert finished.metrics["omission_noticed"].value == 0.5
    assert finished.metrics["wrong_argument_noticed"].value < 1
    assert "left out" in finished.results[0].details["mistakes not noticed"]


def test_reads_money_as_decimal_and_the_customers_side(folder: Path) -> None:
    retail = read(folder)
    assert retail.database.tables["products"]["mug"]["variants"]["m1"]["price"] == Decimal("10.5")
    assert retail.tasks[0].scenario == Scenario("# Be polite", "Help.", "", "Be short.")
    assert retail.tasks[0].expected == EXPECTED


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("db.json", "{", "not JSON"),
        ("db.json", '{"users": {}}', "does not hold users, products, orders"),
        ("tasks.json", "nonsense", "not JSON"),
        ("tasks.json", "{}", "not a list"),
        ("tasks.json", "[]", "no task"),
        ("tasks.json", '[{"id": "1"}]', "task 1: not of the layout"),
        ("tasks.json", '[{"id": "1", "initial_state": {}}]', "state of its own"),
    ],
)
def test_names_what_cannot_be_used(folder: Path, name: str, text: str, complaint: str) -> None:
    (folder / name).write_text(text)
    with pytest.raises(InvalidInput, match=complaint):
        read(folder)


def test_two_tasks_of_one_id_are_refused(folder: Path) -> None:
    (folder / "tasks2.json").write_text((folder / "tasks.json").read_text())
    with pytest.raises(InvalidInput, match="two tasks of one id"):
        read(folder)


async def test_what_is_no_folder_of_tasks_is_refused(tmp_path: Path) -> None:
    for options, complaint in (
        (Options(tmp_path / "nowhere"), "not a folder"),
        (Options(tmp_path), r"no policy\.md"),
        (Options(tmp_path, (tmp_path,)), "foreign"),
    ):
        with pytest.raises(InvalidInput, match=complaint):
            async with find("tasks")(options):
                pass
