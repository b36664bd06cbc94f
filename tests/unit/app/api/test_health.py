import asyncio
import threading
from pathlib import Path

import httpx2
from fastapi import FastAPI

from app.api import health
from app.errors import Errors
from app.metrics import Metrics
from core.database import Database
from tests.fakes.gateway import Gateway


def break_database(workspace: Path) -> None:
    for part in workspace.glob("wayside.db*"):
        part.unlink()
    (workspace / "wayside.db").mkdir()


async def test_ready_means_that_the_database_answers(tmp_path: Path) -> None:
    # Alone: in the whole gateway, background work holds connections that no test may pull away.
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'wayside.db'}")

    async def no_jobs() -> int:
        return 0

    app = FastAPI()
    app.include_router(health.routes(database, Metrics(), no_jobs))
    app.add_middleware(Errors)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://test") as http:
        assert (await http.get("/readyz")).json() == {"status": "ready"}
        await database.close()
        break_database(tmp_path)
        answer = await http.get("/readyz")
        assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
        assert "retry-after" in answer.headers
        assert (await http.get("/healthz")).status_code == 200
    await database.close()
    # The thread of a connection that could not be opened still has a word for the event loop.
    for thread in threading.enumerate():
        if "_connection_worker_thread" in thread.name:
            await asyncio.to_thread(thread.join, 10)


async def test_the_ingestion_queue_is_a_metric(served: Gateway) -> None:
    assert "wayside_ingestion_jobs 0.0" in (await served.call("GET", "/metrics", role="engineer")).text
