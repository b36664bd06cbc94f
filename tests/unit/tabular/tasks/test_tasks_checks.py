import numpy as np
import pytest

from app.demo.tables import applicants
from tabular.tasks.checks import check
from tabular.tasks.income import INCOME
from tabular.tasks.schema import Table
from tests.unit.tabular.tasks.making import loans, table, task


def test_a_sound_table_raises_no_suspicion() -> None:
    columns, target = loans()
    card = check(task(), table(columns, target.tolist()))
    assert card.suspects == ()
    assert (card.rows, card.rejected) == (600, 0)
    by_name = {each.name: each for each in card.columns}
    assert by_name["income"].missing == pytest.approx(0.1, abs=0.03)
    assert by_name["home"].distinct == 3
    assert by_name["income"].auc > 0.7 > 0.6 > by_name["age"].auc
    assert sum(card.groups["age"].values()) == 600


def test_what_tells_the_answer_is_suspected() -> None:
    columns, target = loans()
    random = np.random.default_rng(0)
    # A copy of the outcome, as something noted later: a fee for those who did not pay.
    columns["income"] = [str(500 if paid else int(random.integers(0, 400))) for paid in target]
    card = check(task(), table(columns, target.tolist()))
    assert [each for each in card.suspects if each.startswith("income alone tells the outcome")]
    # That something is missing can tell it too.
    columns["income"] = [None if paid else "5" for paid in target]
    assert any(each.startswith("income alone") for each in check(task(), table(columns, target.tolist())).suspects)


def test_names_constants_gaps_and_rare_outcomes_are_told() -> None:
    columns, _ = loans(300)
    columns["home"] = [f"H{place}" for place in range(300)]
    columns["owner"] = ["Yes"] * 300
    columns["income"] = [None] * 200 + ["1", "2"] * 50
    found = " | ".join(check(task(), table(columns, [place < 3 for place in range(300)])).suspects)
    for said in ("home has 300 values", "owner is the same", "income is not known in 67%", "1.00% of the rows"):
        assert said in found
    # A measured number may well differ everywhere.
    columns["income"] = [f"{place}.5" for place in range(300)]
    assert "income has" not in " | ".join(check(task(), table(columns, [place < 150 for place in range(300)])).suspects)


def test_repeated_rows_are_counted() -> None:
    columns, target = loans(100)
    twice = {name: values + values[:10] for name, values in columns.items()}
    outcomes = target.tolist() + [not each for each in target[:4]] + target[4:10].tolist()
    card = check(task(), table(twice, outcomes))
    assert (card.duplicates, card.contradictions) == (10, 4)


def test_what_gives_a_hidden_property_away_is_told() -> None:
    rows = applicants(1500)
    made = Table(
        {each.name: [row[each.name] for row in rows] for each in INCOME.columns},
        np.array([row["income-per-year"] == ">50K" for row in rows]),
    )
    card = check(INCOME, made)
    assert [(column, of) for column, of, _ in card.proxies] == [("relationship", "sex")]
    assert any("relationship gives away sex" in each for each in card.suspects)
