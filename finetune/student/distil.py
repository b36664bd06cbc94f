"""Trains a student on what a teacher thinks of many texts (Hinton et al. 2015).

The first layer reads a text's vector of `core.hashing`, a few hundred of 4,096 places, as a weighted sum of rows: the
same numbers as a dense layer's, at a tenth of the time. Beside the heads a third layer learns the teacher's embedding
of the text, because what words mean is more than their labels tell; it is thrown away afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from core.hashing import Hashing
from core.studentcard import Head
from finetune.student.weights import StudentWeights

Floats = NDArray[np.float32]
Progress = Callable[[int, int, float], None]


@dataclass(frozen=True, slots=True)
class Lesson:
    """Texts (n), for each head what the teacher thinks of them (n, columns of the head), and its embeddings (n, d).

    What it thinks are probabilities; a row of zeros says nothing. Without `vectors` only the heads are learned.
    """

    texts: Sequence[str]
    targets: Mapping[str, Floats]
    vectors: Floats | None = None


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast: AdamW on one cycle of the learning rate, `peak` after a tenth of the steps.

    `likeness` weighs the loss of the embedding (one less the cosine) against the heads' cross-entropies, which are
    summed. `dropout` is that of the inner layer.
    """

    width: int = 88
    epochs: int = 8
    batch: int = 128
    peak: float = 3e-3
    decay: float = 1e-4
    dropout: float = 0.3
    likeness: float = 1.0


class _Net(nn.Module):  # type: ignore[misc]
    def __init__(self, buckets: int, columns: int, dimensions: int, schedule: Schedule) -> None:
        super().__init__()
        # A vector has length one and more than a hundred places: this keeps the inner layer near one.
        self.body = nn.Parameter(torch.randn(buckets, schedule.width) * 0.1)
        self.body_bias = nn.Parameter(torch.zeros(schedule.width))
        self.heads = nn.Linear(schedule.width, columns)
        self.meaning = nn.Linear(schedule.width, dimensions)
        self.dropout = nn.Dropout(schedule.dropout)

    def forward(self, rows: _Rows) -> tuple[torch.Tensor, torch.Tensor]:
        summed = functional.embedding_bag(
            rows.places, self.body, rows.starts, mode="sum", per_sample_weights=rows.weights
        )
        inner = self.dropout(functional.relu(summed + self.body_bias))
        return self.heads(inner), self.meaning(inner)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Sparse vectors, one behind the other: places, their weights, and where each vector starts."""

    places: torch.Tensor
    weights: torch.Tensor
    starts: torch.Tensor


class _Vectors:
    """The hashed texts, kept sparse: dense they would take 16 kB each."""

    def __init__(self, hashing: Hashing, texts: Sequence[str]) -> None:
        self._rows: list[tuple[NDArray[np.int64], Floats]] = []
        for text in texts:
            vector = hashing.vector(text)
            places = np.flatnonzero(vector)
            self._rows.append((places, vector[places]))

    def at(self, chosen: NDArray[np.int64]) -> _Rows:
        rows = [self._rows[place] for place in chosen.tolist()]
        starts = np.cumsum([0, *(len(places) for places, _ in rows[:-1])])
        return _Rows(
            torch.from_numpy(np.concatenate([places for places, _ in rows])),
            torch.from_numpy(np.concatenate([weights for _, weights in rows])),
            torch.from_numpy(starts),
        )


def distil(
    lesson: Lesson,
    heads: Sequence[Head],
    hashing: Hashing,
    schedule: Schedule = Schedule(),
    *,
    seed: int = 0,
    progress: Progress = lambda _done, _all, _loss: None,
) -> StudentWeights:
    """Train a student of the heads; `progress` is told the epochs done and all, and the last one's mean loss.

    On one thread of one machine, equal lessons and seeds give equal weights. Raises `ValueError` for a lesson without
    texts, or whose targets are not of the heads' shapes.
    """
    if not lesson.texts:
        raise ValueError("there is nothing to learn from")
    targets = np.concatenate([_targets(lesson, head) for head in heads], axis=1)
    dimensions = 0 if lesson.vectors is None else lesson.vectors.shape[1]
    vectors = _Vectors(hashing, lesson.texts)
    with _seeded(seed):
        net = _Net(hashing.buckets, targets.shape[1], max(1, dimensions), schedule)
        _train(net, vectors, lesson, torch.from_numpy(targets), heads, schedule, seed, progress)
    found = [net.body, net.body_bias, net.heads.weight.T, net.heads.bias]
    return StudentWeights(*(parameter.detach().contiguous().numpy().copy() for parameter in found))


def _train(
    net: _Net,
    vectors: _Vectors,
    lesson: Lesson,
    targets: torch.Tensor,
    heads: Sequence[Head],
    schedule: Schedule,
    seed: int,
    progress: Progress,
) -> None:
    meanings = None if lesson.vectors is None else torch.from_numpy(lesson.vectors)
    widths = [head.columns for head in heads]
    count = len(lesson.texts)
    batches = -(-count // schedule.batch)
    optimizer = torch.optim.AdamW(net.parameters(), lr=schedule.peak, weight_decay=schedule.decay)
    rate = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, schedule.peak, total_steps=schedule.epochs * batches, pct_start=0.1
    )
    order = np.random.default_rng(seed)
    net.train()
    for epoch in range(schedule.epochs):
        total = 0.0
        for chosen in np.array_split(order.permutation(count), batches):
            logits, meaning = net(vectors.at(chosen))
            wanted = targets[chosen]
            loss = sum(
                (
                    functional.cross_entropy(own, right, reduction="sum")
                    for own, right in zip(torch.split(logits, widths, 1), torch.split(wanted, widths, 1), strict=True)
                ),
                torch.zeros(()),
            ) / len(chosen)
            if meanings is not None:
                likeness = functional.cosine_similarity(meaning, meanings[chosen])
                loss = loss + schedule.likeness * (1 - likeness).mean()
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            rate.step()
            total += float(loss.detach()) * len(chosen)
        progress(epoch + 1, schedule.epochs, total / count)


def _targets(lesson: Lesson, head: Head) -> Floats:
    targets = lesson.targets.get(head.name)
    if targets is None or targets.shape != (len(lesson.texts), head.columns):
        raise ValueError(f"the head {head.name} needs targets of shape ({len(lesson.texts)}, {head.columns})")
    return targets.astype(np.float32)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """One thread and a seed within; what was set before comes back. Threads that share products this small wait."""
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.set_rng_state(state)
