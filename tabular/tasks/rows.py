"""Single rows, as a request has them, held to the same as a file's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.errors import InvalidInput
from tabular.tasks.reading import known
from tabular.tasks.task import Column, Flag, Task

Value = str | int | float | bool | None


def texts(task: Task, rows: Sequence[Mapping[str, Value]], where: str = "rows") -> dict[str, list[str | None]]:
    """The columns that the model meets, of every row.

    Raises `InvalidInput` for the first value that is not sound, is missing, or that the model is not to see; `param`
    is its path below `where`.
    """
    features = {each.name for each in task.features}
    found: dict[str, list[str | None]] = {each.name: [] for each in task.features}
    for place, row in enumerate(rows):
        if further := sorted(row.keys() - features):
            told = f"{further[0]} is no column that the model of {task.name} meets: {', '.join(sorted(features))}"
            raise InvalidInput(told, param=f"{where}.{place}.{further[0]}")
        for column in task.features:
            found[column.name].append(_text(column, row.get(column.name), f"{where}.{place}.{column.name}"))
    return found


def _text(column: Column, value: Value, path: str) -> str | None:
    if isinstance(value, bool):
        # JSON has its own way to say yes and no.
        value = column.values[value] if isinstance(column, Flag) else str(value)
    text = known(value)
    if text is None:
        if not column.missing:
            raise InvalidInput(f"{column.name} is missing", param=path)
        return None
    if not column.sound(text):
        raise InvalidInput(f"{column.name} {column.rule}", param=path)
    return text
