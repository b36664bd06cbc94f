from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from app.evaluations import Evaluation, Evaluations, Metric, evaluation_id
from core.errors import NotFound

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def made(suite: str = "retrieval", minutes: int = 0, tenant: str = "harbor") -> Evaluation:
    at = NOON + timedelta(minutes=minutes)
    metrics = {
        "ndcg_10": Metric(value=0.9, low=0.8, high=0.95, cases=20),
        "latency_p50_ms": Metric(value=5.5, low=None, high=None, cases=20),
    }
    return Evaluation(
        id=evaluation_id(suite, at),
        tenant=tenant,
        suite=suite,
        created_at=at,
        data="own",
        metrics=metrics,
        facts={"data": "own", "engine": "none & nothing"},
        cases=20,
        errors=0,
        seconds=1.5,
    )


def test_an_id_says_suite_and_time() -> None:
    summer = datetime(2026, 5, 1, 14, 0, 0, 123, tzinfo=timezone(timedelta(hours=2)))
    assert evaluation_id("tools", summer) == "tools-20260501T120000000123Z"
    with pytest.raises(ValueError, match="no id"):
        evaluation_id("../tools", NOON)


def test_what_is_kept_comes_back_whole(tmp_path: Path) -> None:
    kept, evaluations = made(), Evaluations(tmp_path)
    place = evaluations.store(kept, "<p>ärger</p>")
    assert place == tmp_path / "evals" / f"{kept.id}.json"
    assert sorted(path.name for path in place.parent.iterdir()) == [f"{kept.id}.html", f"{kept.id}.json"]
    assert evaluations.get("harbor", kept.id) == kept
    assert evaluations.report("harbor", kept.id) == "<p>ärger</p>"


def test_the_latest_come_first_whatever_their_suite(tmp_path: Path) -> None:
    evaluations = Evaluations(tmp_path)
    assert evaluations.list("harbor") == []
    runs = [made("tools", 0), made("answering", 1), made("retrieval", 2), made("answering", 3)]
    for run in (*runs, made("tools", 4, "rival")):
        evaluations.store(run, "")
    newest_first = runs[::-1]
    assert evaluations.list("harbor") == newest_first
    assert evaluations.list("harbor", limit=2) == newest_first[:2]
    assert evaluations.list("harbor", after=newest_first[1].id) == newest_first[2:]
    assert [each.tenant for each in evaluations.list("rival")] == ["rival"]


def test_another_tenant_s_does_not_exist(tmp_path: Path) -> None:
    evaluations, kept = Evaluations(tmp_path), made()
    evaluations.store(kept, "secret")
    for read in (evaluations.get, evaluations.report):
        with pytest.raises(NotFound):
            read("rival", kept.id)


def test_what_is_no_evaluation_is_not_shown(tmp_path: Path) -> None:
    evaluations, kept = Evaluations(tmp_path), made()
    path = evaluations.store(kept, "")
    for name, content in (
        (f"{made(minutes=1).id}.json", path.read_text()),
        (f"{made(minutes=2).id}.json", "{"),
        ("notes.json", path.read_text()),
    ):
        (path.parent / name).write_text(content)
    assert evaluations.list("harbor") == [kept]
    for strange in ("../../wayside", "../evals/" + kept.id, kept.id + "\n", "", made(minutes=2).id):
        with pytest.raises(NotFound):
            evaluations.get("harbor", strange)


def test_a_report_that_was_taken_away_is_not_found(tmp_path: Path) -> None:
    evaluations, kept = Evaluations(tmp_path), made()
    evaluations.store(kept, "").with_suffix(".html").unlink()
    with pytest.raises(NotFound, match="has no report"):
        evaluations.report("harbor", kept.id)
