"""`wayside models register`: a version out of files on this machine. Also while a server runs: it only adds."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from pydantic import BaseModel, ConfigDict, FiniteFloat, TypeAdapter, ValidationError

from app.commands import Workspace, settings_for
from app.mirrors import open_mirror
from core.database import Database
from core.errors import InvalidInput
from core.gates import Interval, Metric
from core.registry import Registry
from core.settings import Settings
from core.versions import Candidate, Kind, Lineage, Version


class MetricFile(BaseModel):
    """A metric as `--metrics` has it: value, interval, cases, what better is, and what it may not be worse than."""

    model_config = ConfigDict(extra="forbid")

    value: FiniteFloat
    low: FiniteFloat
    high: FiniteFloat
    cases: int
    lower_is_better: bool = False
    gates: bool = True
    limit: FiniteFloat | None = None

    def metric(self) -> Metric:
        """The registry's own."""
        interval = Interval(self.value, self.low, self.high, self.cases)
        return Metric(interval, self.lower_is_better, self.gates, self.limit)


_METRICS = TypeAdapter(dict[str, MetricFile])
_FLAT = TypeAdapter(dict[str, FiniteFloat])


def register(
    model: Annotated[str, typer.Argument(help="The model, such as house-adapter.")],
    files: Annotated[list[Path], typer.Argument(help="Its files.", exists=True, dir_okay=False)],
    kind: Annotated[Kind, typer.Option(help="What the files are.")],
    data: Annotated[str, typer.Option(help="The hash of what it learned from.")],
    recipe: Annotated[str, typer.Option(help="The hash of how.")],
    code: Annotated[str, typer.Option(help="The revision of the code that did it.")],
    base: Annotated[str, typer.Option(help="The SHA-256 of the model it was tuned from.")] = "",
    card: Annotated[Path | None, typer.Option(help="The model card, Markdown.", exists=True, dir_okay=False)] = None,
    metrics: Annotated[
        Path | None,
        typer.Option(help="JSON: name to value, low, high, cases, lower_is_better, gates, limit.", exists=True),
    ] = None,
    evaluation: Annotated[
        list[str] | None, typer.Option(help="SUITE=FILE: what `wayside eval SUITE --json FILE` wrote.")
    ] = None,
    lower: Annotated[list[str] | None, typer.Option(help="A metric of an evaluation of which less is better.")] = None,
    workspace: Workspace = None,
) -> None:
    """Register a version: its files are copied into the workspace, and nothing about it ever changes."""
    measured = {} if metrics is None else _metrics(metrics)
    for each in evaluation or ():
        measured |= _evaluated(each)
    for name in lower or ():
        if name not in measured:
            raise InvalidInput(f"no metric {name!r} was given: {', '.join(sorted(measured))}", param="lower")
        measured[name] = replace(measured[name], lower_is_better=True)
    candidate = Candidate(
        model=model,
        kind=kind,
        files=_named(files),
        lineage=Lineage(base, data, recipe, code),
        metrics=measured,
        card="" if card is None else card.read_text(),
    )
    made = asyncio.run(keep(settings_for(workspace), candidate))
    known = (
        "" if (made.metrics, made.card) == (candidate.metrics, candidate.card) else "; known, as it was measured then"
    )
    typer.echo(f"{model} {made.number} is registered{known}")


async def keep(settings: Settings, candidate: Candidate) -> Version:
    """Register the version in the workspace's registry, by whoever is at this machine."""
    settings.workspace.mkdir(parents=True, exist_ok=True, mode=0o700)
    mirror = open_mirror(settings.registry)
    database = Database(settings.database_dsn)
    try:
        await database.migrate()
        registry = Registry.of(database, settings.workspace, mirror)
        return await registry.register(candidate, f"local:{getpass.getuser()}")
    finally:
        await database.close()


def _named(files: Sequence[Path]) -> dict[str, Path]:
    named = {each.name: each for each in files}
    if len(named) < len(files):
        raise InvalidInput("two of the files have the same name", param="files")
    return named


def _metrics(path: Path) -> dict[str, Metric]:
    return {name: each.metric() for name, each in _read(path, _METRICS, "metrics").items()}


def _evaluated(given: str) -> dict[str, Metric]:
    """The figures of an evaluation as `suite/name`; those without an interval are told and do not gate."""
    suite, equals, file = given.partition("=")
    if not equals:
        raise InvalidInput(f"{given!r} is not SUITE=FILE", param="evaluation")
    rows = _read(Path(file), _FLAT, "evaluation")
    if rows.get("errors"):
        raise InvalidInput(
            f"{file}: {rows['errors']:.0f} cases ended in an error, so no figure counts", param="evaluation"
        )
    cases = int(rows.get("cases", 0))
    names = [name for name in rows if name not in ("cases", "errors") and not name.endswith(("_low", "_high"))]
    measured = {}
    for name in names:
        gates = f"{name}_low" in rows
        low, high = (rows.get(f"{name}_{end}", rows[name]) for end in ("low", "high"))
        measured[f"{suite}/{name}"] = Metric(Interval(rows[name], low, high, cases), gates=gates)
    return measured


def _read(path: Path, shape: TypeAdapter[Any], param: str) -> Any:
    try:
        return shape.validate_python(orjson.loads(path.read_bytes()))
    except OSError as problem:
        raise InvalidInput(f"cannot read {path}: {problem.strerror}", param=param) from problem
    except orjson.JSONDecodeError as problem:
        raise InvalidInput(f"{path} is not JSON: {problem}", param=param) from problem
    except ValidationError as problem:
        first = problem.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise InvalidInput(f"{path}: {place}: {first['msg']}", param=param) from problem
