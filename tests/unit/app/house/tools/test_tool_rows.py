"""The rows that teach the choice of tools: right by their schemas, true to their questions, and kept apart."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import jsonschema_rs
import pytest

from app.house.tools.sets import company, foreign
from app.house.tools.tools import ToolRow, rows
from app.house.tools.unfit import REFUSAL, requests, small_talk

COUNT = 6000
NAMES = {tool.name for tool in company()}
BY_TEMPLATE = {each: tool for tool in (*company(), *foreign()) for each in (*tool.training, *tool.held_out)}

SPELLINGS = {
    spelling: tool.name
    for tool in (*company(), *foreign())
    for spelling in (tool.name, f"{tool.domain}.{tool.name}", f"{tool.domain}_{tool.name}")
}


@pytest.fixture(scope="module")
def made() -> list[ToolRow]:
    return list(rows(7, COUNT))


@pytest.fixture(scope="module")
def kept() -> list[ToolRow]:
    return list(rows(7, COUNT, held_out=True))


def names(row: ToolRow) -> list[str]:
    return [tool["name"] for tool in row.tools]


def plain(name: str) -> str:
    """The name of a tool however it is written: as it is, in camel case, or after its domain."""
    snake = "".join(f"_{each.lower()}" if each.isupper() else each for each in name)
    return SPELLINGS[snake]


def test_the_same_seed_gives_the_same_rows(made: list[ToolRow]) -> None:
    assert list(rows(7, 200)) == made[:200]
    assert list(rows(8, 200)) != made[:200]


def test_exactly_so_many_rows_are_made() -> None:
    assert [len(list(rows(1, count))) for count in (0, 1, 9, 100)] == [0, 1, 9, 100]


def test_every_call_holds_by_the_schema_of_a_tool_that_is_offered(made: list[ToolRow], kept: list[ToolRow]) -> None:
    for row in (*made, *kept):
        assert len(set(names(row))) == len(row.tools)
        if row.call is not None:
            name, arguments = row.call
            (offered,) = [tool for tool in row.tools if tool["name"] == name]
            schema = {**offered["parameters"], "additionalProperties": False}
            assert list(jsonschema_rs.validator_for(schema).iter_errors(arguments)) == [], row


def test_required_arguments_come_first_and_in_the_order_of_the_schema(made: list[ToolRow]) -> None:
    for row in made:
        if row.call is not None:
            (schema,) = [tool["parameters"] for tool in row.tools if tool["name"] == row.call[0]]
            order = sorted(schema["properties"], key=lambda each: each not in schema["required"])
            assert list(row.call[1]) == [each for each in order if each in row.call[1]]


def free_texts(tool: Any, arguments: Any) -> Iterator[str]:
    for name, value in arguments.items():
        argument = tool.arguments[name]
        if argument.draw and "enum" not in argument.schema and argument.schema["type"] in ("string", "array"):
            yield from (each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str))


def test_what_a_call_copies_stands_in_the_question(made: list[ToolRow], kept: list[ToolRow]) -> None:
    copied = 0
    for row in (*made, *kept):
        if row.call is not None:
            for text in free_texts(BY_TEMPLATE[row.template], row.call[1]):
                assert text.lower() in row.question.lower(), row
                copied += 1
    assert copied > COUNT


def test_ids_are_in_capitals_whatever_the_question_writes(made: list[ToolRow]) -> None:
    ids = [(row, row.call[1]["order_id"]) for row in made if row.call is not None and "order_id" in row.call[1]]
    assert all(each.startswith("ORD-") for _, each in ids)
    assert any(each not in row.question for row, each in ids)


def test_a_row_without_a_call_says_so_and_no_tool_of_it_would_do(made: list[ToolRow], kept: list[ToolRow]) -> None:
    every = {tool.name: tool for tool in (*company(), *foreign())}
    replies = {reply for _, reply in small_talk(False) + small_talk(True)}
    for row in (*made, *kept):
        assert (row.call is None) == bool(row.reply)
        offered = [every[plain(name)] for name in names(row)]
        if row.reply == REFUSAL:
            assert not any(tool.generic for tool in offered), row
            if (wanted := BY_TEMPLATE.get(row.template)) is not None:
                assert not any(tool.would_do(wanted) for tool in offered), row
        else:
            assert row.call is not None or row.reply in replies


def test_requests_near_a_domain_are_not_refused_where_it_is_offered(made: list[ToolRow]) -> None:
    domains = {tool.name: tool.domain for tool in (*company(), *foreign())}
    near = {template: group.near for group in requests() for template in group.training}
    assert {domain for group in requests() for domain in group.near} <= set(domains.values())
    refused = [row for row in made if row.template in near]
    assert len(refused) > 300
    for row in refused:
        assert not near[row.template] & {domains[plain(name)] for name in names(row)}, row


def test_the_shares_are_those_that_were_asked_for(made: list[ToolRow]) -> None:
    assert 0.25 < sum(row.call is None for row in made) / COUNT < 0.32
    assert 0.25 < sum(not NAMES & set(names(row)) for row in made) / COUNT < 0.35
    assert len({row.question for row in made}) > 0.85 * COUNT
    assert {row.call[0] for row in made if row.call is not None} >= NAMES


def test_rows_in_a_row_share_their_tools(made: list[ToolRow]) -> None:
    lengths = [len(list(group)) for _, group in groupby(made, key=lambda row: id(row.tools))]
    assert all(8 <= each <= 14 for each in lengths[:-1])


def test_no_template_is_on_both_sides(made: list[ToolRow], kept: list[ToolRow]) -> None:
    assert not {row.template for row in made} & {row.template for row in kept}
    for tool in company():
        assert tool.held_out and not set(tool.training) & set(tool.held_out)


def test_optional_arguments_are_left_out_unless_they_are_said(made: list[ToolRow]) -> None:
    limits = ["limit" in row.call[1] for row in made if row.call is not None and row.call[0] in ("suggest_reorders",)]
    assert 0.2 < sum(limits) / len(limits) < 0.8
