import dataclasses

import numpy as np
import pytest

from core.errors import InvalidInput
from tabular.tasks.correcting import correct
from tabular.tasks.encoding import labels
from tabular.tasks.learners import fit_linear
from tabular.tasks.schema import Table
from tabular.tasks.training import Trained, train
from tests.unit.tabular.tasks.making import LOAN, loans, rows, table, task


def test_a_model_is_chosen_measured_and_described(churn: Trained) -> None:
    # The made-up odds are a line: trees cannot be ahead by more than chance.
    assert churn.model.learner.kind == "linear"
    assert churn.lead.low <= 0
    assert churn.choice.startswith("The interpretable model was taken")
    assert churn.figures["auc"].low > 0.7
    assert churn.figures["calibration-error"].value < 0.08
    assert churn.metrics["fairness/gender/selection-ratio"].limit == 0.8
    assert churn.metrics["test/brier"].lower_is_better
    assert len(churn.target) == churn.tested.sum() == pytest.approx(500, abs=2)


def test_nothing_of_a_test_row_is_met_in_training(churn: Trained, churn_table: Table) -> None:
    rows = list(zip(*churn_table.columns.values(), strict=True))
    kept = {row for row, out in zip(rows, churn.tested, strict=True) if not out}
    assert not kept & {row for row, out in zip(rows, churn.tested, strict=True) if out}


def test_equal_tables_give_equal_models() -> None:
    columns, target = loans(500)
    made = [train(task(), table(columns, target.tolist())) for _ in range(2)]
    assert made[0].model.sha256 == made[1].model.sha256
    assert made[0].metrics == made[1].metrics


def test_too_few_rows_are_refused() -> None:
    columns, target = loans(150)
    with pytest.raises(InvalidInput, match="100 of each are the least"):
        train(task(), table(columns, target.tolist()))


def test_trees_are_taken_where_they_are_ahead() -> None:
    columns, _ = loans(900)
    # Owners pay when old, others when young: no line says that.
    target = [
        (age is not None and int(age) > 54) == (owner == "Yes")
        for age, owner in zip(columns["age"], columns["owner"], strict=True)
    ]
    found = train(task(protected=()), table(columns, target))
    assert found.model.learner.kind == "trees"
    assert found.lead.low > 0
    assert found.choice.startswith("The trees were taken")


def test_a_correction_evens_out_decisions_on_rows_held_out() -> None:
    columns, _ = loans(2000)
    encoding, learned = rows(2000)
    # The model does not see sex, but home gives it away.
    seen = dataclasses.replace(LOAN["protected"][0], seen=True)
    fair = task(protected=(seen,))
    encoding = type(encoding).learned(fair, columns)
    learned = dataclasses.replace(learned, matrix=encoding.matrix(columns))
    plain = fit_linear(learned, encoding)
    found = correct(fair, learned, plain, columns)
    assert found.steps > 0
    of = labels(fair, seen, columns)

    def ratio(margins: np.ndarray) -> float:
        # As many are selected as there are positives, whichever way the margins were shifted.
        chosen = margins >= np.quantile(margins, 1 - learned.target.mean())
        women, men = chosen[of == "F"].mean(), chosen[of == "M"].mean()
        return float(min(women, men) / max(women, men))

    assert ratio(plain.held_out) < 0.7
    assert ratio(found.fitted.held_out) > 0.85


def test_without_limits_on_selection_nothing_is_corrected() -> None:
    columns, _ = loans()
    encoding, learned = rows()
    plain = fit_linear(learned, encoding)
    found = correct(task(protected=()), learned, plain, columns)
    assert (found.fitted, found.steps) == (plain, 0)
