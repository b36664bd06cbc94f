from pathlib import Path

import numpy as np
import pytest

from core.errors import InvalidInput
from evals.suite import Options
from evals.suites.recommend import (
    DEPTH,
    SCORERS,
    Case,
    Rankings,
    hashed,
    next_baskets,
    open_suite,
    rankings,
    titles,
)
from tabular.recommend.history import History
from tabular.recommend.model import Model
from tabular.recommend.purchases import PurchaseLog, day_of
from tabular.recommend.references import References
from tests.unit.tabular.recommend.conftest import BEGUN, bought

KNOWN = History().with_purchase(bought("c", "old", 0))
CASE = Case("c", KNOWN, 9.0, frozenset({"old", "fresh", "never"}))
STRANGER = Case("s", History(), 9.0, frozenset({"fresh"}))


def scored(case: Case, out: Rankings) -> dict[str, float]:
    found = {each.name: each.score(case, out) for each in SCORERS}
    return {name: score for name, score in found.items() if score is not None}


def out(**rankers: list[str]) -> Rankings:
    everybody = {name: rankers.get(name, ["x"]) for name in ("model", "popularity", "item_item", "personal")}
    return Rankings(everybody, {name: [each for each in items if each != "old"] for name, items in everybody.items()})


def test_a_basket_its_halves_and_gains_are_scored() -> None:
    found = scored(CASE, out(model=["old", "x", "fresh"], personal=["old"], popularity=["fresh", "old"]))
    assert found["recall_10"] == pytest.approx(2 / 3)
    assert found["personal_recall_10"] == pytest.approx(1 / 3)
    assert found["gain_over_personal_recall_10"] == pytest.approx(1 / 3)
    assert found["gain_over_item_item_hit_10"] == 1
    assert found["again_recall_10"] == 1
    # Of the two new things one was never sold before: it stays missed.
    assert found["new_recall_10"] == 0.5
    assert found["new_gain_over_popularity_recall_10"] == 0
    assert found["new_popularity_ndcg_10"] > found["new_ndcg_10"] > 0
    assert not any(name.startswith("cold") for name in found)


def test_customers_whom_nobody_knew_are_scored_apart() -> None:
    found = scored(STRANGER, out(model=["fresh"]))
    assert found
    assert all(name.startswith("cold") for name in found)
    assert found["cold_recall_10"] == found["cold_gain_over_popularity_hit_10"] == 1


def test_the_split_is_by_time() -> None:
    log = PurchaseLog.of(
        [bought("c", "x", 1), bought("c", "y", 10), bought("c", "z", 11), bought("s", "x", 12), bought("o", "x", 2)]
    )
    cases = {case.id: case for case in next_baskets(log, day_of(BEGUN) + 10)}
    assert set(cases) == {"c", "s"}
    assert cases["c"].bought == {"y"}
    assert cases["c"].history.items == {"x"}
    assert not cases["s"].known


def test_titles_are_those_of_before_the_cut() -> None:
    lines = [(bought("c", "x", 1), "old"), (bought("c", "x", 2), "newer"), (bought("c", "x", 3), "")]
    later = [(bought("c", "x", 9), "latest"), (bought("c", "y", 9), "unknown yet")]
    assert titles([*lines, *later], day_of(BEGUN) + 5) == {"x": "newer"}


def test_alike_titles_are_near() -> None:
    red, rose, lamp = hashed()(["red spotted bag", "red spotted bag large", "desk lamp"])
    assert red @ rose > 2 * abs(red @ lamp)


async def test_every_ranker_ranks_all_items_once(model: Model, log: PurchaseLog) -> None:
    cut = log.end - 30
    references = References.of(log, cut)
    (case, *_) = (each for each in next_baskets(log, cut) if each.known)
    found = await rankings(model, references, case)
    for name, ranking in found.all.items():
        assert (
            len(ranking) == len(set(ranking)) == min(DEPTH, len(model.items if name == "model" else references.items))
        )
        assert not case.history.items.intersection(found.new[name])
    counts = {item: sum(item in basket.items for basket in case.history.baskets) for item in case.history.items}
    personal = found.all["personal"]
    assert [counts[item] for item in personal[: len(counts)]] == sorted(counts.values(), reverse=True)


async def test_retail_tables_are_read_and_run(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    random = np.random.default_rng(0)
    rows = [
        (f"{month}{day}{customer}", f"1{item:03d}", f"THING {item}", 1, month, day, customer)
        for day in range(1, 29)
        for month in (1, 2, 3, 4)
        for customer in random.choice(30, 4, replace=False).tolist()
        for item in random.choice(12, 3, replace=False).tolist()
    ]
    extra = [("C99", "1000", "THING", 1), ("99", "POST", "POSTAGE", 1), ("99", "1001", "THING", -4)]
    rows += [(*each, 4, 28, 1) for each in extra]
    table = pandas.DataFrame(
        {
            "InvoiceNo": [row[0] for row in rows],
            "StockCode": [row[1] for row in rows],
            "Description": [row[2] for row in rows],
            "Quantity": [row[3] for row in rows],
            "InvoiceDate": [f"{row[4]}/{row[5]}/11 9:05" for row in rows],
            "UnitPrice": [1.0 for _ in rows],
            "CustomerID": [float(row[6]) for row in rows],
        }
    )
    table.loc[len(table)] = ["98", "1001", "THING", 1, "4/28/11 9:05", 1.0, float("nan")]
    table.to_parquet(tmp_path / "online_retail.parquet")
    async with open_suite(Options(data=tmp_path, limit=5)) as suite:
        assert len(suite.cases) == 5
        assert suite.facts["items ranked"] == "12"
        assert suite.facts["cut"] == "2011-04-01"
        found = await suite.task(suite.cases[0])
        assert len(found.all["model"]) == 12


async def test_other_files_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    (tmp_path / "online_retail.parquet").write_bytes(b"no parquet")
    with pytest.raises(InvalidInput, match="not in the layout"):
        async with open_suite(Options(data=tmp_path)):
            pass
