"""A real server recommends: before there is a model, by one promoted meanwhile, and in conversation."""

from __future__ import annotations

import time
from typing import Any

from typer.testing import CliRunner

from app.cli import cli
from tests.e2e.server import Server

CUSTOMER = "CUS-00235"


def tabular(server: Server, *arguments: str) -> str:
    """The command beside the server, in this process: it need not be imported anew."""
    done = CliRunner().invoke(cli, ["tabular", *arguments, "--workspace", str(server.workspace)])
    assert done.exit_code == 0, (done.output, done.exception)
    return done.output


def test_recommendations_over_http_and_in_conversation(demo_server: Server) -> None:
    wanted = {"customer_id": CUSTOMER, "limit": 5, "new_only": True}
    with demo_server.http() as http:

        def ask(**more: Any) -> Any:
            return http.post("/api/recommendations", json={**wanted, **more})

        assert ask().raise_for_status().json()["model"] is None
        assert ask(wish="something to cook with").status_code == 409
        assert "2,420 purchases were appended" in tabular(demo_server, "import", "--purchases")
        assert "registered as recommend 1" in tabular(demo_server, "train", "recommend", "--promote")
        deadline = time.monotonic() + 60
        while (slate := ask().raise_for_status().json())["model"] is None:
            assert time.monotonic() < deadline, "the champion was not taken up"
            time.sleep(0.5)
        assert len(slate["items"]) == 5 and all(each["reason"] for each in slate["items"])
        cooking = ask(wish="a stove to cook on").json()["items"]
        assert "stove" in " ".join(each["name"] for each in cooking).lower()
        told = {"reactions": [{"sku": slate["items"][0]["sku"], "reaction": "clicked"}]}
        http.post(f"/api/recommendations/{slate['id']}/feedback", json=told).raise_for_status()
        assert http.get("/api/recommendations/evaluation").status_code == 409

    client = demo_server.openai(CUSTOMER)
    message: Any = {"role": "user", "content": "What else might I like?"}
    answer = client.chat.completions.create(model="wayside", messages=[message])
    text = answer.choices[0].message.content or ""
    assert text.startswith("This might be something for you:\n1. SKU-"), text
    assert [line.split()[1] for line in text.splitlines()[1:]] == [each["sku"] for each in slate["items"]]
