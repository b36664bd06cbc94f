"""Chooses the tracking server that the model registry is shown on."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

from core.errors import MissingExtra
from core.mirror import Mirror, NullMirror
from core.settings import RegistrySettings


def _installed(package: str) -> bool:
    return find_spec(package) is not None


def open_mirror(settings: RegistrySettings, installed: Callable[[str], bool] = _installed) -> Mirror:
    """The mirror that the settings ask for. Raises `MissingExtra` when its package is not installed."""
    if settings.mlflow_url is None:
        return NullMirror()
    if not installed("mlflow"):
        raise MissingExtra("mlflow-skinny", "mlflow")
    from app.mirrors.mlflow import MlflowMirror

    return MlflowMirror(settings.mlflow_url)
