from pathlib import Path

from tests.fakes.gateway import Gateway


def break_database(workspace: Path) -> None:
    for part in workspace.glob("wayside.db*"):
        part.unlink()
    (workspace / "wayside.db").mkdir()


async def test_ready_means_that_the_database_answers(served: Gateway, tmp_path: Path) -> None:
    assert (await served.http.get("/readyz")).json() == {"status": "ready"}
    await served.parts.database.close()
    break_database(tmp_path)
    answer = await served.http.get("/readyz")
    assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
    assert "retry-after" in answer.headers
    assert (await served.http.get("/healthz")).status_code == 200


async def test_the_ingestion_queue_is_a_metric(served: Gateway) -> None:
    assert "wayside_ingestion_jobs 0.0" in (await served.call("GET", "/metrics", role="engineer")).text
