"""`python -m evals.bench [NAME…]`: run benchmarks, print a table, write the figures as JSON."""

from __future__ import annotations

import os
import pkgutil
import platform
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.table import Table

from evals.bench.figure import Figure, Skipped

BENCHES = (
    *("gateway", "agent", "engine", "search", "ingest", "startup", "demand", "streams"),
    *("media", "reading", "voice", "realtime", "bundles", "student", "device", "training"),
    *("fraud", "forecasting", "recommending", "slates"),
)


def main(
    names: Annotated[list[str] | None, typer.Argument(help=f"Any of {', '.join(BENCHES)}; default: all.")] = None,
    json: Annotated[Path, typer.Option(help="Where the figures are written.")] = Path("reports/bench.json"),
) -> None:
    """Measure Wayside against its references, on this machine, now."""
    if unknown := set(names or ()) - set(BENCHES):
        raise typer.BadParameter(f"no benchmark named {', '.join(sorted(unknown))}")
    console = Console()
    written: dict[str, object] = {"machine": {"cores": os.cpu_count(), "python": platform.python_version()}}
    for name in names or BENCHES:
        with console.status(f"{name} …"):
            try:
                figures: list[Figure] = pkgutil.resolve_name(f"evals.bench.{name}:measure")()
            except Skipped as reason:
                console.print(f"{name}: skipped, {reason}", markup=False, style="yellow")
                continue
        console.print(_table(name, figures))
        written[name] = [figure.row() for figure in figures]
        json.parent.mkdir(parents=True, exist_ok=True)
        json.write_bytes(orjson.dumps(written, option=orjson.OPT_INDENT_2))


def _table(name: str, figures: list[Figure]) -> Table:
    table = Table("measure", "ours", "reference", "ratio", "goal", title=f"{name} (median, lowest to highest round)")
    for figure in figures:
        mark = {True: " ✓", False: " ✗", None: ""}[figure.met]
        table.add_row(
            figure.name,
            _side(figure.ours, figure.unit),
            f"{_side(figure.reference, figure.unit)}\n{figure.against}" if figure.reference else "",
            f"{figure.ratio:.3g}" if figure.ratio is not None else "",
            figure.goal + mark,
        )
    return table


def _side(rounds: object, unit: str) -> str:
    values = sorted(float(value) for value in rounds)  # type: ignore[attr-defined]
    middle = Figure("", "", values).value
    return f"{_plain(middle)} {unit}  ({_plain(values[0])} to {_plain(values[-1])})"


def _plain(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    typer.run(main)
