"""Learning a calibration, on margins of rows that the model behind them was not trained on.

A sigmoid (Platt 1999) or a rising staircase (isotonic regression: Zadrozny and Elkan 2002).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from tabular.tasks.calibration import Calibration
from tabular.tasks.encoding import Bools, Floats
from tabular.tasks.measures import log_loss


def fit(margins: Floats, target: Bools, folds: npt.NDArray[np.int64]) -> Calibration:
    """Learn either, and take the one with the lower log loss on folds that it was not learned on.

    `margins` are of rows that the model behind them was not trained on.
    """
    losses = {}
    for kind, learn in _KINDS.items():
        judged = np.empty_like(margins)
        for fold in np.unique(folds):
            out = folds == fold
            judged[out] = learn(margins[~out], target[~out]).probabilities(margins[out])
        losses[kind] = log_loss(judged, target)
    return _KINDS[min(losses, key=losses.__getitem__)](margins, target)


def sigmoid(margins: Floats, target: Bools) -> Calibration:
    """A line through the log odds."""
    model = LogisticRegression(C=np.inf).fit(margins[:, None], target)
    slope, offset = max(float(model.coef_[0, 0]), 1e-6), float(model.intercept_[0])
    return Calibration("sigmoid", (-1.0, 1.0), (offset - slope, offset + slope))


def _isotonic(margins: Floats, target: Bools) -> Calibration:
    # No probability is surer than a row more on the other side would leave it.
    least = 1 / (len(target) + 2)
    model = IsotonicRegression(y_min=least, y_max=1 - least, out_of_bounds="clip").fit(margins, target)
    share = model.y_thresholds_.astype(np.float64)
    return Calibration("isotonic", tuple(model.X_thresholds_.tolist()), tuple(np.log(share / (1 - share)).tolist()))


_KINDS = {"sigmoid": sigmoid, "isotonic": _isotonic}
