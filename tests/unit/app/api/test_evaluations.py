from urllib.parse import quote

import pytest

from app.evaluations import Evaluations
from tests.fakes.gateway import TENANT, Gateway
from tests.unit.app.test_evaluations import made


@pytest.fixture
def kept(served: Gateway) -> list[str]:
    """Three runs, the latest first."""
    runs = [made(suite, minutes, TENANT) for minutes, suite in enumerate(("tools", "retrieval", "answering"))]
    for run in runs:
        Evaluations(served.parts.settings.workspace).store(run, f"<h1>{run.suite}</h1>")
    return [run.id for run in runs[::-1]]


async def test_runs_are_listed_and_shown(served: Gateway, kept: list[str]) -> None:
    page = (await served.call("GET", "/api/evals", role="engineer", params={"limit": 2})).json()
    assert ([each["id"] for each in page["data"]], page["has_more"]) == (kept[:2], True)
    rest = await served.call("GET", "/api/evals", role="engineer", params={"limit": 2, "after": kept[1]})
    assert ([each["id"] for each in rest.json()["data"]], rest.json()["has_more"]) == (kept[2:], False)
    shown = (await served.call("GET", f"/api/evals/{kept[0]}", role="engineer")).json()
    assert shown == page["data"][0]
    assert shown == {
        "object": "evaluation",
        "id": kept[0],
        "suite": "answering",
        "created_at": "2026-05-01T12:02:00Z",
        "data": "own",
        "metrics": {
            "ndcg_10": {"value": 0.9, "low": 0.8, "high": 0.95, "cases": 20},
            "latency_p50_ms": {"value": 5.5, "low": None, "high": None, "cases": 20},
        },
        "facts": {"data": "own", "engine": "none & nothing"},
        "cases": 20,
        "errors": 0,
        "seconds": 1.5,
    }


async def test_a_report_may_show_itself_and_do_nothing(served: Gateway, kept: list[str]) -> None:
    report = await served.call("GET", f"/api/evals/{kept[0]}/report", role="engineer")
    assert (report.status_code, report.text) == (200, "<h1>answering</h1>")
    assert report.headers["content-type"] == "text/html; charset=utf-8"
    policy = report.headers["content-security-policy"].split("; ")
    assert {"default-src 'none'", "style-src 'unsafe-inline'", "frame-ancestors 'none'", "sandbox"} <= set(policy)
    assert not any("script" in rule for rule in policy)
    assert report.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("rest", ["", "/{}", "/{}/report"])
async def test_who_may_read_them(served: Gateway, kept: list[str], rest: str) -> None:
    path = "/api/evals" + rest.format(kept[0])
    for role, status in (("client", 403), ("staff", 403), ("engineer", 200), ("admin", 200)):
        assert (await served.call("GET", path, role=role)).status_code == status
    stranger = await served.call("GET", path, role="stranger")
    assert stranger.json()["data"] == [] if not rest else stranger.status_code == 404


@pytest.mark.parametrize(
    "strange", ["../../wayside.db", "..%2f..%2fadmin.key", "answering-20260501T120200000000Z.json", "nonsense"]
)
async def test_no_path_leads_out_of_the_folder(served: Gateway, kept: list[str], strange: str) -> None:
    for name in (strange, quote(strange, safe="")):
        for path in (f"/api/evals/{name}", f"/api/evals/{name}/report"):
            assert (await served.call("GET", path)).status_code in (400, 404)
    assert (await served.call("GET", "/api/evals", params={"after": strange})).status_code == 400
