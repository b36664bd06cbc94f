"""The training loop: packs in, an adapter out, the same one however often it was stopped on the way.

Which pack is read at which step depends on the seed alone, and a checkpoint keeps everything else that matters, so a
run that was killed and taken up again ends with the loss of one that was not. Several processes (`accelerate launch`)
share each step's packs; the loss of a step is that of all its learned tokens, whoever read them.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from accelerate import Accelerator
from torch.nn.functional import cross_entropy

from core.errors import InvalidInput
from finetune import checkpoints
from finetune.checkpoints import History
from finetune.packs import Pack
from finetune.recipe import Schedule

CPU = torch.device("cpu")
# Called after every step with the history so far and the number of steps in all.
Watch = Callable[[History, int], None]


@dataclass(frozen=True, slots=True)
class Held:
    """What held-out rows say: the loss a token, and the share of answers whose every token would be chosen."""

    loss: float
    exact: float


class Trainer:
    """Trains the adapter on a model, by a schedule, into a folder of checkpoints."""

    def __init__(self, model: Any, schedule: Schedule, folder: Path, *, seed: int, every: int) -> None:
        """`every` is how many steps apart held-out rows are read and a checkpoint is written."""
        self._schedule = schedule
        self._folder = folder
        self._seed = seed
        self._every = every
        mixed = "bf16" if schedule.precision == "bfloat16" else "no"
        self._accelerator = Accelerator(mixed_precision=mixed)
        trained = [each for each in model.parameters() if each.requires_grad]
        optimiser = torch.optim.AdamW(trained, lr=0.0, weight_decay=schedule.weight_decay)
        self._plain = model
        self._model, self._optimiser = self._accelerator.prepare(model, optimiser)

    def train(
        self, packs: Sequence[Pack], held_out: Sequence[Pack], fingerprint: str, watch: Watch | None = None
    ) -> History:
        """Train to the end, from the latest checkpoint if there is one; the model then holds the best one's weights.

        Raises `InvalidInput` without packs, `Conflict` for a folder whose checkpoints are of another run.
        """
        if not packs or not held_out:
            raise InvalidInput("training takes rows to learn from and rows to hold out", param="data")
        steps = self.steps(len(packs))
        order = _order(len(packs), self._seed)
        history = History(fingerprint)
        found = checkpoints.latest(self._folder)
        if found is not None:
            history = checkpoints.restore(found, self._plain, self._inner, fingerprint)
        width = self._schedule.packs * self._accelerator.num_processes
        for _ in range(history.step * width):
            next(order)
        while history.step < steps:
            self._step([packs[next(order)] for _ in range(width)], history, steps)
            if history.step % self._every == 0 or history.step == steps:
                held = self.evaluate(held_out)
                history.evaluations.append({"step": history.step, "loss": held.loss, "exact": held.exact})
                if self._accelerator.is_main_process:
                    checkpoints.save(self._folder, self._plain, self._inner, history)
                self._accelerator.wait_for_everyone()
            if watch is not None and self._accelerator.is_main_process:
                watch(history, steps)
        checkpoints.load_weights(checkpoints.best(self._folder, history), self._plain)
        return history

    def steps(self, packs: int) -> int:
        """How many steps the schedule takes for so many packs."""
        width: int = self._schedule.packs * self._accelerator.num_processes
        return max(1, math.ceil(packs * self._schedule.epochs / width))

    def evaluate(self, packs: Sequence[Pack]) -> Held:
        """Read held-out rows without learning, in the precision of training."""
        with self._accelerator.autocast():
            return evaluate(self._model, packs, self._accelerator.device)

    @property
    def _inner(self) -> torch.optim.Optimizer:
        inner: torch.optim.Optimizer = self._optimiser.optimizer
        return inner

    def _step(self, packs: Sequence[Pack], history: History, steps: int) -> None:
        begun = perf_counter()
        rate = self._schedule.learning_rate * share(history.step, steps, self._schedule)
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        learned = sum(len(pack.target) for pack in packs)
        processes = self._accelerator.num_processes
        mine = packs[self._accelerator.process_index :: processes]
        lost = torch.zeros((), device=self._accelerator.device)
        for number, pack in enumerate(mine, start=1):
            # Gradients of several processes are averaged, once a step, hence the factor.
            with self._accelerator.no_sync(self._model) if number < len(mine) else nullcontext():
                with self._accelerator.autocast():
                    logits, target = _forward(self._model, pack, self._accelerator.device)
                loss = cross_entropy(logits, target, reduction="sum") / learned
                self._accelerator.backward(loss * processes)
                lost += loss.detach()
        self._accelerator.clip_grad_norm_(self._plain.parameters(), self._schedule.gradient_norm)
        self._optimiser.step()
        self._optimiser.zero_grad()
        total: Any = self._accelerator.reduce(lost)
        history.step += 1
        history.seconds += perf_counter() - begun
        history.tokens += sum(map(len, packs))
        history.losses.append({"step": history.step, "loss": float(total), "rate": rate})


@contextmanager
def denormals_flushed() -> Iterator[None]:
    """Take numbers below 1e-38 for zero: what sure attention leaves, with which a processor is many times slower.

    Torch's threads take the switch over from the one that makes them, so enter this before anything is computed. The
    calling thread is left as it was; torch's own keep it.
    """
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


def evaluate(model: Any, packs: Sequence[Pack], device: torch.device = CPU) -> Held:
    """Read held-out rows without learning; the model is in training again afterwards if it was before."""
    training = model.training
    model.eval()
    lost, tokens, exact, rows = 0.0, 0, 0, 0
    with torch.no_grad():
        for pack in packs:
            logits, target = _forward(model, pack, device)
            lost += float(cross_entropy(logits, target, reduction="sum"))
            tokens += len(pack.target)
            right = torch.split(logits.argmax(-1) == target, list(pack.answers))
            exact += sum(bool(each.all()) for each in right)
            rows += len(pack.answers)
    model.train(training)
    return Held(lost / tokens, exact / rows)


def _forward(model: Any, pack: Pack, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits at the learned places (N, vocabulary) in float32, and the tokens that belong there (N,)."""
    logits = model(**model_input(pack, device)).logits[0]
    return logits.float(), torch.tensor(pack.target, device=device)


def model_input(pack: Pack, device: torch.device) -> Mapping[str, torch.Tensor]:
    """The pack as arguments of a model of `transformers`: one sequence, its positions, who sees whom."""
    branch = torch.tensor(pack.branch, device=device)
    place = torch.arange(len(pack), device=device)
    sees = (place[:, None] >= place) & ((branch == 0) | (branch[:, None] == branch))
    return {
        "input_ids": torch.tensor([pack.tokens], device=device),
        "position_ids": torch.tensor([pack.position], device=device),
        "attention_mask": sees[None, None],
        "logits_to_keep": torch.tensor(pack.learned, device=device),
        "use_cache": False,
    }


def share(step: int, steps: int, schedule: Schedule) -> float:
    """Which share of the learning rate step number `step` (from 0) of `steps` takes."""
    warm = max(1, round(schedule.warmup * steps))
    if step < warm:
        return (step + 1) / warm
    left = (steps - step) / (steps - warm + 1)
    return left if schedule.decay == "linear" else 0.5 * (1 - math.cos(math.pi * left))


def _order(packs: int, seed: int) -> Iterator[int]:
    """Every pack once an epoch, in an order that each epoch has of its own."""
    epoch = 0
    while True:
        yield from random.Random(f"{seed}/{epoch}").sample(range(packs), packs)  # noqa: S311
        epoch += 1
