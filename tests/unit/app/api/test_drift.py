"""/api/drift: who may look, what is told, and how a report is served."""

from __future__ import annotations

from datetime import timedelta

from app.drift.checks import Kept, New
from app.workspace import TENANT as INSTALLATION
from core.database import now
from core.types import Role
from tabular.drift.results import About, Achieved, Apart, Check, Compared, Finding, Usual
from tests.fakes.gateway import TENANT, Gateway

CHECK = Check(
    (
        Compared(
            "amount", False, ("up to 10", "above 10"), (0.9, 0.1), (0.5, 0.5), Apart(0.7, 0.01, 1e-9),
            Apart(0.4, 0.02, 1e-8), Usual(2.0, 1.0, 3.0, 8),
        ),
        Compared("card", True, ("new", "other"), (1, 0), (1, 0), Apart(0, 0, 1), None, Usual(1, 1, 1, 8)),
    ),
    (Achieved("auc", 0.9, 0.85, 0.95, 0.91, 0.01, 0.6),),
    (Finding("amount", About.FEATURE, "psi", 0.69, 0.1, 1e-7, "amount: <above> 10 is 50% of the window"),),
    ("what it achieves: a word",),
)  # fmt: skip


async def kept(served: Gateway, check: Check = CHECK, tenant: str = TENANT) -> Kept:
    new = New(tenant, "fraud", 3, now() - timedelta(days=7), now(), 900, 800, check)
    return await served.parts.drift.checks.record(new, now() + timedelta(hours=1))


async def test_checks_are_listed_and_shown_whole(served: Gateway) -> None:
    first, last = await kept(served), await kept(served, Check(CHECK.compared, CHECK.achieved))
    page = (await served.call("GET", "/api/drift?limit=1", role="staff")).json()
    assert ([each["id"] for each in page["data"]], page["has_more"]) == ([last.id], True)
    assert (page["data"][0]["state"], page["data"][0]["findings"]) == ("quiet", [])
    page = (await served.call("GET", f"/api/drift?model=fraud&after={last.id}", role="staff")).json()
    [found] = page["data"]
    assert (found["id"], found["state"], found["version"], found["rows"]) == (first.id, "drift", 3, 900)
    assert found["findings"][0]["words"] == "amount: <above> 10 is 50% of the window"
    assert found["findings"][0]["judged"] is True
    assert found["unknown"] == ["what it achieves: a word"]
    whole = (await served.call("GET", f"/api/drift/{first.id}", role="staff")).json()
    assert whole["columns"][0]["now"] == [0.5, 0.5]
    assert (whole["columns"][0]["psi"], whole["columns"][1]["ks"]) == (0.7, None)
    assert whole["figures"] == [
        {"name": "auc", "now": 0.91, "usual": 0.9, "low": 0.85, "high": 0.95, "p": 0.6},
    ]


async def test_a_report_can_do_nothing(served: Gateway) -> None:
    made = await kept(served)
    answer = await served.call("GET", f"/api/drift/{made.id}/report", role="staff")
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "&lt;above&gt;" in answer.text
    assert "fraud, version 3" in answer.text


async def test_an_engineer_looks_now_and_once_for_a_key(served: Gateway) -> None:
    served.keys["own"], _ = await served.parts.identity.create(INSTALLATION, "own", Role.ENGINEER)
    once = {"idempotency-key": "look-1"}
    answer = await served.call("POST", "/api/drift/fraud/check", role="own", headers=once)
    assert answer.status_code == 201
    assert (answer.json()["state"], answer.json()["unknown"]) == ("unknown", ["there is no champion"])
    again = await served.call("POST", "/api/drift/fraud/check", role="own", headers=once)
    assert again.json() == answer.json()
    assert len((await served.call("GET", "/api/drift", role="own")).json()["data"]) == 1
    answer = await served.call("POST", "/api/drift/churn/check", role="own")
    assert (answer.status_code, "no watched model 'churn'" in answer.json()["message"]) == (404, True)


async def test_others_have_no_business_here(served: Gateway) -> None:
    made = await kept(served)
    for path in ("", f"/{made.id}", f"/{made.id}/report"):
        assert (await served.call("GET", f"/api/drift{path}", role="client")).status_code == 403
        strange = await served.call("GET", f"/api/drift{path}", role="stranger")
        assert strange.json().get("data") == [] if path == "" else strange.status_code == 404
    # A check shows what the installation's model was trained on, which is no other tenant's to see.
    for role in ("staff", "engineer", "stranger"):
        assert (await served.call("POST", "/api/drift/fraud/check", role=role)).status_code == 403
    unknown = await served.call("GET", "/api/drift/drf_" + "0" * 32, role="staff")
    assert (unknown.status_code, unknown.json()["param"]) == (404, "check_id")


async def test_metrics_show_what_was_found(served: Gateway) -> None:
    served.parts.drift.latest["fraud"] = await kept(served)
    told = (await served.call("GET", "/metrics")).text
    assert 'wayside_drift_findings{about="feature",model="fraud"} 1.0' in told
    assert 'wayside_drift_figure{figure="auc",model="fraud"} 0.91' in told
    assert 'wayside_drift_window_rows{model="fraud"} 900.0' in told
