import csv
import json
import re
from pathlib import Path

import pytest

from app.demo.catalog import read_catalog
from app.demo.company import Company
from app.demo.delivery import FEES, FREE_FROM, METHODS, WORKING_DAYS, ZONES
from app.demo.load import articles

QUESTIONS = Path(__file__).parents[4] / "evals" / "data" / "demo"
TEXTS = {path.stem: path.read_text(encoding="utf-8") for path in articles()}
MARKUP = re.compile(r"[*|`#]")


def _rows(name: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in (QUESTIONS / name).read_text(encoding="utf-8").splitlines()]


def _judgments() -> list[dict[str, str]]:
    with (QUESTIONS / "qrels" / "dev.tsv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def _table(article: str, heading: str) -> list[list[str]]:
    """Return the rows of the first table under a heading, without its head."""
    section = TEXTS[article].split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def test_there_are_enough_articles() -> None:
    assert len(TEXTS) >= 40
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", stem) for stem in TEXTS)


@pytest.mark.parametrize("stem", TEXTS)
def test_an_article_has_one_title_some_sections_and_a_readable_length(stem: str) -> None:
    lines = TEXTS[stem].splitlines()
    assert lines[0].startswith("# ")
    assert sum(line.startswith("# ") for line in lines) == 1
    assert 2 <= sum(line.startswith("## ") for line in lines) <= 8
    assert 200 <= len(TEXTS[stem].split()) <= 500


def test_references_between_articles_name_existing_titles() -> None:
    titles = {text.splitlines()[0].removeprefix("# ") for text in TEXTS.values()}
    named = [name for text in TEXTS.values() for name in re.findall(r"(?:[Ss]ee|read|in) \*([^*]+)\*(?!\*)", text)]
    assert len(named) >= 8
    assert set(named) <= titles


def test_there_are_enough_questions_of_each_kind() -> None:
    assert len(_rows("queries.jsonl")) >= 120
    assert len(_rows("unanswerable.jsonl")) >= 40
    assert len(_rows("followups.jsonl")) >= 20


def test_question_ids_and_texts_are_unique() -> None:
    rows = _rows("queries.jsonl") + _rows("unanswerable.jsonl") + _rows("followups.jsonl")
    ids = [row["_id"] for row in rows]
    texts = [str(row.get("text") or row["turns"]).lower() for row in rows]
    assert len(set(ids)) == len(ids)
    assert len(set(texts)) == len(texts)


def test_every_judgment_names_a_question_and_an_article() -> None:
    judged = _judgments()
    assert {row["corpus-id"] for row in judged} == set(TEXTS)
    assert {row["query-id"] for row in judged} == {row["_id"] for row in _rows("queries.jsonl")}
    assert {row["score"] for row in judged} == {"1"}


def test_every_gold_answer_stands_in_a_judged_article_and_carries_no_markup() -> None:
    judged: dict[str, list[str]] = {}
    for judgment in _judgments():
        judged.setdefault(judgment["query-id"], []).append(judgment["corpus-id"])
    rows = _rows("answers.jsonl")
    assert {row["_id"] for row in rows} == set(judged)
    for row in rows:
        assert isinstance(row["answers"], list)
        assert row["answers"], row
        for answer in row["answers"]:
            assert any(answer in TEXTS[stem] for stem in judged[str(row["_id"])]), (row["_id"], answer)
            assert not MARKUP.search(answer), answer


def test_followups_have_two_turns_and_their_answers_stand_in_their_article() -> None:
    for row in _rows("followups.jsonl"):
        assert isinstance(row["turns"], list)
        assert isinstance(row["answers"], list)
        assert len(row["turns"]) == 2
        assert row["answers"], row
        for answer in row["answers"]:
            assert answer in TEXTS[str(row["document"])], (row["_id"], answer)
            assert not MARKUP.search(answer), answer


def test_questions_do_not_copy_sentences() -> None:
    everything = " ".join(TEXTS.values()).lower()
    for row in _rows("queries.jsonl"):
        assert str(row["text"]).lower().strip("?!. ") not in everything, row


def test_delivery_prices_are_those_of_the_generated_orders() -> None:
    rows = {row[0].lower().replace(" ", "_").replace("-", "_"): row[1:] for row in _table(*DELIVERY_TABLE)}
    for method in METHODS:
        for zone in ZONES:
            cell = rows[method][zone - 1]
            if (method, zone) not in FEES:
                assert cell == "not available"
                continue
            fastest, slowest = WORKING_DAYS[method, zone]
            span = str(fastest) if fastest == slowest else f"{fastest}–{slowest}"
            assert cell.startswith(f"€{FEES[method, zone]}, {span} working day")
    free = "at least €{} in zone 1, €{} in zone 2 or €{} in zone 3".format(*(FREE_FROM[zone] for zone in ZONES))
    assert free in TEXTS[DELIVERY_TABLE[0]]


DELIVERY_TABLE = ("delivery-times-and-prices", "Prices and times by zone")


@pytest.mark.parametrize(
    ("article", "heading"),
    [
        ("sleeping-bag-ratings", "Our bags"),
        ("headlamps-and-batteries", "Our headlamps"),
        ("bike-rack-fitting", "Does it fit my bike?"),
    ],
)
def test_models_in_tables_are_on_sale(article: str, heading: str) -> None:
    names = [item.name for item in read_catalog().items]
    for model, *_ in _table(article, heading):
        assert any(name.startswith(f"{model} ") for name in names), model


def test_recalled_products_are_no_longer_on_sale() -> None:
    names = [item.name for item in read_catalog().items]
    for product, *_ in _table("product-recalls", "Current recalls"):
        assert not any(name.startswith(product) for name in names), product


@pytest.mark.parametrize(
    ("product", "article"),
    [
        ("Stove rubber ring set", "stove-safety"),
        ("Spare battery for Beacon 700 R", "headlamps-and-batteries"),
        ("Ferry clamp set", "bike-rack-fitting"),
        ("Hip belt for Moraine, S", "backpack-fitting"),
    ],
)
def test_prices_in_articles_are_those_of_the_catalogue(product: str, article: str) -> None:
    price = next(item.price for item in read_catalog().items if item.name == product)
    assert f"€{price}" in TEXTS[article]


def test_most_suppliers_are_in_europe_as_published(company: Company) -> None:
    european = {"AT", "BE", "CZ", "DK", "IT", "LT", "PT"}
    assert "Twelve suppliers" in TEXTS["suppliers-and-sustainability"]
    assert "seven of them are in Europe" in TEXTS["suppliers-and-sustainability"]
    assert sum(supplier.country in european for supplier in company.suppliers) == 7
