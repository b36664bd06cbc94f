"""Does the watch over the model of fraud speak when something changed, and only then?

Three shifts are put into windows that follow the training, each into another one: amounts that inflate, a wave of new
cards, and frauds that stop looking like frauds while nothing else changes. Ten windows have none: those that there
are, and draws from them by card, with all of a card's transactions. A shift's transactions go through the features as
they would in service. How large a shift has to be is tried beside it.

The rule and its bounds (`tabular/drift/findings.py`) were set on what lies before the first of these windows.

`--data` is what the suite `fraud` takes: 45 days to warm up, seven weeks to train on, one for outcomes to become known,
and the weeks after it. Without it, made-up transactions of the same kind (`evals/payments.py`): the demo company's own
are too few for a week to say anything.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console

from app.drift.sampling import fraud_sample
from core.errors import InvalidInput, MissingExtra
from evals.payments import payments
from evals.suite import Options, Scorer, Suite, refuse_foreign
from evals.suites.fraud import handbook_rows
from tabular.drift.results import Finding
from tabular.features import replay
from tabular.fraud.events import DAY, Transaction
from tabular.fraud.examples import Examples, examples
from tabular.fraud.features import DELAY, HORIZON, FraudFeatures
from tabular.fraud.records import fraud_event, history

if TYPE_CHECKING:
    from tabular.drift.reference import Reference
    from tabular.fraud.model import FraudModel

WARM_UP = 45 * DAY
WEEK = 7 * DAY
TRAIN = 7
"""Weeks."""

QUIET = 10

Rows = Sequence[tuple[Transaction, bool]]


@dataclass(frozen=True, slots=True)
class Case:
    """A window. `shift` is what was put into it, or empty; `expected` says what has to be found."""

    id: str
    begin: int
    shift: str = ""
    strength: float = 0.0
    draw: int | None = None
    expected: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shift:
    """A change to the transactions of a window, by its strength, from the generator of random numbers."""

    name: str
    strength: float
    tried: tuple[float, ...]
    expected: tuple[str, ...]
    change: Callable[[Rows, float, np.random.Generator], Rows]


def _inflate(rows: Rows, factor: float, _random: np.random.Generator) -> Rows:
    return [(replace(use, cents=round(use.cents * factor)), fraud) for use, fraud in rows]


def _new_cards(rows: Rows, share: float, random: np.random.Generator) -> Rows:
    """Transactions of so many cards come from cards that nobody has seen."""
    cards = sorted({use.card for use, _ in rows})
    new = {card for card, drawn in zip(cards, random.random(len(cards)).tolist(), strict=True) if drawn < share}
    return [(replace(use, card=f"new-{use.card}") if use.card in new else use, fraud) for use, fraud in rows]


def _disguise(rows: Rows, share: float, random: np.random.Generator) -> Rows:
    """So many of the frauds are ordinary transactions now, and those that looked like frauds are none."""
    frauds = [place for place, (_, fraud) in enumerate(rows) if fraud]
    others = [place for place, (_, fraud) in enumerate(rows) if not fraud]
    count = round(share * len(frauds))
    turned = {*random.permutation(frauds)[:count].tolist(), *random.permutation(others)[:count].tolist()}
    return [(use, fraud != (place in turned)) for place, (use, fraud) in enumerate(rows)]


SHIFTS = (
    Shift("amounts inflate", 1.3, (1.05, 1.1, 1.2, 1.3, 1.5), ("feature",), _inflate),
    Shift("new cards", 0.3, (0.05, 0.1, 0.2, 0.3), ("segment",), _new_cards),
    Shift("frauds change", 0.6, (0.1, 0.2, 0.4, 0.6), ("performance",), _disguise),
)


@dataclass(slots=True)
class Watch:
    """The model with its reference, and everything that a window is made of.

    `tried` is into how many windows each strength of a shift is put.
    """

    rows: Rows
    tried: int
    model: FraudModel
    reference: Reference
    seed: int
    windows: dict[int, Examples] = field(default_factory=dict)

    def check(self, case: Case) -> list[Finding]:
        """What is found in the case's window."""
        from tabular.drift.checking import check
        from tabular.drift.concept import Outcomes

        window = self._window(case)
        scores = self.model.probabilities(window.vectors)
        outcomes = Outcomes(window.at, window.cards, scores, window.fraud)
        found = check(self.reference, fraud_sample(window.at, window.vectors, scores), outcomes)
        if found.unknown:
            raise InvalidInput("; ".join(found.unknown), param="data")
        return list(found.findings)

    def _window(self, case: Case) -> Examples:
        if case.shift:
            shift = next(each for each in SHIFTS if each.name == case.shift)
            random = np.random.default_rng([self.seed, case.begin // DAY])
            end = case.begin + WEEK
            inside = [row for row in self.rows if case.begin <= row[0].at < end]
            changed = shift.change(inside, case.strength, random)
            if all(new[0] == old[0] for new, old in zip(changed, inside, strict=True)):
                # What is known of frauds inside a window comes after it: the features are what they were.
                known = {use.id: fraud for use, fraud in changed}
                plain = self.windows[case.begin]
                return replace(plain, fraud=np.array([known[each] for each in plain.ids.tolist()]))
            before = [row for row in self.rows if case.begin - HORIZON - DELAY <= row[0].at < case.begin]
            return featured([*before, *changed], case.begin, end)
        plain = self.windows[case.begin]
        return plain if case.draw is None else drawn(plain, np.random.default_rng([self.seed, case.draw]))


def featured(rows: Rows, begin: int, end: int) -> Examples:
    """The transactions between two moments with their features, by a replay of all that lie before `end`."""
    events = (fraud_event(each) for each in history(row for row in rows if row[0].at < end))
    pairs = [
        (event, vector)
        for event, vector in replay(
            FraudFeatures(), events, lambda event: isinstance(event, Transaction) and begin <= event.at < end
        )
        if isinstance(event, Transaction)
    ]
    return examples(pairs, {use.id: fraud for use, fraud in rows})


def drawn(window: Examples, random: np.random.Generator) -> Examples:
    """As many cards as there are, drawn with replacement, each with all of its transactions."""
    _, card = np.unique(window.cards, return_inverse=True)
    order = np.argsort(card, kind="stable")
    starts = np.searchsorted(card[order], np.arange(card.max() + 2))
    picks = random.integers(0, card.max() + 1, card.max() + 1)
    taken = [order[starts[pick] : starts[pick + 1]] for pick in picks.tolist()]
    rows = np.concatenate(taken)
    # A card that is drawn twice is two cards.
    owners = np.repeat(np.arange(len(taken)), [len(each) for each in taken]).astype(str)
    return Examples(window.ids[rows], window.at[rows], owners, window.vectors[rows], window.fraud[rows])


@asynccontextmanager
async def open_suite(options: Options) -> AsyncIterator[Suite[Case, list[Finding]]]:
    """The suite on the transactions that `options` names. Raises `MissingExtra`, and `InvalidInput` for bad files."""
    refuse_foreign("drift", options)
    if options.limit is not None:
        raise InvalidInput("the suite drift is read whole: a window is a case", param="limit")
    for package in ("lightgbm", "sklearn"):
        if find_spec(package) is None:
            raise MissingExtra(package, "tabular")
    rows = payments(seed=options.seed) if options.data is None else handbook_rows(options.data)
    tried = 2 if options.data is None else 1
    with Console(stderr=True).status("training the model and its reference") as status:
        watch, begins = _prepare(rows, tried, options.seed)
        status.update("trying how large a shift has to be")
        power = _power(watch, begins)
    plain = [Case(f"quiet {number}", begin) for number, begin in enumerate(begins[:QUIET], start=1)]
    plain += [
        Case(f"quiet {number + 1}, by card", begins[number % len(begins)], draw=number)
        for number in range(len(plain), QUIET)
    ]
    shifted = [
        Case(each.name, begins[place], each.name, each.strength, expected=each.expected)
        for place, each in enumerate(SHIFTS)
    ]

    async def task(case: Case) -> list[Finding]:
        return watch.check(case)

    yield Suite(
        name="drift",
        cases=[*shifted, *plain],
        task=task,
        scorers=[
            Scorer("fired", lambda case, found: float(bool(found)) if case.shift else None),
            Scorer("named", lambda case, found: _named(case, found) if case.shift else None),
            Scorer("quiet", lambda case, found: None if case.shift else float(not found)),
        ],
        details=_details,
        concurrency=1,
        facts={
            "data": f"{len(rows):,} transactions",
            "reference": f"{watch.reference.rows:,} in {watch.reference.weeks} weeks",
            "windows": f"{len(begins)} weeks, {sum(map(len, watch.windows.values())) / len(begins):,.0f} each",
            **power,
            "model": watch.model.sha256[:12],
        },
    )


def _prepare(rows: Rows, tried: int, seed: int) -> tuple[Watch, list[int]]:
    """Train, describe, and give the windows after it by their beginning."""
    # LightGBM and scikit-learn take seconds to import, and may be missing.
    from app.fraud.training import forward, reference_of
    from tabular.fraud.model import train

    begin = rows[0][0].at // DAY * DAY + WARM_UP
    end = begin + TRAIN * WEEK
    last = (rows[-1][0].at + 1 - end - DELAY + DAY // 24) // WEEK
    if last < len(SHIFTS):
        raise InvalidInput(f"{last} windows follow the training: {len(SHIFTS)} are the least", param="data")
    begins = [end + DELAY + number * WEEK for number in range(min(last, QUIET))]
    everything = featured(rows, begin, begins[-1] + WEEK)
    training = everything.where(everything.at < end)
    definition = FraudFeatures()
    model = train(training, definition.version, definition.names, seed=seed)
    reference = reference_of(model, training, forward(training, definition), begin, end)
    windows = {each: everything.where((everything.at >= each) & (everything.at < each + WEEK)) for each in begins}
    return Watch(rows, tried, model, reference, seed, windows), begins


def _power(watch: Watch, begins: Sequence[int]) -> dict[str, str]:
    """For each shift and strength, in how many of the windows it is found."""
    told = {}
    for shift in SHIFTS:
        counts = []
        for strength in shift.tried:
            tried = begins[: watch.tried]
            found = sum(bool(watch.check(Case("", begin, shift.name, strength))) for begin in tried)
            counts.append(f"{strength:g}: {found} of {len(tried)}")
        told[f"found, {shift.name}"] = ", ".join(counts)
    return told


def _named(case: Case, found: Sequence[Finding]) -> float:
    """Whether what was put in is among what was found."""
    return float(all(any(each.about.value == wanted for each in found) for wanted in case.expected))


def _details(case: Case, found: Sequence[Finding]) -> Mapping[str, str]:
    told = "; ".join(f"{each.words} (p {each.p:.1g})" for each in found) or "nothing"
    return {"shift": f"{case.shift} {case.strength:g}" if case.shift else "none", "found": told}
