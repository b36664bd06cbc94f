"""`wayside device`: a device's program on the command line, as a reference for apps: ask, synchronise, decide."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from app.workspace import KEY_FILE

if TYPE_CHECKING:
    from app.device.program import DeviceProgram

commands = typer.Typer(help="What a device does with its bundle, without a network and with one.", no_args_is_help=True)

Folder = Annotated[Path, typer.Option("--device", help="The device's folder, as `edge pull` makes it.")]
Bundle = Annotated[str, typer.Option("--bundle", help="The name of an installed bundle.")]
Customer = Annotated[str | None, typer.Option(help="Whose device it is, such as CUS-00210.")]
Gateway = Annotated[str | None, typer.Option("--gateway", help="Its URL; without one there is no network.")]
KeyFile = Annotated[Path, typer.Option(help="A file with the customer's API key.")]


def _run(
    use: Callable[[DeviceProgram], Awaitable[None]],
    device: Path,
    bundle: str,
    customer: str | None,
    gateway: str | None,
    key_file: Path,
    *,
    writes: bool = False,
) -> None:
    """Open the program and do this with it."""
    # The agents take seconds to import, which only those who have a device wait for.
    from app.device.cloud import HttpCloud
    from app.device.program import open_program

    async def opened(cloud: HttpCloud | None) -> None:
        async with open_program(device, bundle, customer=customer, cloud=cloud, writes=writes) as program:
            await use(program)

    with ExitStack() as stack:
        cloud = None
        if gateway is not None:
            cloud = stack.enter_context(HttpCloud(gateway, key_file.read_text().strip()))
        asyncio.run(opened(cloud))


@commands.command()
def ask(
    question: Annotated[list[str], typer.Argument(help="One or more messages, on one thread.")],
    device: Folder = Path("device"),
    bundle: Bundle = "assistant",
    customer: Customer = None,
    gateway: Gateway = None,
    key_file: KeyFile = Path(KEY_FILE),
    thread: Annotated[str, typer.Option(help="The conversation.")] = "device",
    write: Annotated[bool, typer.Option("--write", help="Let the bundle's model word the answers.")] = False,
) -> None:
    """Ask the assistant on the device. What is to be done is noted down until `sync`."""

    async def use(program: DeviceProgram) -> None:
        for text in question:
            answer = await program.ask(text, thread)
            typer.echo(answer.text)
            for each in answer.citations:
                typer.echo(f"  [{each.marker}] {' > '.join((each.title, *each.headings))}: {each.quote}")

    _run(use, device, bundle, customer, gateway, key_file, writes=write)


@commands.command()
def sync(
    gateway: Annotated[str, typer.Argument(help="The gateway, such as http://127.0.0.1:8000.")],
    device: Folder = Path("device"),
    bundle: Bundle = "assistant",
    customer: Customer = None,
    key_file: KeyFile = Path(KEY_FILE),
) -> None:
    """Send what waits, hear what became of it, and take the customer's orders along."""

    async def use(program: DeviceProgram) -> None:
        synced = await program.synchronise()
        for each in synced.news:
            typer.echo(f"{each.state}: {each.text}")
        waits = len(program.pending())
        typer.echo(f"{len(synced.news)} were settled anew, {waits} wait")

    _run(use, device, bundle, customer, gateway, key_file)


@commands.command()
def pending(
    device: Folder = Path("device"),
    bundle: Bundle = "assistant",
    customer: Customer = None,
) -> None:
    """List what has not come to an end."""

    async def use(program: DeviceProgram) -> None:
        table = Table("id", "what", "until", "state")
        for each in program.pending():
            state = "to be sent" if each.settlement is None else f"{each.settlement.state}: {each.settlement.text}"
            what = f"{each.intent.tool} {each.intent.arguments}"
            table.add_row(str(each.intent.id), what, f"{each.intent.expires:%Y-%m-%d %H:%M}", state)
        Console().print(table)

    _run(use, device, bundle, customer, None, Path(KEY_FILE))


@commands.command()
def decide(
    intent: Annotated[UUID, typer.Argument(help="Its id.")],
    device: Folder = Path("device"),
    bundle: Bundle = "assistant",
    customer: Customer = None,
    no: Annotated[bool, typer.Option("--no", help="Let it be.")] = False,
) -> None:
    """Say yes, or no, to what is asked about an intent."""

    async def use(program: DeviceProgram) -> None:
        program.decide(intent, agreed=not no)

    _run(use, device, bundle, customer, None, Path(KEY_FILE))


@commands.command()
def federate(
    name: Annotated[str, typer.Argument(help="The federation.")],
    gateway: Annotated[str, typer.Argument(help="The gateway, such as http://127.0.0.1:8000.")],
    rows: Annotated[Path, typer.Option(help="CSV: the device's own rows, with the declared columns.")],
    agree: Annotated[bool, typer.Option("--agree", help="The person agrees to the terms, which are shown.")] = False,
    most_epsilon: Annotated[float, typer.Option(min=0, help="Agree to no federation that may spend more.")] = 8.0,
    key_file: KeyFile = Path(KEY_FILE),
) -> None:
    """Take part in a federation until it ends: train on rows that stay here, and send what they changed.

    Without --agree the terms are shown and nothing else is done.
    """
    from app.device.federating import HttpFederating, read_rows, take_part

    with HttpFederating(gateway, key_file.read_text().strip()) as federating:
        if not agree:
            terms = federating.terms(name)
            typer.echo(terms.about)
            for line in (terms.plan, terms.task):
                typer.echo(line.model_dump_json(indent=1))
            return
        took = take_part(federating, name, read_rows(rows), most_epsilon=most_epsilon, say=typer.echo)
    typer.echo(f"the federation has ended: {took.taken} updates were taken, {took.passed} came too late")


@commands.command()
def leave(
    name: Annotated[str, typer.Argument(help="The federation.")],
    gateway: Annotated[str, typer.Argument(help="The gateway, such as http://127.0.0.1:8000.")],
    key_file: KeyFile = Path(KEY_FILE),
) -> None:
    """Take no part in a federation any more."""
    from app.device.federating import HttpFederating

    with HttpFederating(gateway, key_file.read_text().strip()) as federating:
        federating.leave(name)
