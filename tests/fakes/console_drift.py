"""Checks for drift as the console's fake API tells them: one quiet, one with findings, one that could say nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request
from starlette.responses import HTMLResponse, Response

from tests.fakes import console_data as data
from tests.fakes import console_judged

if TYPE_CHECKING:
    from tests.fakes.console_api import ConsoleApi

Json = dict[str, Any]


def check(number: int, state: str, **other: Any) -> Json:
    return {
        "object": "drift.check",
        "id": f"drf_{number:032x}",
        "model": "fraud",
        "version": 4,
        "at": data.moment(days=3 - number),
        "begin": data.moment(days=10 - number),
        "end": data.moment(days=3 - number),
        "rows": 66_954,
        "matured": 66_870,
        "state": state,
        "findings": [],
        "unknown": [],
        "columns": [],
        "figures": [],
        **other,
    }


def checks() -> list[Json]:
    columns = [
        _column("amount", 0.34, [0.1, 0.8, 0.1], [0.02, 0.6, 0.38]),
        _column("hour", 0.004, [0.3, 0.4, 0.3], [0.3, 0.41, 0.29]),
        _column("card", 0.02, [0.02, 0.98], [0.03, 0.97], group=True),
    ]
    figures = [
        {"name": "auc", "now": 0.905, "usual": 0.904, "low": 0.88, "high": 0.93, "p": 0.5},
        {"name": "calibration", "now": 0.1, "usual": 0.02, "low": -0.2, "high": 0.24, "p": 0.4},
    ]
    finding = {
        "name": "amount",
        "about": "feature",
        "measure": "psi",
        "effect": 0.34,
        "bound": 0.1,
        "p": 1e-9,
        "words": f"amount: above 220 is 38% of the window, and was 10% {data.HOSTILE}",
        "since": data.moment(days=2),
        "judged": True,
    }
    unknown = ["what the model meets: the window holds 12 rows: 200 are the least"]
    return [
        check(3, "drift", findings=[finding], columns=columns, figures=figures),
        check(2, "quiet", columns=[{**each, "psi": 0.001} for each in columns], figures=figures),
        check(1, "unknown", rows=12, matured=0, unknown=unknown),
    ]


def _column(name: str, psi: float, before: list[float], now: list[float], *, group: bool = False) -> Json:
    return {
        "name": name,
        "group": group,
        "psi": psi,
        "psi_chance": 0.001,
        "psi_p": 1e-9 if psi > 0.1 else 0.4,
        "ks": None if group else psi,
        "ks_p": None if group else 0.2,
        "inflation": 2.5,
        "bins": [f"bin {place}" for place in range(len(before))],
        "before": before,
        "now": now,
    }


def serve(app: FastAPI, api: ConsoleApi) -> None:
    """The routes, whose checks a test may change."""

    @app.get("/api/drift")
    async def drift() -> Json:
        return {"object": "list", "data": api.drift, "has_more": False}

    @app.get("/api/drift/{identity}")
    async def one(identity: str) -> Json:
        return next(each for each in api.drift if each["id"] == identity)

    @app.get("/api/drift/{identity}/report")
    async def report(identity: str) -> Response:
        return HTMLResponse(console_judged.REPORT)

    @app.post("/api/drift/{model}/check", status_code=201)
    async def look(model: str, request: Request) -> Json:
        api.received.append(("drift", {"model": model, "key": request.headers.get("idempotency-key")}))
        made = check(len(api.drift) + 1, "quiet", columns=api.drift[1]["columns"], at=data.moment())
        api.drift.insert(0, made)
        return made
