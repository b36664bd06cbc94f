"""BFCL's check, case by case as its description lists them, its files, and its types."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from core.errors import InvalidInput
from evals.bfcl.check import fault
from evals.bfcl.questions import DEMO, Expected, Json, Question, read
from evals.bfcl.schema import translate

BOOK: Json = {
    "name": "trips.book",
    "description": "Book a trip.",
    "parameters": {
        "type": "dict",
        "required": ["to", "nights"],
        "properties": {
            "to": {"type": "string"},
            "nights": {"type": "integer"},
            "budget": {"type": "float"},
            "stops": {"type": "array", "items": {"type": "string"}},
            "pair": {"type": "tuple", "items": {"type": "integer"}},
            "guest": {"type": "dict", "properties": {"name": {"type": "string"}, "age": {"type": "integer"}}},
            "guests": {"type": "array", "items": {"type": "dict"}},
            "insured": {"type": "boolean"},
            "extra": {"type": "any"},
        },
    },
}
POSSIBLE: dict[str, list[Any]] = {
    "to": ["New York, NY", "NYC"],
    "nights": [3],
    "budget": [900.0, ""],
    "stops": [["Paris", "Rome"], ""],
    "pair": [[1, 2], ""],
    "guest": [{"name": ["Ann", "Anna"], "age": [40, ""]}, ""],
    "guests": [[{"name": ["Ann"]}, {"name": ["Bob"]}], ""],
    "insured": [True, ""],
    "extra": ["x", 7, ""],
}


def judged(possible: dict[str, list[Any]] | None = None, **arguments: Any) -> str | None:
    return fault(
        "trips.book", {"to": "NYC", "nights": 3, **arguments}, BOOK, Expected("trips.book", possible or POSSIBLE)
    )


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"to": "new york ny"},
        {"to": "New-York/NY."},
        {"budget": 900},
        {"stops": ["paris", "Rome"]},
        {"pair": [1, 2]},
        {"guest": {"name": "anna"}},
        {"guest": {"name": "Ann", "age": 40}},
        {"guests": [{"name": "Ann"}, {"name": "bob"}]},
        {"insured": True},
        {"extra": 7},
    ],
)
def test_right_calls(arguments: dict[str, Any]) -> None:
    assert judged(**arguments) is None


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"to": "Boston"}, "not among"),
        ({"to": 3}, "another type"),
        ({"nights": 3.0}, "another type"),
        ({"nights": "3"}, "another type"),
        ({"nights": True}, "another type"),
        ({"budget": True}, "another type"),
        ({"budget": 901}, "not among"),
        ({"stops": ["Rome", "Paris"]}, "not among"),
        ({"stops": ["Paris"]}, "not among"),
        ({"stops": "Paris"}, "another type"),
        ({"stops": [1, 2]}, "another type"),
        ({"guest": {"age": 40}}, "not among"),
        ({"guest": {"name": "Ann", "shoe": 9}}, "not among"),
        ({"guest": {"name": "Eve"}}, "not among"),
        ({"guests": [{"name": "Bob"}, {"name": "Ann"}]}, "not among"),
        ({"insured": 1}, "another type"),
        ({"insured": False}, "not among"),
        ({"extra": "y"}, "not among"),
        ({"colour": "red"}, "has colour"),
    ],
)
def test_wrong_calls(arguments: dict[str, Any], why: str) -> None:
    told = judged(**arguments)
    assert told is not None
    assert why in told


def test_names_and_parameters_that_are_missing() -> None:
    expected = Expected("trips.book", POSSIBLE)
    assert fault("trips.cancel", {"to": "NYC", "nights": 3}, BOOK, expected) == "calls trips.cancel, not trips.book"
    assert fault("trips.book", {"to": "NYC"}, BOOK, expected) == "lacks the required nights"
    assert judged({**POSSIBLE, "insured": [True]}) == "lacks insured, which the request gives"
    known_but_unwanted = {name: values for name, values in POSSIBLE.items() if name != "insured"}
    assert judged(known_but_unwanted, insured=True) == "has insured, which nothing asked for"


def test_a_variables_name_stands_for_a_value_of_another_type() -> None:
    assert judged({**POSSIBLE, "nights": ["n_nights"]}, nights="n_nights") is None
    assert judged({**POSSIBLE, "nights": ["n_nights"]}, nights="others") is not None


def test_types_become_those_of_json_schema_and_what_is_lost_is_said() -> None:
    tool = translate(BOOK)
    assert (tool.name, tool.original) == ("trips_book", "trips.book")
    properties = tool.parameters["properties"]
    assert tool.parameters["type"] == properties["guest"]["type"] == properties["guests"]["items"]["type"] == "object"
    assert properties["budget"] == {"type": "number"}
    assert properties["pair"] == {"type": "array", "items": {"type": "integer"}}
    assert properties["extra"] == {}
    assert tool.parameters["required"] == ["to", "nights"]
    assert {lost.partition(":")[0] for lost in tool.lost} == {"any", "tuple", "dict without properties"}
    jsonschema_rs.validator_for(tool.parameters).validate({"to": "NYC", "nights": 3, "guest": {"age": 4}})


def test_a_type_of_another_language_is_refused() -> None:
    wrong = {"name": "f", "parameters": {"type": "dict", "properties": {"a": {"type": "HashMap"}}}}
    with pytest.raises(InvalidInput, match=r"f\.a: the type 'HashMap'"):
        translate(wrong)


def ask(name: str, **fields: Any) -> Json:
    return {"id": name, "question": [[{"role": "user", "content": "Go."}]], "function": [BOOK], **fields}


def put(path: Path, *rows: Json) -> None:
    path.write_text("\n".join(json.dumps(row) for row in rows))


def test_reads_a_file_with_its_answers_or_a_folder_of_them(tmp_path: Path) -> None:
    put(tmp_path / "simple.jsonl", ask("a"), ask("b"))
    answers: list[Json] = [
        {"id": "b", "ground_truth": []},
        {"id": "a", "ground_truth": [{"trips.book": {"to": ["NYC"]}}]},
    ]
    put(tmp_path / "simple.answers.jsonl", *answers)
    put(tmp_path / "none.jsonl", ask("irrelevance_0"))
    one = read(tmp_path / "simple.jsonl")
    assert one == [
        Question("a", ({"role": "user", "content": "Go."},), (BOOK,), Expected("trips.book", {"to": ["NYC"]})),
        Question("b", ({"role": "user", "content": "Go."},), (BOOK,), None),
    ]
    assert [(each.id, each.expected is None) for each in read(tmp_path)] == [
        ("irrelevance_0", True),
        ("a", False),
        ("b", True),
    ]


@pytest.mark.parametrize(
    ("question", "answer", "complaint"),
    [
        (ask("a"), None, r"no x\.answers\.jsonl beside it"),
        (ask("a"), {"id": "b", "ground_truth": []}, "no answer to a"),
        (ask("a"), {"id": "a"}, "line 1: no ground_truth"),
        (ask("a"), {"id": "a", "ground_truth": [{"f": {}}, {"f": {}}]}, "several calls"),
        (ask("a", question=[[], []]), {"id": "a", "ground_truth": []}, "several turns"),
        ({"id": "a", "question": [[]]}, {"id": "a", "ground_truth": []}, "line 1: no function"),
    ],
)
def test_names_what_cannot_be_used(tmp_path: Path, question: Json, answer: Json | None, complaint: str) -> None:
    put(tmp_path / "x.jsonl", question)
    if answer:
        put(tmp_path / "x.answers.jsonl", answer)
    with pytest.raises(InvalidInput, match=complaint):
        read(tmp_path / "x.jsonl")


def test_two_questions_of_one_id_are_refused(tmp_path: Path) -> None:
    put(tmp_path / "x.jsonl", ask("irrelevance_0"))
    put(tmp_path / "y.jsonl", ask("irrelevance_0"))
    with pytest.raises(InvalidInput, match="two questions of one id"):
        read(tmp_path)


def test_names_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "y.jsonl").write_text("{")
    with pytest.raises(InvalidInput, match="line 1: not JSON"):
        read(tmp_path / "y.jsonl")
    with pytest.raises(InvalidInput, match="cannot read"):
        read(tmp_path / "z.jsonl")
    (tmp_path / "y.jsonl").write_text("")
    with pytest.raises(InvalidInput, match="no questions"):
        read(tmp_path)


# The design's list: names and arguments that the agents' tools must have too.
DEMO_TOOLS = {
    "search_help_center": "query",
    "list_orders": "customer_id",
    "lookup_order": "order_id",
    "create_ticket": "subject category priority summary",
    "update_ticket": "ticket_id status assignee note",
    "cancel_order": "order_id reason",
    "change_delivery_address": "order_id address",
    "issue_refund": "order_id amount reason",
    "escalate_to_human": "team reason",
    "search_catalog": "query",
    "check_stock": "sku",
    "forecast_demand": "sku weeks",
    "suggest_reorders": "limit",
    "create_purchase_order": "sku quantity supplier_id",
    "track_purchase_order": "po_id",
    "confirm_delivery": "po_id received_quantity",
    "recommend_products": "customer_id limit",
}


def test_the_demo_has_every_tool_and_answers_that_can_be_given() -> None:
    questions = read(DEMO)
    described = {function["name"]: function for question in questions for function in question.functions}
    assert {name: " ".join(each["parameters"]["properties"]) for name, each in described.items()} == DEMO_TOOLS
    assert all(function == described[function["name"]] for question in questions for function in question.functions)
    wanted = [question.expected for question in questions if question.expected]
    assert {expected.name for expected in wanted} == set(DEMO_TOOLS)
    assert len(questions) - len(wanted) == 20
    for question in questions:
        if question.expected:
            assert [each["name"] for each in question.functions].count(question.expected.name) == 1
            tool = described[question.expected.name]
            given = {name: values[0] for name, values in question.expected.arguments.items() if values[0] != ""}
            assert fault(tool["name"], given, tool, question.expected) is None
            jsonschema_rs.validator_for(translate(tool).parameters).validate(given)
