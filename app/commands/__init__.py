"""The subcommands of `wayside`, one file a noun; each is a client of the API."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from core.settings import Settings

Workspace = Annotated[Path | None, typer.Option(help="The folder that everything is written into (default: .wayside).")]


def settings_for(workspace: Path | None, **values: Any) -> Settings:
    """The settings with what the command line gave on top; what is None was not given."""
    given = {"workspace": workspace, **values}
    return Settings(**{name: value for name, value in given.items() if value is not None})
