"""The suite `tools` with the embedded engine, on one question: that all its parts fit, not how good the model is."""

from pathlib import Path

import orjson

from evals.report import render
from evals.runner import run
from evals.suite import Options
from evals.suites import find


async def test_asks_the_embedded_engine_by_grammar(tmp_path: Path) -> None:
    stock = {
        "name": "stock.check",
        "description": "Say how many of an article are in stock.",
        "parameters": {"type": "dict", "properties": {"number": {"type": "integer"}}, "required": ["number"]},
    }
    asked = [[{"role": "user", "content": "How many of article 7 are in stock?"}]]
    (tmp_path / "one.jsonl").write_bytes(orjson.dumps({"id": "a", "question": asked, "function": [stock]}))
    answer = {"id": "a", "ground_truth": [{"stock.check": {"number": [7]}}]}
    (tmp_path / "one.answers.jsonl").write_bytes(orjson.dumps(answer))
    async with find("tools")(Options(tmp_path / "one.jsonl")) as suite:
        finished = await run(suite)
    assert not finished.errors
    assert finished.facts["tools"] == "by grammar"
    assert finished.facts["engine"].endswith("(embedded)")
    assert finished.metrics["full_call_accuracy"].cases == finished.metrics["seconds"].cases == 1
    assert "stock.check" in render(finished)
