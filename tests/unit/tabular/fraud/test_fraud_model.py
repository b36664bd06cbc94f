"""The trained model on made transactions: additive, reproducible, bound to its features; decisions and reasons."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from core.errors import CorruptArtefact, InvalidInput
from tabular.features import replay
from tabular.fraud.costs import Band
from tabular.fraud.events import DAY, Transaction
from tabular.fraud.examples import Examples, Split, examples, split
from tabular.fraud.features import FraudFeatures
from tabular.fraud.measures import Day, average_precision
from tabular.fraud.model import FraudModel, load, train
from tabular.fraud.reasons import reasons
from tabular.fraud.records import fraud_event, history
from tabular.fraud.rules import Rules
from tabular.fraud.scoring import Scorer
from tests.unit.tabular.fraud.making import BEGIN, made

FEATURES = FraudFeatures()


@pytest.fixture(scope="module")
def rows() -> Examples:
    transactions = made(6_000)
    replayed = replay(FEATURES, map(fraud_event, history(transactions)), lambda each: isinstance(each, Transaction))
    return examples(
        ((event, vector) for event, vector in replayed if isinstance(event, Transaction)),
        {each.id: fraud for each, fraud in transactions},
    )


@pytest.fixture(scope="module")
def model(rows: Examples) -> FraudModel:
    return train(rows.where(rows.at < BEGIN + 80 * DAY), FEATURES.version, FEATURES.names)


def test_it_tells_frauds_that_it_has_not_seen(rows: Examples, model: FraudModel) -> None:
    later = rows.where(rows.at >= BEGIN + 90 * DAY)
    day = Day(later.cards.tolist(), model.probabilities(later.vectors).tolist(), later.fraud.tolist())
    assert average_precision([day]) > 4 * later.fraud.mean()


def test_the_shares_add_up_to_the_log_odds(rows: Examples, model: FraudModel) -> None:
    constants = []
    for vector in rows.vectors[::50]:
        probability, shares = model.odds(vector)
        assert shares.shape == (len(FEATURES.names),)
        odds = math.log(probability / (1 - probability))
        constants.append(odds - shares.sum())
        assert probability == pytest.approx(float(model.probabilities(vector[None])[0]), abs=1e-9)
    # What is left is the same for every transaction: the log odds before anything is known of it.
    assert constants == pytest.approx([constants[0]] * len(constants), abs=1e-6)
    assert constants[0] < 0


def test_equal_rows_give_equal_trees(rows: Examples, model: FraudModel) -> None:
    again = train(rows.where(rows.at < BEGIN + 80 * DAY), FEATURES.version, FEATURES.names)
    assert again.sha256 == model.sha256


def test_it_is_read_as_it_was_written(rows: Examples, model: FraudModel, tmp_path: Path) -> None:
    files = model.save(tmp_path)
    again = load(files, FEATURES.version, FEATURES.names)
    assert again.sha256 == model.sha256
    np.testing.assert_array_equal(again.probabilities(rows.vectors), model.probabilities(rows.vectors))
    with pytest.raises(InvalidInput, match=r"fraud-1.*fraud-2"):
        load(files, "fraud-2", FEATURES.names)


@pytest.mark.parametrize(("file", "content"), [("card.json", "{"), ("card.json", "[]"), ("model.txt", "tree\nnothing")])
def test_a_broken_file_is_told_by_name(model: FraudModel, tmp_path: Path, file: str, content: str) -> None:
    files = model.save(tmp_path)
    files[file].write_text(content)
    with pytest.raises(CorruptArtefact, match="no model of fraud"):
        load(files, FEATURES.version, FEATURES.names)


def test_training_takes_both_kinds(rows: Examples) -> None:
    with pytest.raises(InvalidInput, match="frauds and others"):
        train(rows.where(~rows.fraud), FEATURES.version, FEATURES.names)


def test_the_split_leaves_out_cards_that_are_known(rows: Examples) -> None:
    dates = Split(BEGIN + 50 * DAY)
    training, tests = split(rows, dates)
    assert training.at.min() >= dates.start
    assert training.at.max() < dates.start + 7 * DAY
    known = set(training.cards[training.fraud].tolist())
    assert len(tests) == 7
    for number, day in enumerate(tests):
        assert day.at.min() >= dates.start + (14 + number) * DAY
        assert not known & set(day.cards.tolist())
        # Frauds of the day before the delay become known on the next morning.
        new = (rows.at >= dates.start + (7 + number) * DAY) & (rows.at < dates.start + (8 + number) * DAY) & rows.fraud
        known |= set(rows.cards[new].tolist())
    with pytest.raises(InvalidInput, match="no fraud"):
        split(rows.where(~rows.fraud), dates)
    with pytest.raises(InvalidInput, match="day 1 of the test"):
        split(rows.where(rows.at < BEGIN + 60 * DAY), dates)


def test_a_decision_says_why(rows: Examples, model: FraudModel) -> None:
    worst = int(model.probabilities(rows.vectors).argmax())
    _, shares = model.odds(rows.vectors[worst])
    found = reasons(FEATURES.names, rows.vectors[worst], shares)
    assert 1 <= len(found) <= 3
    assert [each.weight for each in found] == sorted((each.weight for each in found), reverse=True)
    assert all(each.weight > 0 for each in found)
    assert found[0].weight == shares.max()


def test_every_feature_has_words() -> None:
    vector = np.full(len(FEATURES.names), 2.0)
    for place in range(len(FEATURES.names)):
        shares = np.zeros(len(FEATURES.names))
        shares[place] = 1.0
        (reason,) = reasons(FEATURES.names, vector, shares)
        assert reason.feature == FEATURES.names[place]
        (unknown,) = reasons(FEATURES.names, np.full(len(FEATURES.names), np.nan), shares)
        assert unknown.value is None
        assert unknown.text.endswith("is not known")


def test_without_a_model_the_rules_decide() -> None:
    scorer = Scorer(None, Rules(most_cents=5_000))
    decision = scorer.decide(FEATURES.start(), Transaction("T", BEGIN, "C", "P", 6_000))
    assert (decision.band, decision.probability, decision.model) == (Band.REVIEW, None, None)
    assert [each.feature for each in decision.reasons] == ["large_amount"]


def test_a_decision_has_what_it_rests_on(rows: Examples, model: FraudModel) -> None:
    scorer = Scorer(model, Rules())
    decision = scorer.decide(FEATURES.start(), Transaction("T", BEGIN, "C", "P", 9_000_00))
    assert decision.model == model.sha256
    assert decision.features == FEATURES.version
    assert decision.probability == pytest.approx(float(model.probabilities(decision.vector[None])[0]))
