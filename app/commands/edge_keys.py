"""`wayside edge keys`: what bundles are signed with. The keys lie in the workspace and never leave it."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from app.commands import Workspace, settings_for
from app.workspace import signing_keys
from core.database import now
from edge.keyring import Keyring
from edge.signing import TrustFile

commands = typer.Typer(help="Make, rotate and revoke the keys that bundles are signed with.", no_args_is_help=True)


@commands.command()
def new(workspace: Workspace = None) -> None:
    """Make the first key."""
    typer.echo(_keyring(workspace).create(now()).key.id)


@commands.command("list")
def list_keys(workspace: Workspace = None) -> None:
    """List the keys; the one that signs is marked."""
    record = _keyring(workspace).record()
    table = Table("id", "signs", "created", "revoked")
    for each in record.keys:
        signs = "yes" if each.key.id == record.active else ""
        revoked = "" if each.revoked is None else f"{each.revoked:%Y-%m-%d %H:%M}"
        table.add_row(each.key.id, signs, f"{each.created:%Y-%m-%d %H:%M}", revoked)
    Console().print(table)


@commands.command()
def rotate(
    revoke: Annotated[bool, typer.Option("--revoke", help="Have devices stop to trust the old key.")] = False,
    workspace: Workspace = None,
) -> None:
    """Make a new key that signs from now on, vouched for by the old one."""
    typer.echo(_keyring(workspace).rotate(now(), revoke=revoke).key.id)


@commands.command()
def revoke(key: Annotated[str, typer.Argument(help="Such as ed25519-0a1b…")], workspace: Workspace = None) -> None:
    """Have devices stop to trust a key; they learn of it with the next bundle."""
    _keyring(workspace).revoke(key, now())
    typer.echo(f"{key} is revoked")


@commands.command()
def export(workspace: Workspace = None) -> None:
    """Print the public keys that new devices should be shipped with, as JSON."""
    keys = tuple(each.key for each in _keyring(workspace).record().keys if each.revoked is None)
    typer.echo(TrustFile(keys=keys).model_dump_json())


def _keyring(workspace: Workspace) -> Keyring:
    return Keyring(signing_keys(settings_for(workspace).workspace))
