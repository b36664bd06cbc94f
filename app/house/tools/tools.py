"""Rows that teach a small model to choose one tool and its arguments, or to say that none fits."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from app.house.tools.asking import ask, said
from app.house.tools.sets import Json, Offer, Tool, company, foreign, offer
from app.house.tools.unfit import REFUSAL, requests, small_talk

# How often nothing fits: in a set without a tool that takes any request, in one with such a tool, where only small
# talk is left, and among tools of other domains.
_UNFIT_PLAIN, _UNFIT_GENERIC, _UNFIT_FOREIGN = 0.36, 0.08, 0.32

# What a row without a call is made of: small talk, requests for a tool that is not there, and for the rest requests
# that no tool does.
_SMALL_TALK, _ABSENT = 0.12, 0.65


@dataclass(frozen=True, slots=True)
class ToolRow:
    """A question, the tools offered as OpenAI function definitions, and the right answer: the call of one with its
    arguments, required ones first, or `reply`, words where nothing fits. `template` is what the question was made of.
    """

    question: str
    tools: tuple[Json, ...]
    call: tuple[str, Json] | None
    reply: str
    template: str


def rows(seed: int, count: int, held_out: bool = False) -> Iterator[ToolRow]:
    """`count` rows, the same ones for the same seed; eight to fourteen in a row share their tools.

    Held-out rows are made of templates that no training row uses.
    """
    rng = random.Random(f"tools {seed} {held_out}")  # noqa: S311 - nothing here is secret
    left = count
    while left > 0:
        offered = offer(rng)
        for _ in range(min(left, offered.questions)):
            yield _row(offered, rng, held_out)
        left -= offered.questions


def _row(offered: Offer, rng: random.Random, held_out: bool) -> ToolRow:
    unfit = _UNFIT_FOREIGN if offered.foreign else _UNFIT_GENERIC if offered.generic else _UNFIT_PLAIN
    askable = [each for each in offered.tools if each.templates(held_out)]
    if not askable or rng.random() < unfit:
        return _refused(offered, rng, held_out)
    tool = rng.choice(askable)
    question, arguments, template = ask(tool, rng, held_out)
    return ToolRow(question, offered.definitions, (offered.name_of(tool), arguments), "", template)


def _refused(offered: Offer, rng: random.Random, held_out: bool) -> ToolRow:
    chance = rng.random()
    if offered.generic or chance < _SMALL_TALK:
        template, reply = rng.choice(small_talk(held_out))
        return ToolRow(said(template, rng), offered.definitions, None, reply, template)
    if chance < _ABSENT:
        question, _, template = ask(_absent(offered, rng, held_out), rng, held_out)
    else:
        domains = {each.domain for each in offered.tools}
        groups = [each.templates(held_out) for each in requests() if not domains & each.near]
        template = rng.choice([template for group in groups for template in group])
        question = said(template, rng)
    return ToolRow(question, offered.definitions, None, REFUSAL, template)


def _absent(offered: Offer, rng: random.Random, held_out: bool) -> Tool:
    """A tool for whose requests none of the offered ones would do; mostly of the kind of those that are offered."""
    own, other = (foreign(), company()) if offered.foreign else (company(), foreign())
    absent = [
        [each for each in side if each.templates(held_out) and not any(tool.would_do(each) for tool in offered.tools)]
        for side in (own, other)
    ]
    return rng.choice(absent[0] if absent[0] and rng.random() < 0.75 else absent[1])
