"""`wayside edge`: bundles for devices, from the recipe to the device."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from app.client import connect
from app.commands import Workspace, edge_device, edge_keys, settings_for
from app.workspace import TENANT, shelf, signing_keys, snapshot_folder
from core.database import now
from core.errors import NotFound
from core.modelstore import ModelStore
from core.settings import Settings
from edge import recipe as recipes
from edge.building import Order, Ware, build
from edge.keyring import Keyring
from edge.manifest import Kind, Reach
from edge.shelf import Shelf
from edge.signing import Trust
from edge.verifying import verify_folder

commands = typer.Typer(help="Build, check and install bundles for devices.", no_args_is_help=True)
commands.add_typer(edge_keys.commands, name="keys")
commands.command()(edge_device.pull)
commands.command()(edge_device.roll_back)


@commands.command("build")
def build_bundle(
    recipe: Annotated[Path, typer.Argument(help="A TOML file; see docs/bundles.md.")],
    tenant: Annotated[str, typer.Option(help="Whose bundle it is.")] = TENANT,
    workspace: Workspace = None,
) -> None:
    """Build a bundle, sign it, and offer it to devices in the place of the one with its name."""
    settings, wanted = settings_for(workspace), recipes.read(recipe)
    made_of = [_ware(each) for each in wanted.artefact]
    snapshot = None
    if wanted.snapshot is not None:
        # Without a key the snapshot would be made for nothing.
        Keyring(signing_keys(settings.workspace)).signer()
        snapshot = asyncio.run(_snapshot(settings, wanted.snapshot, tenant))
        made_of.append(snapshot)
    try:
        order = Order(wanted.name, tenant, made_of, wanted.days, wanted.needs, wanted.bases)
        made = build(order, Shelf(shelf(settings.workspace)), Keyring(signing_keys(settings.workspace)), now())
    finally:
        if snapshot is not None:
            snapshot.path.unlink()
    typer.echo(f"{made.name} {made.counter}: {len(made.artefacts)} artefacts, {made.size / 1e6:,.1f} MB")


@commands.command("list")
def list_bundles(
    tenant: Annotated[str, typer.Option(help="Whose bundles.")] = TENANT, workspace: Workspace = None
) -> None:
    """List the bundles on offer."""
    table = Table("name", "counter", "artefacts", "size", "memory", "until")
    for each in Shelf(shelf(settings_for(workspace).workspace)).published(tenant):
        made = each.manifest
        sizes = (f"{size / 1e6:,.1f} MB" for size in (made.size, made.peak_memory))
        parts = ", ".join(artefact.id for artefact in made.artefacts)
        table.add_row(made.name, str(made.counter), parts, *sizes, f"{made.expires:%Y-%m-%d}")
    Console().print(table)


@commands.command()
def verify(
    path: Annotated[Path, typer.Argument(help="A bundle's folder.")],
    trust: edge_device.TrustOption = None,
    workspace: Workspace = None,
) -> None:
    """Check a bundle's signature and every file of it; without --trust, against the workspace's own keys."""
    if trust is not None:
        trusted = Trust.of(*edge_device.read_keys(trust))
    else:
        record = Keyring(signing_keys(settings_for(workspace).workspace)).record()
        trusted = Trust.of(*(each.key for each in record.keys if each.revoked is None))
    made = verify_folder(path, trusted)
    typer.echo(f"{made.name} {made.counter} holds: signed, and {len(made.artefacts)} artefacts are whole")


def _ware(wanted: recipes.Ingredient) -> Ware:
    licence, path = wanted.licence, wanted.path
    if wanted.model is not None:
        store = ModelStore()
        path = store.path(wanted.model)
        # A model of the catalogue says itself under what licence it is.
        licence = licence or next((each.licence for each in store.list() if each.name == wanted.model), "")
    if path is None:
        raise NotFound(f"{wanted.id} has no file", param=wanted.id)
    return Ware(
        path=path,
        id=wanted.id,
        kind=wanted.kind,
        licence=licence,
        peak_memory=wanted.peak_memory,
        file=wanted.file,
        sha256=wanted.sha256,
        quantisation=wanted.quantisation,
        base=wanted.base,
        card=wanted.card,
    )


async def _snapshot(settings: Settings, order: recipes.SnapshotOrder, tenant: str) -> Ware:
    async with connect(settings) as api:
        mine = (await api.call("GET", "/api/me"))["tenant"]
        if mine != tenant:
            raise NotFound(f"this workspace's admin sees the documents of {mine} only", param="tenant")
        body = {"audience": order.audience.value, "days": order.days}
        made = await api.call("POST", "/api/edge/snapshots", json=body)
    return Ware(
        path=snapshot_folder(settings.workspace) / made["file"],
        id="knowledge",
        kind=Kind.SNAPSHOT,
        licence=order.licence,
        peak_memory=order.peak_memory,
        file="knowledge.zip",
        sha256=made["sha256"],
        reach=Reach(tenant=tenant, audience=order.audience, customer=order.customer),
        expires=datetime.fromisoformat(made["expires"]),
    )
