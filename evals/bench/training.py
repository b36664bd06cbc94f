"""Training: rows learned a second, against a plain loop over transformers and peft, on the same rows.

The rows are those of packs drawn from the house recipe's, so that they share their beginnings as they do in a whole
run. The reference reads them as most loops do: padded to the longest of four, everything but the answer masked in the
labels, the model's own loss, one step of AdamW for as many rows. Both start from the same weights.
"""

from __future__ import annotations

import importlib.util
import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.modelstore import ModelStore
from evals.bench.figure import Figure, Skipped

if TYPE_CHECKING:
    from finetune.packs import Pack

RECIPE = Path(__file__).parents[2] / "finetune" / "recipes" / "house.yaml"
PACKS, ROUNDS, BATCH, SEED = 4, 3, 4, 5
LEAST = 2.0


def measure() -> list[Figure]:
    """Needs the extra `train`; takes minutes."""
    if importlib.util.find_spec("peft") is None:
        raise Skipped("peft is not installed: pip install -c constraints.txt -e '.[train]'")
    from app.finetuning import materials
    from app.house.lessons import LESSONS
    from finetune import lora
    from finetune.base import load_model, load_tokenizer
    from finetune.encoding import encode
    from finetune.packs import packed
    from finetune.recipe import read_recipe
    from finetune.training import Trainer

    recipe = read_recipe(RECIPE)
    found = materials(recipe, RECIPE.parent, ModelStore(), LESSONS)
    tokenizer: Any = load_tokenizer(found.source)
    packs = packed([encode(row, tokenizer) for row in found.train], recipe.schedule.pack_tokens)
    drawn = random.Random(SEED).sample(packs, PACKS)  # noqa: S311 - a sample, no secret
    rows = [row for pack in drawn for row in _rows(pack)]
    schedule = recipe.schedule.model_copy(update={"packs": PACKS, "epochs": 1.0})

    def fresh() -> Any:
        model = load_model(recipe.base, found.source, seed=0, vocabulary=len(tokenizer))
        return lora.put_on(model, recipe.adapter, 0)

    ours, plain = list[float](), list[float]()
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            trainer = Trainer(fresh(), schedule, Path(folder), seed=0, every=1000)
            history = trainer.train(drawn, drawn[:1], "bench")
            ours.append(len(rows) / history.seconds)
        plain.append(len(rows) / _plain(fresh(), rows, tokenizer.eos_token_id))
    tokens, read = sum(len(prompt) + len(answer) for prompt, answer in rows), sum(map(len, drawn))
    return [
        Figure(
            "learning from rows", "rows/s", ours, plain, "transformers + peft, padded batches of 4",
            f"≥ {LEAST:.0f} ×", _median(ours) >= LEAST * _median(plain),
        ),
        Figure("tokens read for those rows", "tokens", [read], [tokens], "each row by itself, without padding"),
    ]  # fmt: skip


def _rows(pack: Pack) -> list[tuple[list[int], list[int]]]:
    """The rows of a pack, each as its prompt and its answer."""
    rows, target = list[tuple[list[int], list[int]]](), 0
    for number, length in enumerate(pack.answers, start=1):
        answer = [*pack.target[target : target + length]]
        target += length
        read = [token for token, branch in zip(pack.tokens, pack.branch, strict=True) if branch in (0, number)]
        # The last token of an answer is predicted and never read.
        prompt = read[: len(read) - (length - 1)]
        assert read[len(prompt) :] == answer[:-1]
        rows.append((prompt, answer))
    return rows


def _plain(model: Any, rows: Sequence[tuple[list[int], list[int]]], padding: int) -> float:
    """Seconds of one step over the rows."""
    import torch

    trained = [each for each in model.parameters() if each.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=1e-4)
    model.train()
    begun = time.perf_counter()
    batches = [rows[at : at + BATCH] for at in range(0, len(rows), BATCH)]
    for batch in batches:
        width = max(len(prompt) + len(answer) for prompt, answer in batch)
        tokens = torch.full((len(batch), width), padding)
        labels, sees = torch.full_like(tokens, -100), torch.zeros_like(tokens)
        for place, (prompt, answer) in enumerate(batch):
            length = len(prompt) + len(answer)
            tokens[place, :length] = torch.tensor([*prompt, *answer])
            labels[place, len(prompt) : length] = torch.tensor(answer)
            sees[place, :length] = 1
        loss = model(input_ids=tokens, attention_mask=sees, labels=labels, use_cache=False).loss
        (loss / len(batches)).backward()
    torch.nn.utils.clip_grad_norm_(trained, 1.0)
    optimiser.step()
    return time.perf_counter() - begun


def _median(rounds: Sequence[float]) -> float:
    return sorted(rounds)[len(rounds) // 2]
