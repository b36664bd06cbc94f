"""`wayside edge pull` and `roll-back`: the device's side, as a reference for apps."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn

from app.bundle_client import BundleClient
from app.commands import Workspace, settings_for
from app.workspace import KEY_FILE, TENANT
from core.database import now
from core.errors import BundleRefused, NotFound
from edge.download import Progress as Advance
from edge.installing import Device
from edge.selection import Offer, Profile, choose
from edge.signing import PublicKey, TrustFile

TrustOption = Annotated[Path | None, typer.Option(help="Public keys, as `edge keys export` prints them.")]


def pull(
    url: Annotated[str, typer.Argument(help="The gateway, such as http://127.0.0.1:8000.")],
    name: Annotated[str | None, typer.Argument(help="Default: the one that fits this device best.")] = None,
    device: Annotated[Path, typer.Option(help="The device's folder.")] = Path("device"),
    trust: TrustOption = None,
    tenant: Annotated[str, typer.Option(help="Whose device it is; asked for when it is set up.")] = TENANT,
    key_file: Annotated[Path | None, typer.Option(help="A file with the API key (default: the workspace's).")] = None,
    memory: Annotated[int | None, typer.Option(min=1, help="Bytes that models may use (default: half of all).")] = None,
    metered: Annotated[bool, typer.Option("--metered", help="The network costs by the byte.")] = False,
    metric: Annotated[str, typer.Option(help="What the best bundle is best at.")] = "tools_exact",
    workspace: Workspace = None,
) -> None:
    """Install a bundle as a device does: verify it, fetch what is new, and switch over to it."""
    home = _device(device, tenant, trust)
    key = (key_file or settings_for(workspace).workspace / KEY_FILE).read_text().strip()
    with BundleClient(url, key) as client:
        if name is None:
            half = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
            name = _chosen(client, home, device, memory or half, metered, metric)
        with _progress() as advance:
            made = home.install(client.manifest(name), client.source(name), now(), name=name, progress=advance)
    size = made.manifest.size
    typer.echo(f"{name} {made.manifest.counter} is in use: {made.fetched:,} of {size:,} bytes were fetched")
    for artefact, path in made.files:
        typer.echo(f"{artefact.id}: {path}")


def roll_back(
    name: Annotated[str, typer.Argument(help="A bundle that is installed.")],
    device: Annotated[Path, typer.Option(help="The device's folder.")] = Path("device"),
) -> None:
    """Use the build from before again."""
    typer.echo(f"{name} {Device(device).roll_back(name, now()).manifest.counter} is in use")


def read_keys(path: Path) -> tuple[PublicKey, ...]:
    """The keys in a file. Raises `NotFound` and `InvalidInput`."""
    if not path.is_file():
        raise NotFound(f"no file {path}", param="trust")
    return TrustFile.read(path.read_bytes()).keys


def _device(folder: Path, tenant: str, trust: Path | None) -> Device:
    home = Device(folder)
    if home.set_up:
        return home
    if trust is None:
        raise NotFound(f"{folder} is not set up: give the keys that it is to trust with --trust", param="trust")
    return Device.create(folder, tenant, *read_keys(trust))


def _chosen(client: BundleClient, home: Device, folder: Path, memory: int, metered: bool, metric: str) -> str:
    """The bundle that fits this machine best; the reasons go to standard error."""
    names, offers, console = client.names(), list[Offer](), Console(stderr=True)
    for name in names:
        try:
            manifest = home.verify(client.manifest(name), now(), name=name)
        except BundleRefused as refusal:
            console.print(f"{name}: {refusal.message}", markup=False)
        else:
            offers.append(Offer(manifest, home.to_fetch(manifest)))
    profile = Profile(
        abi=platform.machine(),
        memory=memory,
        storage=shutil.disk_usage(folder).free,
        metered=metered,
        bases=home.bases(),
    )
    choice = choose(profile, offers, now(), metric)
    for name, why in choice.declined:
        console.print(f"not {name}: {'; '.join(why)}", markup=False)
    console.print("; ".join(choice.reasons), markup=False)
    if choice.chosen is None:
        raise NotFound(choice.reasons[0], param="name")
    return choice.chosen.name


@contextmanager
def _progress() -> Iterator[Advance]:
    """Show how far each artefact is, on standard error."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        tasks: dict[str, TaskID] = {}

        def advance(artefact: str, done: int, total: int) -> None:
            if artefact not in tasks:
                tasks[artefact] = progress.add_task(artefact, total=total)
            progress.update(tasks[artefact], completed=done)

        yield advance
