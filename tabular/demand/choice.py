"""How much each candidate counts for each series: forecasts of origins in the past decide, the later ones unseen.

Every candidate foretells `windows` stretches of one horizon each, the last ending with the history; each from what came
before it alone (rolling origin: L. Tashman, International Journal of Forecasting 16, 2000). A series' forecast is the
mean of the candidates' weighted by a power of their errors there, so that a clear best one stands nearly alone and
equals share: combinations of few, chosen ones beat the choice of one (J. Bates, C. Granger 1969; M4).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tabular.demand import measures
from tabular.demand.series import Kind

if TYPE_CHECKING:
    from tabular.demand.candidates import Model

Floats = NDArray[np.float64]

SHARPNESS = 4
"""The power. Four and eight did equally well in rolling origins of M4 hourly's training part, one and two worse."""

PANEL_SHARPNESS = 16
"""That of errors that a whole panel shares: they are known well. On stock of an earlier stretch (docs/forecasting.md)
sixteen and thirty-two did equally well, and four worse."""


def rolling(models: Sequence[Model], panel: Sequence[Floats], horizon: int, windows: int) -> tuple[Floats, Floats]:
    """Forecasts (series, windows, candidates, horizon) and what came (series, windows, horizon); oldest window first.

    Forecasts below zero are taken for zero. Series have to be long enough for their first window.
    """
    forecasts, actuals = [], []
    for back in range(windows, 0, -1):
        cuts = [len(values) - back * horizon for values in panel]
        known = [values[:cut] for values, cut in zip(panel, cuts, strict=True)]
        forecasts.append(together(models, known, horizon))
        actuals.append(np.stack([values[cut : cut + horizon] for values, cut in zip(panel, cuts, strict=True)]))
    return np.stack(forecasts, axis=1), np.stack(actuals, axis=1)


def together(models: Sequence[Model], panel: Sequence[Floats], horizon: int) -> Floats:
    """Every candidate's forecasts (series, candidates, horizon), none below zero."""
    found = np.stack([np.stack(model.forecast(panel, horizon)) for model in models], axis=1)
    return np.maximum(found, 0.0)


def errors(kind: Kind, forecasts: Floats, actuals: Floats, histories: Sequence[Floats], season: int) -> Floats:
    """One error for each series, window and candidate; infinite where a forecast is not finite.

    Regular demand is judged as M4 does, half by sMAPE and half by MASE, each in units of what the first candidate (the
    seasonal naive one) errs over the panel. Intermittent demand is judged by RMSSE (`measures.rmsse` says why).
    `histories` end before the first window.
    """
    wanted = actuals[:, :, None]
    with np.errstate(invalid="ignore"):
        if kind == "intermittent":
            scales = np.array([measures.square_scale(values) for values in histories])
            found = measures.rmsse(wanted, forecasts, scales[:, None, None])
        else:
            scales = np.array([measures.absolute_scale(values, season) for values in histories])
            parts = (measures.smape(wanted, forecasts), measures.mase(wanted, forecasts, scales[:, None, None]))
            found = sum((_relative(each) for each in parts), np.zeros(forecasts.shape[:3])) / 2
    return np.where(np.isfinite(found), found, np.inf)


def pooled(forecasts: Floats, actuals: Floats, histories: Sequence[Floats], block: int) -> Floats:
    """RMSSE of sums of `block` steps, for each series, window and candidate: the panel's mean, alike for all series.

    A sum of weeks is what stock is kept for, and three of them say too little of one series to choose by. Steps behind
    the last whole block are not judged. Infinite where a forecast of any series is not finite.
    """
    steps = actuals.shape[-1] // block * block
    wanted, found = (each[..., :steps].reshape(*each.shape[:-1], -1, block).sum(-1) for each in (actuals, forecasts))
    scales = np.array([_block_scale(values, block) for values in histories])
    with np.errstate(invalid="ignore"):
        own = measures.rmsse(wanted[:, :, None], found, scales[:, None, None])
    own = np.where(np.isfinite(own), own, np.inf)
    return np.broadcast_to(own.mean(axis=0, keepdims=True), own.shape)


def _block_scale(history: Floats, block: int) -> float:
    """RMSSE's unit for sums of so many steps. Without two in the history that of steps, as if these came alone."""
    sums = history[len(history) % block :].reshape(-1, block).sum(axis=1)
    return measures.square_scale(sums) if len(sums) > 1 else measures.square_scale(history) * block**0.5


def held_out(errors: Floats, sharpness: float = SHARPNESS) -> Floats:
    """Shares (series, windows, candidates) for each window from the errors of the others, or from its own if alone.

    What is judged by them has not chosen them: errors made with shares that saw them are too small.
    """
    windows = errors.shape[1]
    if windows == 1:
        return weights(errors[:, 0], sharpness)[:, None]
    rest = [np.delete(errors, window, axis=1).mean(axis=1) for window in range(windows)]
    return np.stack([weights(each, sharpness) for each in rest], axis=1)


def _relative(errors: Floats) -> Floats:
    reference = float(errors[..., 0].mean())
    return errors / reference if np.isfinite(reference) and reference > 0 else errors


def weights(errors: Floats, sharpness: float = SHARPNESS) -> Floats:
    """Shares (series, candidates) that sum to one, from errors of the same shape.

    A candidate without an error anywhere shares with none but its like; where all are infinite the first stands alone.
    """
    least: Floats = np.min(errors, axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.asarray(np.where(least > 0, (least / errors) ** sharpness, errors == 0), np.float64)
    share = np.nan_to_num(share, nan=0.0)
    share[np.isinf(errors).all(axis=1), 0] = 1.0
    found: Floats = share / share.sum(axis=1, keepdims=True)
    return found


def combine(forecasts: Floats, shares: Floats) -> Floats:
    """Weighted means over the candidates, the axis before the last. What is not finite leaves its share to the rest."""
    able = np.asarray(np.isfinite(forecasts).all(axis=-1), np.bool_)
    kept = np.where(able, shares, 0.0)
    total = kept.sum(axis=-1, keepdims=True)
    # All that counted have failed: whatever did not fail counts alike.
    kept = np.where(total > 0, kept, able.astype(np.float64))
    kept = kept / np.maximum(kept.sum(axis=-1, keepdims=True), 1e-300)
    found: Floats = np.einsum("...c,...ch->...h", kept, np.where(able[..., None], forecasts, 0.0))
    return found
