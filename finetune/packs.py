"""Rows packed so that what they have in common is computed once, and none sees another.

Many rows begin alike: the same instructions and tools, or the same passages, and then a question each. A pack is a tree
of depth one. Its trunk is the beginning that its rows share, its branches are the rests. Each token attends to the
trunk and to its own branch, and has the position that it would have in a sequence of its own, so that losses and
gradients are those of the rows one by one (`tests/unit/finetune/test_packs.py` holds that on a model), at a fraction
of the tokens. Rows without anything in common are packed with an empty trunk.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.errors import InvalidInput
from finetune.encoding import Encoded

LEAST = 16
"""Rows that share fewer tokens than this are worth no trunk of their own."""


@dataclass(frozen=True, slots=True)
class Pack:
    """Tokens in one sequence of T.

    `branch` is 0 for the trunk and 1, 2, … for each row's rest; `position` counts within a row; `learned` are the
    places whose next token is learned, and `target` those tokens: row after row, `answers` of them each.
    """

    tokens: tuple[int, ...]
    position: tuple[int, ...]
    branch: tuple[int, ...]
    learned: tuple[int, ...]
    target: tuple[int, ...]
    answers: tuple[int, ...]

    def __len__(self) -> int:
        """How many tokens are read."""
        return len(self.tokens)


def packed(rows: Iterable[Encoded], longest: int) -> list[Pack]:
    """Pack all rows into sequences of at most `longest` tokens, in an order that depends on the rows alone.

    Raises `InvalidInput` for a row that is longer than that, and for one that has no answer to learn.
    """
    packs: list[Pack] = []
    group: list[Encoded] = []
    trunk = 0
    for row in sorted(rows, key=lambda row: (row.prompt, row.answer)):
        if not row.answer:
            raise InvalidInput("a row has no answer to learn", param="data")
        if len(row) > longest:
            raise InvalidInput(f"a row has {len(row)} tokens, and {longest} are the most", param="data")
        # A trunk leaves each branch at least one token of its prompt, so that something comes before its answer.
        shared = min(_common(group[0], row), trunk, len(row.prompt) - 1) if group else len(row.prompt) - 1
        grown = _size([*group, row], shared)
        # A shorter trunk makes the branches longer: sometimes the row is better off in a pack of its own.
        if group and (grown > longest or grown > _size(group, trunk) + len(row)):
            packs.append(_pack(group, trunk))
            group, shared = [], len(row.prompt) - 1
        trunk = shared
        group.append(row)
    return [*packs, _pack(group, trunk)] if group else packs


def _size(rows: Sequence[Encoded], trunk: int) -> int:
    trunk = trunk if trunk >= LEAST else 0
    return trunk + sum(len(row) - trunk for row in rows)


def _common(one: Encoded, other: Encoded) -> int:
    pairs = enumerate(zip(one.prompt, other.prompt, strict=False))
    shortest = min(len(one.prompt), len(other.prompt))
    return next((place for place, (mine, its) in pairs if mine != its), shortest)


def _pack(rows: Sequence[Encoded], trunk: int) -> Pack:
    if trunk < LEAST:
        trunk = 0
    tokens = [*rows[0].prompt[:trunk]]
    position, branch = [*range(trunk)], [0] * trunk
    learned: list[int] = []
    target: list[int] = []
    for number, row in enumerate(rows, start=1):
        # The last token of the answer is predicted and never read.
        rest = (*row.prompt[trunk:], *row.answer[:-1])
        first = len(tokens) + len(row.prompt) - trunk - 1
        learned += range(first, first + len(row.answer))
        target += row.answer
        tokens += rest
        position += range(trunk, trunk + len(rest))
        branch += [number] * len(rest)
    return Pack(
        tuple(tokens),
        tuple(position),
        tuple(branch),
        tuple(learned),
        tuple(target),
        tuple(len(row.answer) for row in rows),
    )
