"""The last check of each model as Prometheus reads it. Every gateway shows the same, whichever looked."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from app.drift.watching import Watch
from tabular.drift.results import About


class DriftCollector(Collector):
    """How many findings stand open, how far each column lies beyond chance, the figures, and when it was looked at."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def collect(self) -> Iterator[Metric]:
        """Yield every instrument; without a check they have no samples."""
        findings = GaugeMetricFamily("wayside_drift_findings", "Findings that stand open.", labels=("model", "about"))
        psi = GaugeMetricFamily(
            "wayside_drift_psi", "Population stability index beyond chance.", labels=("model", "column")
        )
        figures = GaugeMetricFamily(
            "wayside_drift_figure", "What the model achieved where outcomes are known.", labels=("model", "figure")
        )
        rows = GaugeMetricFamily("wayside_drift_window_rows", "Rows of the window.", labels=("model",))
        at = GaugeMetricFamily("wayside_drift_checked_seconds", "When it was looked at, Unix time.", labels=("model",))
        for model, kept in self._watch.latest.items():
            for about in About:
                count = sum(each.finding.about is about for each in kept.findings)
                findings.add_metric((model, about.value), count)
            for column in kept.of.check.compared:
                psi.add_metric((model, column.name), column.psi.effect)
            for figure in kept.of.check.achieved:
                figures.add_metric((model, figure.name), figure.now)
            rows.add_metric((model,), kept.of.rows)
            at.add_metric((model,), kept.at.timestamp())
        yield from (findings, psi, figures, rows, at)
