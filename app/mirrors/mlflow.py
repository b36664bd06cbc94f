"""Shows the model registry on an MLflow tracking server: a run for each version, model versions, and aliases.

MLflow numbers its model versions itself and cannot be asked for a number, so a version is known there by its tag
`wayside.version`. What is there already is left alone; what is missing is added.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from mlflow.entities import Metric as Logged
from mlflow.entities import Param
from mlflow.environment_variables import MLFLOW_HTTP_REQUEST_MAX_RETRIES, MLFLOW_HTTP_REQUEST_TIMEOUT
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from app import logs
from core.versions import Alias, Standing, Version

VERSION = "wayside.version"
_SECONDS = 10


class MlflowMirror:
    """The tracking server at `url`, in MLflow's own words: `http://…`, `sqlite:///…`."""

    def __init__(self, url: str) -> None:
        # Its client waits for minutes by default, and whoever promotes a model waits with it.
        for limit, value in ((MLFLOW_HTTP_REQUEST_TIMEOUT, _SECONDS), (MLFLOW_HTTP_REQUEST_MAX_RETRIES, 1)):
            set_: Any = limit.set
            set_(value)
        self._url = url
        self._showing = asyncio.Lock()

    async def show(self, standing: Standing, versions: Sequence[Version]) -> None:
        """Add what is missing there, and move the aliases. A server that is away, or refuses, is logged."""
        async with self._showing:
            try:
                await asyncio.to_thread(self._show, standing, versions)
            except MlflowException as problem:
                logs.logger.warning("MLflow was not told", model=standing.model, **logs.describe(problem))

    def _show(self, standing: Standing, versions: Sequence[Version]) -> None:
        client = MlflowClient(self._url, self._url)
        known = _known(client, standing.model)
        for version in sorted(versions, key=lambda each: each.number):
            if version.number not in known:
                known[version.number] = _add(client, version)
        for alias, number in ((Alias.CHAMPION, standing.champion), (Alias.CHALLENGER, standing.challenger)):
            if number is None:
                client.delete_registered_model_alias(standing.model, alias.value)
            else:
                client.set_registered_model_alias(standing.model, alias.value, known[number])


def _known(client: MlflowClient, model: str) -> dict[int, str]:
    """Our number to MLflow's, for each version that is there. Makes the model when there is none."""
    if not client.search_registered_models(filter_string=f"name = '{model}'"):
        client.create_registered_model(model, description="Registered and promoted by Wayside.")
    found: dict[int, str] = {}
    token: str | None = None
    while True:
        page = client.search_model_versions(f"name = '{model}'", page_token=token)
        found |= {int(each.tags[VERSION]): str(each.version) for each in page if VERSION in each.tags}
        token = page.token
        if not token:
            return found


def _add(client: MlflowClient, version: Version) -> str:
    """A run with the lineage and the metrics, and the model version that came of it."""
    experiment = client.get_experiment_by_name(version.model)
    experiment_id = experiment.experiment_id if experiment else client.create_experiment(version.model)
    moment = int(version.at.timestamp() * 1000)
    run_id = client.create_run(
        experiment_id, start_time=moment, run_name=f"{version.model} {version.number}"
    ).info.run_id
    lineage = version.lineage
    facts = {"kind": version.kind.value, "base": lineage.base, "data": lineage.data, "recipe": lineage.recipe}
    params = [Param(name, text) for name, text in {**facts, "code": lineage.code}.items() if text]
    client.log_batch(run_id, metrics=_metrics(version, moment), params=params)
    client.set_terminated(run_id, end_time=moment)
    made: Any = client.create_model_version(
        version.model,
        # Where the bytes are is for the registry to know: what stands here is what they must hash to.
        source=f"wayside://{version.files[0].sha256}/{version.files[0].name}",
        run_id=run_id,
        tags={VERSION: str(version.number), **{f"sha256.{each.name}": each.sha256 for each in version.files}},
        description=version.card,
    )
    return str(made.version)


def _metrics(version: Version, moment: int) -> list[Logged]:
    """Each metric by its name, and the ends of its interval beside it."""
    logged = []
    for name, metric in version.metrics.items():
        interval = metric.interval
        figures = {"": interval.value, "/low": interval.low, "/high": interval.high, "/cases": interval.cases}
        # MLflow's names have no @.
        logged += [Logged(name.replace("@", " at ") + end, float(each), moment, 0) for end, each in figures.items()]
    return logged
