"""A recipe from rows to files: killed and taken up again, and what llama.cpp makes of what comes out."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from app.commands.registering import keep
from app.engines.scoring import LlamaCpp
from app.finetuning import candidate, finetune
from app.house.lessons import LESSONS
from core.errors import Conflict, InvalidInput, NotFound
from core.modelstore import ModelStore
from core.settings import Settings
from finetune import lora
from finetune.base import load_model, load_tokenizer
from finetune.gguf_format import write_adapter, write_model
from finetune.parity import compare
from finetune.recipe import Adapter, Base, Recipe, read_recipe
from finetune.rows import write_rows

MODEL = "smollm2-135m-instruct"
SMALLEST = Path(__file__).parents[2] / "finetune" / "recipes" / "smallest.yaml"
RECIPE = """
name: trial
licence: Apache-2.0
base: {model: smollm2-135m-instruct, layers: 2, hidden: 64}
data: [{file: train.jsonl}]
held_out: [{file: held_out.jsonl}]
adapter: {rank: 2, dropout: 0.1}
schedule: {epochs: 3, packs: 1, pack_tokens: 1024, learning_rate: 1e-2}
evaluation: {every: 2}
export: {adapter: null}
"""


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def source() -> Path:
    return ModelStore().pull(MODEL)


@pytest.fixture
def recipe(tmp_path: Path, source: Path) -> Path:
    write_rows(tmp_path / "train.jsonl", LESSONS["tools"](5, 24))
    write_rows(tmp_path / "held_out.jsonl", LESSONS["tools-held-out"](6, 4))
    path = tmp_path / "trial.yaml"
    path.write_text(RECIPE)
    return path


def test_a_killed_run_ends_with_the_loss_of_one_that_was_not(recipe: Path, tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    command = [sys.executable, "-c", "from app.cli import main; main()", "finetune", "run", str(recipe)]
    process = subprocess.Popen(
        [*command, "--out", str(killed)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not [*(killed / "checkpoints").glob("step-*")]:
        assert process.poll() is None, "it ended before its first checkpoint was seen"
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (killed / "report.json").exists()
    resumed, uninterrupted = (
        finetune(read_recipe(recipe), tmp_path, folder, say=lambda _: None).history for folder in (killed, whole)
    )
    assert [each["loss"] for each in resumed.losses] == [each["loss"] for each in uninterrupted.losses]
    assert resumed.evaluations == uninterrupted.evaluations
    assert len(resumed.losses) > 4


def test_the_smallest_recipe_comes_to_its_files(tmp_path: Path, source: Path) -> None:
    said: list[str] = []
    recipe = read_recipe(SMALLEST)
    report = finetune(recipe, SMALLEST.parent, tmp_path, say=said.append)
    assert report.tuned.loss < report.untuned.loss - 0.1
    assert report.packed_tokens < report.rows.tokens / 2
    assert [file.name for file in report.files] == ["smallest.gguf", "smallest-q8_0.gguf", "smallest-q4_0.gguf"]
    assert all((tmp_path / file.name).stat().st_size == file.size for file in report.files)
    assert report.parity is not None
    assert report.parity.difference <= 0.05
    assert "⟦" in said[1]
    page = (tmp_path / "report.html").read_text()
    assert "<svg" in page
    assert "smallest-q4_0.gguf" in page
    made_of = candidate(report, tmp_path, "house-adapter", "r1")
    registered = asyncio.run(keep(Settings(workspace=tmp_path / "workspace"), made_of))
    assert (registered.number, registered.lineage.recipe) == (1, recipe.hash)
    exact = registered.metrics["held-out/exact"].interval
    assert exact.low <= exact.value == report.tuned.exact <= exact.high
    with pytest.raises(InvalidInput, match="no adapter"):
        candidate(report, tmp_path / "workspace", "house-adapter", "r1")
    with pytest.raises(Conflict, match="another recipe"):
        finetune(recipe.model_copy(update={"seed": 9}), SMALLEST.parent, tmp_path, say=said.append)


def test_llama_cpp_computes_what_torch_does(tmp_path: Path, source: Path) -> None:
    """On weights large enough that rows in the wrong places would change the logits by whole numbers."""
    base = Base(model=MODEL, layers=2, hidden=128)
    tokenizer = load_tokenizer(str(source))
    model = load_model(base, str(source), seed=1, vocabulary=len(tokenizer))  # type: ignore[arg-type]
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.mul_(8.0 if "_proj" in name else 1.0)
    plain = tmp_path / "plain.gguf"
    write_model(plain, model, source, kind="f32", name="plain")
    tuned = lora.put_on(model, Adapter(rank=4, alpha=8), 2)
    with torch.no_grad():
        for name, parameter in tuned.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.5)
    adapter = tmp_path / "adapter.gguf"
    write_adapter(adapter, lora.weights(tuned), model.config, plain, kind="f32", name="a", licence="Apache-2.0")
    prompts = [
        tokenizer.encode(text, add_special_tokens=False)
        for text in ("Order ORD-10421:  12.50 €, café", "<|im_start|>user\nWhere is it?<|im_end|>\n")
    ]
    served = LlamaCpp(threads=1)
    parity = compare(tuned, served, plain, adapter, prompts)
    assert parity.difference <= 0.05
    assert parity.same == parity.prompts
    # The measure can fail: without the adapter the logits are others.
    assert compare(tuned, served, plain, None, prompts, tokens=1).difference > 0.5
    merged = tmp_path / "merged.gguf"
    whole = lora.merged(tuned)
    write_model(merged, whole, source, kind="f32", name="merged")
    assert compare(whole, served, merged, None, prompts).difference <= 0.05


def test_both_tokenizers_make_the_same_tokens(source: Path) -> None:
    tokenizer = load_tokenizer(str(source))
    text = 'a  12 b ORD-10421\n\n  7 naïve – 3,5 % of €1 000\t42 {"sku":"SKU-0042","quantity":24} x 😀 1'
    tokens = tokenizer.encode(text, add_special_tokens=False)
    ours, theirs = LlamaCpp(threads=1).logits(source, None, [tokens, text], len(tokenizer))  # type: ignore[arg-type]
    assert np.array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("change", "error", "told"),
    [
        ({"data": [{"generator": "none", "rows": 3}]}, InvalidInput, "no generator none"),
        ({"base": {"model": "nowhere"}}, InvalidInput, "nowhere is neither a file"),
        ({"base": {"model": "nowhere.gguf"}}, InvalidInput, "nowhere"),
        ({"data": [{"file": "missing.jsonl"}]}, InvalidInput, "missing"),
        ({"base": {"model": "."}, "export": {"adapter": "f16"}}, InvalidInput, "take a base in GGUF"),
        ({"adapter": {"layers": ["lm_head"]}, "export": {"adapter": "f16"}}, InvalidInput, "cannot hold lm_head"),
    ],
)
def test_what_a_recipe_names_and_is_not_there_is_told(
    tmp_path: Path, recipe: Path, change: dict[str, object], error: type[Exception], told: str
) -> None:
    wanted = Recipe.model_validate({**read_recipe(recipe).model_dump(), **change})
    with pytest.raises((error, NotFound), match=told):
        finetune(wanted, tmp_path, tmp_path / "out", say=lambda _: None)
