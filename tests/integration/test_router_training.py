"""`wayside router train` with the real embeddings: it gives the weights that ship, and learns from feedback."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import orjson
import pytest
from typer.testing import CliRunner

from agents.actions import NEWS, NONE, PROCUREMENT, SUPPORT, Actions
from agents.classifier import Classifier, Weights
from agents.conversation import Matter
from agents.examples import LABELS, of_head, read_examples
from agents.reception import Reception, Way
from agents.router import FOLDER, Router, Specialist, Step
from agents.triage import ALIKE, Triage
from app.cli import cli
from app.demo.labelled import halves
from app.teaching import open_embeddings, shipped_examples
from core.settings import Settings
from evals.demo.tasks import DEMO as TASKS
from evals.demo.tasks import Says
from evals.demo.tasks import read as read_tasks
from evals.intents import HELD_OUT
from retrieval.embed.onnx import OnnxEmbeddings

HELD_OUT_ACTIONS = HELD_OUT.with_name("actions.jsonl")
QUESTIONS = HELD_OUT.parents[1] / "demo" / "queries.jsonl"
ODD = "zibbeldy wobbeldy"


@pytest.fixture(scope="module")
def embeddings() -> Iterator[OnnxEmbeddings]:
    made = open_embeddings(Settings())
    yield made
    made.close()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of weights, as the command gives them from what ships."""
    folder = tmp_path_factory.mktemp("trained")
    run_train("--out", folder)
    return folder


def run_train(*arguments: str | Path) -> None:
    done = CliRunner().invoke(cli, ["router", "train", *map(str, arguments)])
    assert done.exit_code == 0, done.output
    assert "cross-validation" in done.output


@pytest.mark.parametrize("head", LABELS)
def test_the_command_gives_the_decisions_that_ship(trained: Path, embeddings: OnnxEmbeddings, head: str) -> None:
    texts, _ = of_head(read_examples(HELD_OUT) + read_examples(HELD_OUT_ACTIONS), head)
    vectors = embeddings.embed(texts)
    shipped, again = (Classifier(Weights.load(folder / f"{head}.npz")) for folder in (FOLDER, trained))
    pairs = [
        (shipped.decide(text, vector), again.decide(text, vector)) for text, vector in zip(texts, vectors, strict=True)
    ]
    # Sums are added in another order on another machine, so a text that lies on the line may fall either way.
    assert np.mean([(a.label, a.in_scope) == (b.label, b.in_scope) for a, b in pairs]) >= 0.98
    assert max(abs(a.probability - b.probability) for a, b in pairs) < 0.03
    assert (FOLDER / f"{head}.npz").stat().st_size < 250_000


def test_feedback_is_learned_from_and_wins(tmp_path: Path, embeddings: OnnxEmbeddings) -> None:
    examples, corrections = tmp_path / "examples.jsonl", tmp_path / "feedback.jsonl"
    own = [each for each in read_examples(FOLDER / "examples.jsonl") if "route" in each.labels][::6]
    rows = [*({"text": each.text, "route": each.labels["route"]} for each in own), {"text": ODD, "route": "person"}]
    examples.write_text("\n".join(json.dumps(row) for row in rows))
    corrections.write_text(json.dumps({"text": ODD, "route": "procurement"}))
    run_train("--examples", examples, "--feedback", corrections, "--out", tmp_path)
    decision = Classifier(Weights.load(tmp_path / "route.npz")).decide(ODD, embeddings.embed_query(ODD))
    assert decision.label == "procurement"
    assert not (tmp_path / "category.npz").exists()


def test_nothing_held_out_was_learned(embeddings: OnnxEmbeddings) -> None:
    shipped = shipped_examples()
    held_out = [*(ticket.text for ticket in halves()[1]), *(each.text for each in read_examples(HELD_OUT_ACTIONS))]
    messages = [example.text for example in read_examples(HELD_OUT)]
    tasks = {step.say for task in read_tasks(TASKS) for step in task.steps if isinstance(step, Says)}
    assert not {each.text for each in shipped} & {*held_out, *messages, *tasks}
    learned = embeddings.embed([each.text for each in shipped])
    wishes = [each.text for each in read_examples(HELD_OUT_ACTIONS)]
    assert (embeddings.embed([*messages, *wishes]) @ learned.T).max() < 0.85


async def test_the_shipped_actions_know_another_voice(embeddings: OnnxEmbeddings) -> None:
    """Measured: 126 of 144 wishes right among what the caller may use; 4 messages reach another tool than is meant."""
    actions, router = Actions.shipped(embeddings), Router.shipped(embeddings)
    desk, right, astray = Reception(router, actions), 0, 0
    texts, labels = of_head(read_examples(HELD_OUT_ACTIONS), "action")
    for text, label in zip(texts, labels, strict=True):
        tools = frozenset(SUPPORT if label in (*SUPPORT, NEWS, NONE) else (*SUPPORT, *PROCUREMENT))
        right += (await actions.wish(text, tools)).action == label
        heading = await desk.heading(text, tools, Matter(), ())
        astray += heading["way"] == Way.TOOL and heading["tool"] != label
    assert right >= 121
    assert astray <= 6


async def test_questions_stay_with_the_documents(embeddings: OnnxEmbeddings) -> None:
    """Measured: 154 of the demo's 165 questions; most of the others read like a request as well."""
    desk = Reception(Router.shipped(embeddings), Actions.shipped(embeddings))
    asked = [orjson.loads(line)["text"] for line in QUESTIONS.read_bytes().splitlines()]
    ways = [(await desk.heading(text, frozenset(SUPPORT), Matter(), ()))["way"] for text in asked]
    assert ways.count(Way.DOCUMENTS) >= 150


def test_no_held_out_ticket_is_like_an_example(embeddings: OnnxEmbeddings) -> None:
    # The examples were written by somebody who had seen the tickets, so those that came too near were taken out.
    learned = embeddings.embed([example.text for example in read_examples(FOLDER / "examples.jsonl")])
    tickets = embeddings.embed([ticket.text for ticket in halves()[1]])
    assert (tickets @ learned.T).max() < ALIKE


async def test_the_shipped_router_and_triage_work(embeddings: OnnxEmbeddings) -> None:
    router, triage = Router.shipped(embeddings), Triage.shipped(embeddings)
    routes = {
        "How many days do I have to return a jacket?": Specialist.KNOWLEDGE,
        "I was charged twice for ORD-10421, refund one of them please": Specialist.SUPPORT,
        "What should I reorder this week?": Specialist.PROCUREMENT,
    }
    for text, specialist in routes.items():
        route = await router.route(text)
        assert (route.specialist, route.step) == (specialist, Step.GO), text
    assert (await router.route("What will the weather be like in Paris tomorrow?")).step is Step.DECLINE
    assert (await triage.classify("I was charged twice for ORD-10421")).category.value == "billing"


def test_the_gateway_needs_no_scikit_learn() -> None:
    check = "import sys, app.cli, app.gateway, agents.router, agents.triage; sys.exit('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False, timeout=120).returncode == 0
