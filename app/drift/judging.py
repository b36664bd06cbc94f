"""Holds what was decided against the champion's reference. It computes for seconds: call it in a thread.

Every payment is judged by the champion, whichever version decided about it then: after a promotion the new one is
looked at as a whole, at once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from app.drift.sampling import fraud_sample
from app.drift.windows import Decided
from tabular.drift.checking import check
from tabular.drift.concept import Outcomes
from tabular.drift.reference import FILE, load
from tabular.drift.results import Check
from tabular.fraud.features import FraudFeatures
from tabular.fraud.model import load as load_model


def judge_fraud(
    files: Mapping[str, Path], window: Decided, matured: Decided, weeks: int, open_: Collection[tuple[str, str]]
) -> Check:
    """Check a version of the model of fraud, whose files these are, on what it met and on what is known by now.

    Raises `CorruptArtefact` for files that are broken, `InvalidInput` for a model of other features.
    """
    model = load_model(files, FraudFeatures.version, FraudFeatures.names)
    reference = load(files[FILE].read_bytes())
    said, outcomes = (
        model.probabilities(each.vectors) if len(each) else each.vectors[:, 0] for each in (window, matured)
    )
    return check(
        reference,
        fraud_sample(window.at, window.vectors, said),
        Outcomes(matured.at, matured.cards, outcomes, matured.fraud),
        weeks,
        open_=open_,
    )
