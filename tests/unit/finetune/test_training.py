from __future__ import annotations

import random
from pathlib import Path

import pytest
import torch

from core.errors import Conflict, CorruptArtefact, InvalidInput
from finetune import checkpoints
from finetune.checkpoints import History
from finetune.encoding import encode
from finetune.packs import Pack, packed
from finetune.recipe import Schedule
from finetune.rows import Row, Said
from finetune.training import Trainer, denormals_flushed, share
from tests.fakes.tiny import Letters, tuned_model


class Stopped(Exception):
    """Stands for a kill."""


def _packs(rows: int, seed: int) -> list[Pack]:
    chance = random.Random(seed)
    letters = "abcdefghij"
    made = []
    for _ in range(rows):
        word = "".join(chance.choices(letters, k=5))
        made.append(Row((Said("user", word),), word[0] + word[-1]))
    return packed([encode(row, Letters()) for row in made], 128)


TRAIN, HELD_OUT = _packs(60, 1), _packs(12, 2)
SCHEDULE = Schedule(epochs=4, packs=2, pack_tokens=128, learning_rate=2e-2)


def _trained(folder: Path, stop_after: int | None = None) -> tuple[History, dict[str, torch.Tensor]]:
    model = tuned_model(dropout=0.1)
    torch.manual_seed(5)

    def watch(history: History, _steps: int) -> None:
        if history.step == stop_after:
            raise Stopped

    history = Trainer(model, SCHEDULE, folder, seed=3, every=4).train(TRAIN, HELD_OUT, "print", watch)
    return history, {name: each.detach().clone() for name, each in model.named_parameters() if each.requires_grad}


def test_a_run_that_was_stopped_ends_as_one_that_was_not(tmp_path: Path) -> None:
    whole, weights = _trained(tmp_path / "whole")
    for stop in (6, 13):
        with pytest.raises(Stopped):
            _trained(tmp_path / "stopped", stop)
    resumed, again = _trained(tmp_path / "stopped")
    assert [each["loss"] for each in resumed.losses] == [each["loss"] for each in whole.losses]
    assert resumed.evaluations == whole.evaluations
    assert all(torch.equal(each, again[name]) for name, each in weights.items())


def test_it_learns(tmp_path: Path) -> None:
    history, _ = _trained(tmp_path)
    assert history.evaluations[-1]["loss"] < history.losses[0]["loss"] - 0.3
    assert len(history.losses) == Trainer(tuned_model(), SCHEDULE, tmp_path, seed=0, every=1).steps(len(TRAIN))


def test_the_model_ends_with_the_best_weights(tmp_path: Path) -> None:
    model = tuned_model()
    trainer = Trainer(model, SCHEDULE, tmp_path, seed=3, every=4)
    history = trainer.train(TRAIN, HELD_OUT, "print")
    lowest = min(each["loss"] for each in history.evaluations)
    assert trainer.evaluate(HELD_OUT).loss == pytest.approx(lowest, rel=1e-6)
    steps = {int(path.name.removeprefix("step-")) for path in tmp_path.iterdir()}
    assert steps == {history.step, history.best}


def test_a_folder_of_another_run_is_not_taken_over(tmp_path: Path) -> None:
    _trained(tmp_path)
    with pytest.raises(Conflict, match="another recipe or other data"):
        Trainer(tuned_model(), SCHEDULE, tmp_path, seed=3, every=4).train(TRAIN, HELD_OUT, "another")


def test_a_broken_checkpoint_says_so(tmp_path: Path) -> None:
    _trained(tmp_path)
    found = checkpoints.latest(tmp_path)
    assert found is not None
    weights = found / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(CorruptArtefact, match="broken"):
        _trained(tmp_path)


def test_nothing_to_learn_or_to_measure_is_refused(tmp_path: Path) -> None:
    trainer = Trainer(tuned_model(), SCHEDULE, tmp_path, seed=0, every=1)
    for train, held_out in (([], HELD_OUT), (TRAIN, [])):
        with pytest.raises(InvalidInput, match="hold out"):
            trainer.train(train, held_out, "print")


@pytest.mark.parametrize("decay", ["linear", "cosine"])
def test_the_rate_rises_and_falls(decay: str) -> None:
    schedule = Schedule.model_validate({"warmup": 0.1, "decay": decay})
    shares = [share(step, 100, schedule) for step in range(100)]
    assert shares[9] == 1.0
    assert shares[:10] == sorted(shares[:10])
    assert shares[9:] == sorted(shares[9:], reverse=True)
    assert 0 < shares[-1] < 0.05


def test_numbers_too_small_are_taken_for_zero_for_as_long_as_it_is_wanted() -> None:
    small = torch.full((8,), 1e-30)
    with denormals_flushed():
        assert not (small * 1e-10).any()
    assert (small * 1e-10).all()
