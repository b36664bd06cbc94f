"""`wayside serve`: the gateway."""

from __future__ import annotations

import gc
import socket
from contextlib import suppress
from typing import Annotated

import typer
import uvicorn
import uvloop
from rich.console import Console

from app.commands import Workspace, settings_for
from app.workspace import KEY_FILE, announced
from core.settings import Settings


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on (default: 127.0.0.1).")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on (default: 8000).")] = None,
    workspace: Workspace = None,
    demo: Annotated[bool | None, typer.Option(help="Load the demo company into an empty workspace.")] = None,
) -> None:
    """Start the gateway; Ctrl-C lets running requests finish and stops it."""
    settings = settings_for(workspace, host=host, port=port, demo=demo)
    with suppress(KeyboardInterrupt):
        uvloop.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    # What a start makes lives as long as the process. Collecting amid it costs a quarter of the time to ready, and
    # frozen it is not looked through again by any later collection.
    gc.disable()
    # The gateway's imports take a second: `wayside --help` does without them.
    from app.commands.training import check_schedule
    from app.gateway import create_app
    from app.logs import configure
    from app.wiring import open_wayside

    configure()
    check_schedule(settings.tabular.retrain)

    console = Console(stderr=True)
    async with open_wayside(settings, console=console) as wayside:
        config = uvicorn.Config(
            create_app(wayside),
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=30,
            # Longer than clients keep theirs, so that no request is sent into a connection that is being closed.
            timeout_keep_alive=75,
        )
        server = uvicorn.Server(config)
        sockets = [config.bind_socket()]
        # Accepted connections inherit it; without it small answers wait 40 ms for the client's delayed ACK.
        sockets[0].setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        port = sockets[0].getsockname()[1]
        url = f"http://{settings.host}:{port}"
        gc.freeze()
        # What is made later and stays, such as the history that payments are judged by, is looked through by every full
        # collection, some twenty milliseconds in which nobody is answered, and at a few hundred requests a second there
        # was one every few seconds. A hundred times as rare, it is no longer within the slowest hundredth of answers.
        gc.set_threshold(*gc.get_threshold()[:2], 1_000)
        gc.enable()
        with announced(settings.workspace, url):
            console.print(f"Wayside listens on [bold]{url}[/bold]  (console: {url}/console, documentation: {url}/docs)")
            console.print(f"The admin's key is in {settings.workspace / KEY_FILE}")
            await server.serve(sockets=sockets)
