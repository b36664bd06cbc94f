"""`wayside ingest` and `wayside search`: documents in, passages out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from app.client import ApiClient, connect
from app.commands import Workspace, settings_for
from core.errors import ApiError, InvalidInput
from core.types import Audience

SUFFIXES = frozenset({".md", ".markdown", ".txt", ".html", ".htm", ".pdf", ".docx"})
_POLL_SECONDS = 0.3


def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders that are searched for documents.")],
    workspace: Workspace = None,
    audience: Annotated[Audience, typer.Option(help="Who may be shown them.")] = Audience.PUBLIC,
) -> None:
    """Add documents (md, txt, html, pdf, docx) and wait until they can be found. Unchanged ones cost nothing."""
    files = list(_files(paths))
    failed = asyncio.run(_ingest(files, settings_for(workspace, demo=False), audience))
    if failed:
        raise typer.Exit(1)


def search(
    query: Annotated[str, typer.Argument(help="What to look for.")],
    workspace: Workspace = None,
    limit: Annotated[int, typer.Option(min=1, max=50)] = 5,
) -> None:
    """Search the documents; prints the best passages with their scores."""
    found = asyncio.run(_search(query, settings_for(workspace), limit))
    console = Console(highlight=False)
    console.print(f"answerability {found['answerability']:.2f}", style="dim")
    for hit in found["data"]:
        where = " > ".join((hit["title"], *hit["headings"]))
        console.print(f"\n{hit['score']:.3f}  {where}", style="bold", markup=False)
        console.print(hit["text"], markup=False)


def _files(paths: list[Path]) -> Iterator[tuple[Path, str]]:
    """Each document with its stable source: its path, relative to the folder that was named."""
    for path in paths:
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
            yield from ((p, f"{path.name}/{p.relative_to(path)}") for p in inside)
        elif path.is_file():
            yield path, path.name
        else:
            raise InvalidInput(f"there is no file or folder {path}", param="paths")


async def _ingest(files: list[tuple[Path, str]], settings: Any, audience: Audience) -> int:
    """Upload, then follow the indexing; returns how many documents failed."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    failed = 0
    async with connect(settings) as api:
        with Progress(*columns, console=console) as progress:
            uploading = progress.add_task("reading", total=len(files))
            pending = []
            for path, source in files:
                try:
                    document = await _upload(api, path, source, audience)
                except ApiError as error:
                    failed += 1
                    progress.console.print(f"{path}: {error.message}", style="red", markup=False)
                else:
                    pending.append(document["id"])
                progress.advance(uploading)
            indexing = progress.add_task("indexing", total=len(pending))
            for document_id in pending:
                document = await _settled(api, document_id)
                if document["status"] == "failed":
                    failed += 1
                    progress.console.print(f"{document['source']}: {document['error']}", style="red", markup=False)
                progress.advance(indexing)
    console.print(f"{len(files) - failed} of {len(files)} documents can be found now")
    return failed


async def _upload(api: ApiClient, path: Path, source: str, audience: Audience) -> dict[str, Any]:
    content = await asyncio.to_thread(path.read_bytes)
    document: dict[str, Any] = await api.call(
        "POST",
        "/api/documents",
        files={"file": (path.name, content)},
        data={"source": source, "audience": audience.value},
    )
    return document


async def _settled(api: ApiClient, document_id: str) -> dict[str, Any]:
    while True:
        document: dict[str, Any] = await api.call("GET", f"/api/documents/{document_id}")
        if document["status"] in {"ready", "failed"}:
            return document
        await asyncio.sleep(_POLL_SECONDS)


async def _search(query: str, settings: Any, limit: int) -> dict[str, Any]:
    async with connect(settings) as api:
        found: dict[str, Any] = await api.call("POST", "/api/search", json={"query": query, "limit": limit})
        return found
