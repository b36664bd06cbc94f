"""What does it cost to learn from devices that keep their rows, and to promise each of them privacy?

A fifth of the rows is the test. The others are dealt out to devices that differ in size and in their answers; these
train under a budget by the library's own arithmetic, five times with other samples and other noise: once as they should
and once with devices that never answer and devices that attack. Beside it stands a logistic regression on all their
rows in one place, without any privacy. A case is a row of the test; its score is the share of the trainings that got it
right, so that a difference is one of the same rows.

`--data` is the Adult table (`adult.csv[.gz]` or its folder). Without it, a table made from a seed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from core.errors import InvalidInput, MissingExtra
from evals.federation import Course, Trouble, scattered, simulate
from evals.suite import Options, Pooled, Scorer, Suite, refuse_foreign
from evals.suites.adult import TASK, read_adult
from tabular.federated.aggregate import settled
from tabular.federated.model import accuracy, hits
from tabular.federated.plan import Plan
from tabular.federated.task import Category, Floats, Label, Number, Rows, Task

TRAININGS = 5
TROUBLE = Trouble(silent=0.2, poisoned=0.05)
ALIKE = 1.0
TOLD = (1, 2, 5, 10, 20, 30, 40, 50, 60)
"""The rounds after which epsilon and accuracy are told."""

_TEST = 0.2


@dataclass(frozen=True, slots=True)
class Case:
    """A row of the test."""

    id: str
    place: int


@dataclass(frozen=True, slots=True)
class Result:
    """Of each way to learn, the share of its models that get the row right; `guess` says always the commoner answer."""

    rough: float
    calm: float
    central: float
    guess: float


@dataclass(frozen=True, slots=True)
class Trained:
    """The trainings, and what they came to on the test."""

    calm: list[Course]
    rough: list[Course]
    central: Floats
    noise: float
    spent: list[float]


def plan_for(devices: int) -> Plan:
    """The terms for so many devices.

    Chosen among eight on a fifth of the Adult rows that the devices have, never on the test's. The budget is 2, where
    8 is common; delta is the usual bound of N^-1.1.
    """
    return Plan(
        epsilon=2.0,
        delta=devices**-1.1,
        rounds=60,
        population=devices,
        share=0.1,
        clip=1.0,
        rate=1.0,
        epochs=3,
    )


@asynccontextmanager
async def open_suite(options: Options) -> AsyncIterator[Suite[Case, Result]]:
    """The suite on the table that `options` names. Raises `MissingExtra`, and `InvalidInput` for bad files."""
    refuse_foreign("federated", options)
    if options.limit is not None:
        raise InvalidInput("the suite federated is read whole: its rows are dealt out to devices", param="limit")
    for package, name in (("dp_accounting", "dp-accounting"), ("sklearn", "scikit-learn")):
        if find_spec(package) is None:
            raise MissingExtra(name, "tabular")
    rows, devices = await asyncio.to_thread(_read, options.data)
    order = np.random.default_rng(0).permutation(len(rows))
    cut = int(len(rows) * _TEST)
    test, rest = _part(rows, order[:cut]), _part(rows, order[cut:])
    dealt = scattered(rest, devices, seed=1, alike=ALIKE)
    plan = plan_for(devices)
    trained = await asyncio.to_thread(_train, dealt, rest, plan, options.seed)
    calm, rough = (
        np.stack([hits(settled(course.models), test) for course in courses])
        for courses in (trained.calm, trained.rough)
    )
    central = hits(trained.central, test)
    guess = (test.labels == float(rest.labels.mean() > 0.5)).astype(np.float64)

    async def task(case: Case) -> Result:
        at = case.place
        return Result(float(rough[:, at].mean()), float(calm[:, at].mean()), float(central[at]), float(guess[at]))

    sizes = np.asarray([len(each) for each in dealt])
    yield Suite(
        name="federated",
        cases=[Case(f"row {place}", place) for place in range(len(test))],
        task=task,
        scorers=[
            Scorer("accuracy", lambda _, out: out.rough),
            Scorer("accuracy_without_trouble", lambda _, out: out.calm),
            Scorer("accuracy_central", lambda _, out: out.central),
            Scorer("accuracy_of_guessing", lambda _, out: out.guess),
            Scorer("gain_over_central", lambda _, out: out.rough - out.central),
            Scorer("gain_over_central_without_trouble", lambda _, out: out.calm - out.central),
        ],
        pooled=[
            Pooled("epsilon", lambda _: trained.spent[-1]),
            Pooled("accuracy of the worst training", lambda _: float(rough.mean(axis=1).min())),
        ],
        details=_details,
        facts={
            "data": options.data.name if options.data else "a table made from a seed",
            "devices": f"{devices:,} with {sizes.min()} to {sizes.max()} rows, {np.median(sizes):.0f} in the median",
            "terms": f"epsilon {plan.epsilon:g} at delta {plan.delta:.2g}, {plan.rounds} rounds, a share of "
            f"{plan.share:g} in each, clip {plan.clip:g}, noise multiplier {trained.noise:.3f}",
            "epsilon by round": ", ".join(f"{at}: {trained.spent[at - 1]:.3f}" for at in TOLD),
            "accuracy by round": ", ".join(f"{at}: {_after(trained.rough, at, test):.3f}" for at in TOLD),
            "trouble": f"{TROUBLE.silent:.0%} of the drawn never answer, {TROUBLE.poisoned:.0%} of the devices attack",
            "updates a round": f"{_answered(trained.calm):.0f}, with trouble {_answered(trained.rough):.0f}",
        },
    )


def _train(dealt: list[Rows], rest: Rows, plan: Plan, seed: int) -> Trained:
    # Both take seconds to import, and may be missing.
    from sklearn.linear_model import LogisticRegression

    from tabular.federated.accounting import epsilon, noise_for

    noise = noise_for(plan)
    seeds = range(1000 * seed, 1000 * seed + TRAININGS)
    calm = [simulate(dealt, plan, noise, each) for each in seeds]
    rough = [simulate(dealt, plan, noise, each, TROUBLE) for each in seeds]
    # The first feature is always 1: it is the intercept.
    central = LogisticRegression(fit_intercept=False, max_iter=2000).fit(rest.features, rest.labels)
    spent = [epsilon(plan.share, noise, rounds, plan.delta) for rounds in range(1, plan.rounds + 1)]
    return Trained(calm, rough, np.asarray(central.coef_[0], dtype=np.float64), noise, spent)


def _read(data: Path | None) -> tuple[Rows, int]:
    if data is None:
        return made_table(12_000, seed=0), 1_000
    return TASK.rows(read_adult(data)), 2_000


MADE = Task(
    numbers=(Number(column="orders", low=0, high=60, log=True), Number(column="age", low=18, high=98)),
    categories=(
        Category(column="channel", values=("app", "web", "shop")),
        Category(column="interest", values=tuple("tents boots stoves packs ropes maps".split())),
    ),
    label=Label(column="renews", value="yes"),
)


def made_table(count: int, seed: int) -> Rows:
    """Customers of whom a club would like to know whether they renew: the odds are linear, the answers are drawn."""
    rng = np.random.default_rng(seed)
    orders, ages = rng.geometric(0.12, count), rng.uniform(18, 98, count)
    channels, interests = rng.choice(MADE.categories[0].values, count), rng.choice(MADE.categories[1].values, count)
    liking = dict(zip(MADE.categories[1].values, (1.2, 0.6, 0.0, -0.3, -0.8, -1.4), strict=True))
    odds = (
        1.4 * (np.log1p(orders) - 2) - 0.02 * (ages - 58) + (channels == "app") + [liking[each] for each in interests]
    )
    renews = rng.random(count) < 1 / (1 + np.exp(-odds))
    return MADE.rows(
        [
            {
                "orders": str(order),
                "age": str(age),
                "channel": channel,
                "interest": interest,
                "renews": "yes" if yes else "no",
            }
            for order, age, channel, interest, yes in zip(orders, ages, channels, interests, renews, strict=True)
        ]
    )


def _part(rows: Rows, places: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Rows:
    return Rows(rows.features[places], rows.labels[places])


def _after(courses: list[Course], rounds: int, test: Rows) -> float:
    """What would have been published had the training ended there."""
    return float(np.mean([accuracy(settled(each.models[:rounds]), test) for each in courses]))


def _answered(courses: list[Course]) -> float:
    return float(np.mean([each.answered for each in courses]))


def _details(case: Case, out: Result) -> Mapping[str, str]:
    return {
        "right with trouble": f"{out.rough:.0%} of the trainings",
        "right without": f"{out.calm:.0%}",
        "right in one place": "yes" if out.central else "no",
    }
