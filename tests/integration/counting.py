"""A destination over HTTP that counts every effect: `python -m tests.integration.counting` prints its port.

`/keyed` is idempotent by key: an effect happens once, and the same request again gives the first result. `/plain`
is not: each request is one more effect. Both tell what happened under a key. An effect takes a moment, happens, and
is answered another moment later; whether the sender still lives makes no difference to it.
"""

from __future__ import annotations

import asyncio
import random
import socket
from collections import Counter, defaultdict
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

MOMENT = 0.03  # seconds at most, before the effect and again after it

_happened: dict[str, Counter[str]] = defaultdict(Counter)
_results: dict[tuple[str, str], dict[str, Any]] = {}


async def execute(request: Request) -> Response:
    """Do what is asked: 409 for an order that has shipped, else a receipt."""
    kind, key = request.path_params["kind"], request.headers["idempotency-key"]
    asked = await request.json()
    await asyncio.sleep(random.uniform(0, MOMENT))
    if asked["shipped"]:
        return JSONResponse({"message": f"order {asked['order']} has shipped"}, 409)
    if kind == "plain" or (kind, key) not in _results:
        _happened[kind][key] += 1
        receipt = {"receipt": _happened[kind].total(), "order": asked["order"], "key": key}
        _results.setdefault((kind, key), receipt)
    await asyncio.sleep(random.uniform(0, MOMENT))
    return JSONResponse(_results[kind, key])


async def outcome(request: Request) -> Response:
    """What happened under this key: its result, or 404."""
    found = _results.get((request.path_params["kind"], request.path_params["key"]))
    return Response(status_code=404) if found is None else JSONResponse(found)


async def counts(_request: Request) -> Response:
    """How often each effect happened, by kind and key."""
    return JSONResponse(_happened)


def main() -> None:
    """Serve on a free port of this machine until killed."""
    app = Starlette(
        routes=[
            Route("/counts", counts),
            Route("/{kind}/effects", execute, methods=["POST"]),
            Route("/{kind}/effects/{key}", outcome),
        ]
    )
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(512)
    print(listener.getsockname()[1], flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[listener])


if __name__ == "__main__":
    main()
