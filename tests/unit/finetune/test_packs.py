"""Packing is worth something only if it changes nothing: losses and gradients are those of the rows one by one."""

from __future__ import annotations

import random

import pytest
import torch
from torch.nn.functional import cross_entropy

from core.errors import InvalidInput
from finetune.encoding import Encoded
from finetune.packs import Pack, packed
from finetune.training import model_input
from tests.fakes.tiny import tuned_model


def _rows(trunk: int, rows: int, seed: int = 0) -> list[Encoded]:
    chance = random.Random(seed)
    shared = tuple(chance.choices(range(2, 256), k=trunk))
    return [
        Encoded(
            (*shared, *chance.choices(range(2, 256), k=chance.randint(2, 9))),
            (*chance.choices(range(2, 256), k=chance.randint(1, 6)), 1),
        )
        for _ in range(rows)
    ]


def _summed(packs: list[Pack]) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    model = tuned_model()
    model.train()
    loss = torch.zeros(())
    for pack in packs:
        logits = model(**model_input(pack, torch.device("cpu"))).logits[0]
        loss = loss + cross_entropy(logits, torch.tensor(pack.target), reduction="sum")
    torch.autograd.backward(loss)
    return loss.detach(), {name: each.grad for name, each in model.named_parameters() if each.grad is not None}


@pytest.mark.parametrize("trunk", [0, 40])
def test_a_pack_has_the_losses_and_gradients_of_its_rows(trunk: int) -> None:
    rows = _rows(trunk, 7)
    together = packed(rows, 400)
    apart = [pack for row in rows for pack in packed([row], 400)]
    assert len(together) == 1
    assert len(apart) == 7
    loss, gradients = _summed(together)
    expected, each_gradient = _summed(apart)
    assert torch.allclose(loss, expected, rtol=1e-5)
    assert gradients.keys() == each_gradient.keys() != set()
    for name, gradient in gradients.items():
        assert torch.allclose(gradient, each_gradient[name], atol=1e-4), name


def test_what_rows_share_is_read_once() -> None:
    rows = _rows(100, 10)
    (pack,) = packed(rows, 1000)
    assert len(pack) == 100 + sum(len(row) - 100 - 1 for row in rows)
    assert sorted(pack.answers) == sorted(len(row.answer) for row in rows)


def test_rows_of_two_beginnings_are_not_mixed_at_the_cost_of_both() -> None:
    packs = packed([*_rows(100, 5, seed=1), *_rows(100, 5, seed=2)], 1000)
    assert [len(pack.answers) for pack in packs] == [5, 5]


def test_no_pack_is_longer_than_allowed_and_no_row_is_lost() -> None:
    rows = [row for seed in range(9) for row in _rows(30 if seed % 2 else 0, 11, seed)]
    packs = packed(rows, 120)
    assert max(map(len, packs)) <= 120
    assert sum(len(pack.answers) for pack in packs) == len(rows)
    assert sum(len(pack.target) for pack in packs) == sum(len(row.answer) for row in rows)


def test_equal_rows_in_another_order_are_packed_alike() -> None:
    rows = _rows(20, 12)
    assert packed(rows, 150) == packed(rows[::-1], 150)


def test_a_row_that_does_not_fit_or_teaches_nothing_is_refused() -> None:
    with pytest.raises(InvalidInput, match="65 tokens, and 64"):
        packed([Encoded(tuple(range(2, 62)), (3, 4, 5, 6, 1))], 64)
    with pytest.raises(InvalidInput, match="no answer"):
        packed([Encoded((2, 3), ())], 64)
