"""/console: the page that people work with. Static files only; it talks to the public API with its reader's own key."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from core.errors import NotFound

FILES = Path(__file__).parent.parent / "console"
_TYPES: Mapping[str, str] = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
# Nothing inline, nothing from elsewhere, and no way from text to markup: `require-trusted-types-for` without a policy
# makes `innerHTML` and its kin throw.
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src blob:; "
    "connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
# The frame that shows an evaluation's report, which has its style inside. It is another origin to everybody
# (`sandbox`), so what stands in a report reaches neither the key nor the API.
_REPORT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'; sandbox allow-scripts"
)
_HEADERS: Mapping[str, str] = {
    "cache-control": "no-cache",  # kept, but asked about: a new version shows at once
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}


@dataclass(frozen=True, slots=True)
class _File:
    content: bytes
    headers: Mapping[str, str]


def routes(folder: Path = FILES) -> APIRouter:
    """The router of this surface. It reads the folder once; a path that is not one of its files is not found."""
    router = APIRouter(include_in_schema=False)
    files = {
        path.relative_to(folder).as_posix(): _read(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix in _TYPES
    }

    @router.api_route("/", methods=["GET", "HEAD"])
    async def begin() -> Response:
        """Lead whoever opens the server in a browser to the console."""
        return RedirectResponse("/console", 307)

    @router.api_route("/console", methods=["GET", "HEAD"])
    @router.api_route("/console/{name:path}", methods=["GET", "HEAD"])
    async def console_file(request: Request, name: str = "") -> Response:
        """Give a file, or say that the one the browser holds is still right."""
        file = files.get(name or "index.html")
        if file is None:
            raise NotFound("There is no such file of the console.")
        if _holds(request.headers.get("if-none-match", ""), file.headers["etag"]):
            return Response(status_code=304, headers=file.headers)
        return Response(file.content, headers=file.headers)

    return router


def _read(path: Path) -> _File:
    content = path.read_bytes()
    policy = _REPORT_POLICY if path.name == "report.html" else _PAGE_POLICY
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    devices = "camera=(), microphone=()" if path.name == "report.html" else "camera=(self), microphone=(self)"
    headers = {
        **_HEADERS,
        "content-type": _TYPES[path.suffix],
        "content-security-policy": policy,
        "permissions-policy": f"{devices}, geolocation=(), display-capture=()",
        "etag": etag,
    }
    return _File(content, headers)


def _holds(if_none_match: str, etag: str) -> bool:
    return any(each.strip().removeprefix("W/") in (etag, "*") for each in if_none_match.split(","))
