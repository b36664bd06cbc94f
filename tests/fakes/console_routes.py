"""The public API as far as the console uses it, out of canned answers, beside the console's own files.

For tests in a browser and for looking at pages: it starts at once. `python -m tests.fakes.console_routes` serves it on
a port.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse

from app.api import console
from tests.fakes import console_data as data
from tests.fakes import console_drift, console_field, console_judged
from tests.fakes.console_api import ConsoleApi, Json, Refused, Run, Thread


def page(items: list[Json], **more: Any) -> Json:
    return {"object": "list", "data": items, "has_more": False, **more}


def create_app(api: ConsoleApi) -> FastAPI:
    """The fake and the console's files as one application."""
    app = FastAPI(docs_url=None, openapi_url=None)
    numbers = itertools.count(1)

    @app.middleware("http")
    async def guard(request: Request, proceed: Any) -> Response:
        path = request.url.path
        if path.startswith("/console") or path == "/":
            answer: Response = await proceed(request)
            return answer
        key = request.headers.get("authorization", "").removeprefix("Bearer ")
        request.state.key = key
        await asyncio.sleep(api.delay)
        if key not in data.KEYS:
            answer = Refused(401, "invalid_api_key", "This API key is not known, or it was revoked.").answer
        elif path in api.failing:
            answer = Refused(503, "not_ready", "The database does not answer.").answer
        else:
            answer = await proceed(request)
        answer.headers["x-request-id"] = f"req_{next(numbers):04}"
        return answer

    @app.exception_handler(Refused)
    async def refuse(request: Request, refused: Refused) -> Response:
        return refused.answer

    app.include_router(console.routes())
    _people(app, api)
    _talk(app, api)
    _work(app, api)
    _papers(app, api)
    _payments(app, api)
    console_field.serve(app, api)
    console_drift.serve(app, api)
    return app


def _people(app: FastAPI, api: ConsoleApi) -> None:
    @app.get("/api/me")
    async def me(request: Request) -> Json:
        return {"object": "principal", "tenant": "harbor", **data.KEYS[request.state.key]}

    @app.post("/api/feedback", status_code=201)
    async def feedback(said: Json) -> Json:
        api.received.append(("feedback", said))
        return {"object": "feedback", "id": f"fbk_{len(api.received)}", **said}


def _talk(app: FastAPI, api: ConsoleApi) -> None:
    def thread_of(request: Request, identity: str) -> Thread:
        found = api.threads.get(identity)
        if found is None or found.owner != data.OWNERS[request.state.key]:
            raise Refused(404, "not_found", f"no thread {identity}")
        return found

    def follow(thread: Thread, run: Run, last: str | None) -> Response:
        run.connections.append(last)
        where = {"content-location": f"/threads/{thread.id}/runs/{run.id}"}
        return StreamingResponse(api.events(run, int(last or 0)), media_type="text/event-stream", headers=where)

    @app.get("/api/threads")
    async def threads(request: Request, owner: str | None = None) -> Json:
        mine = data.OWNERS[request.state.key] if data.KEYS[request.state.key]["role"] == "client" else owner
        found = [each for each in api.threads.values() if mine in (None, each.owner)]
        return page([each.view() for each in reversed(found)])

    @app.get("/api/threads/{identity}")
    async def thread(identity: str) -> Json:
        if identity not in api.threads:
            raise Refused(404, "not_found", f"no thread {identity}")
        found = api.threads[identity]
        return {**found.view(), "messages": found.messages, "pending": found.pending}

    @app.get("/api/timelines")
    async def timelines(thread_id: str) -> Json:
        found = api.threads.get(thread_id)
        return page([_timeline(found, run) for run in found.runs] if found else [])

    @app.get("/api/timelines/{identity}")
    async def timeline(identity: str) -> Json:
        for found in api.threads.values():
            for run in found.runs:
                if run.id == identity:
                    return _timeline(found, run)
        raise Refused(404, "not_found", f"no turn {identity}")

    @app.post("/threads")
    async def create(request: Request) -> Json:
        made = Thread(f"new-{len(api.threads)}", data.OWNERS[request.state.key])
        api.threads[made.id] = made
        return {"thread_id": made.id}

    @app.post("/threads/{identity}/runs/stream")
    async def stream(request: Request, identity: str, said: Json) -> Response:
        api.received.append(("run", said))
        key = request.headers["idempotency-key"]
        found = thread_of(request, identity)
        if key not in api._by_key:
            api._by_key[key] = api.asked(found, said["input"]["messages"][-1]["content"])
        return follow(found, api._by_key[key], None)

    @app.get("/threads/{identity}/runs")
    async def runs(request: Request, identity: str) -> list[Json]:
        found = thread_of(request, identity)
        views = [
            {"run_id": each.id, "status": "success", "kwargs": {"input": {"messages": each.messages}}}
            for each in found.runs
        ]
        return views[::-1]

    @app.get("/threads/{identity}/runs/{run_id}/stream")
    async def join(request: Request, identity: str, run_id: str) -> Response:
        found = thread_of(request, identity)
        run = next(each for each in found.runs if each.id == run_id)
        return follow(found, run, request.headers.get("last-event-id"))

    @app.post("/threads/{identity}/runs/{run_id}/cancel", status_code=204)
    async def cancel(identity: str, run_id: str) -> None:
        api.received.append(("cancel", {"run_id": run_id}))
        api.gate.set()


def _timeline(thread: Thread, run: Run) -> Json:
    said = next((e["text"] for name, e in run.events if name == "custom" and e["type"] == "answer"), "")
    asked = run.messages[0]["content"] if run.messages else ""
    return data.timeline(run.id, thread.id, thread.owner, asked if isinstance(asked, str) else "a file", said)


def _work(app: FastAPI, api: ConsoleApi) -> None:
    @app.get("/api/tickets")
    async def tickets(status: str | None = None) -> Json:
        return page([each for each in api.tickets.values() if status in (None, each["status"])])

    @app.get("/api/tickets/{identity}")
    async def ticket(identity: str) -> Json:
        if identity not in api.tickets:
            raise Refused(404, "not_found", f"no ticket {identity}")
        return api.tickets[identity]

    @app.post("/api/tickets/{identity}/update")
    async def update(identity: str, change: Json) -> Json:
        api.received.append(("update", change))
        found = api.tickets[identity]
        note = change.pop("note", None)
        if note:
            found["notes"] = [*found["notes"], {"at": data.moment(), "text": note, "team": None}]
        found.update(change)
        return found

    @app.post("/api/tickets/{identity}/escalate")
    async def escalate(identity: str, said: Json) -> Json:
        api.tickets[identity]["team"] = said["team"]
        return api.tickets[identity]

    @app.get("/api/tickets/{identity}/suggestions")
    async def suggestions(identity: str) -> Json:
        return data.suggestions(api.tickets[identity])

    @app.get("/api/orders")
    async def orders(customer_id: str) -> Json:
        return page(data.orders())

    @app.get("/api/tools")
    async def tools() -> Json:
        return page(data.tools())

    @app.post("/api/tools/{name}")
    async def use(name: str, said: Json) -> Response:
        api.received.append((name, said))
        return JSONResponse(api.approvals["apr_refund"], 202)

    @app.get("/api/approvals")
    async def approvals(request: Request, status: str | None = None) -> Json:
        mine = data.KEYS[request.state.key]["customer_id"]
        found = [each for each in api.approvals.values() if status in (None, each["status"])]
        return page([each for each in found if mine is None or each["subject"].get("customer_id") == mine])

    @app.get("/api/approvals/{identity}")
    async def approval(identity: str) -> Json:
        if identity not in api.approvals:
            raise Refused(404, "not_found", f"no approval {identity}")
        return api.approvals[identity]

    @app.post("/api/approvals/{identity}/decision")
    async def decide(request: Request, identity: str, said: Json) -> Json:
        api.received.append(("decision", said))
        return api.decide(identity, said, data.KEYS[request.state.key]["key_id"])


def _papers(app: FastAPI, api: ConsoleApi) -> None:
    @app.get("/api/documents")
    async def documents() -> Json:
        return page(api.documents)

    @app.get("/api/documents/{identity}")
    async def document(identity: str) -> Json:
        found = next(each for each in api.documents if each["id"] == identity)
        if found["status"] in ("queued", "indexing"):
            found["progress"] = min(1.0, found["progress"] + 0.3)
            found["status"] = "ready" if found["progress"] == 1.0 else "indexing"
        return found

    @app.post("/api/documents", status_code=202)
    async def upload(request: Request) -> Json:
        async with request.form() as form:
            name = str(getattr(form["file"], "filename", ""))
        if name.endswith(".pdf"):
            raise Refused(400, "unreadable_document", "The PDF is broken.")
        queued: Mapping[str, Any] = {"status": "queued", "progress": 0.0, "filename": name, "title": name}
        made = {**api.documents[0], **queued, "id": f"doc_new{len(api.documents)}"}
        api.documents.append(made)
        return made

    @app.delete("/api/documents/{identity}", status_code=204)
    async def delete(identity: str) -> None:
        api.documents[:] = [each for each in api.documents if each["id"] != identity]

    @app.post("/api/search")
    async def search(said: Json) -> Json:
        quote = data.citation()
        hit = {
            "document_id": "doc_0001",
            "title": quote["title"],
            "headings": quote["headings"],
            "text": quote["quote"],
            "start": 0,
            "end": 80,
            "position": 0,
            "score": 0.913,
        }
        return page([hit, {**hit, "text": data.HOSTILE, "score": 0.41}], answerability=0.88)

    @app.get("/api/evals")
    async def evaluations() -> Json:
        return page(api.evaluations)

    @app.get("/api/evals/{identity}")
    async def evaluation(identity: str) -> Json:
        return next(each for each in api.evaluations if each["id"] == identity)

    @app.get("/api/evals/{identity}/report")
    async def report(identity: str) -> Response:
        return HTMLResponse(console_judged.REPORT)


def _payments(app: FastAPI, api: ConsoleApi) -> None:
    @app.get("/api/fraud/decisions")
    async def payments(
        band: str | None = None, undecided: bool = False, limit: int = 20, before: int | None = None
    ) -> Json:
        found = [
            each
            for each in api.payments
            if band in (None, each["band"])
            and not (undecided and each["outcome"])
            and (before is None or each["number"] < before)
        ]
        return {**page(found[:limit]), "has_more": len(found) > limit}

    def known(identity: str) -> Json:
        for each in api.payments:
            if each["transaction_id"] == identity:
                return each
        raise Refused(404, "not_found", f"no decision about the transaction {identity}")

    @app.get("/api/fraud/decisions/{identity}")
    async def payment(identity: str) -> Json:
        return known(identity)

    @app.post("/api/fraud/lists/{which}", status_code=201)
    async def put_on_list(which: str, said: Json) -> Json:
        api.received.append((which, said))
        return {"object": "fraud.listed", "list": which, **said, "by": "key:key_s1", "at": data.moment()}

    @app.post("/api/fraud/decisions/{identity}/outcome")
    async def outcome(request: Request, identity: str, said: Json) -> Json:
        by = f"key:{data.KEYS[request.state.key]['key_id']}"
        api.received.append(("outcome", {"id": identity, **said}))
        known(identity).update(outcome=said["outcome"], outcome_by=by, outcome_at=data.moment())
        return known(identity)


@contextmanager
def serving(api: ConsoleApi, port: int = 0) -> Iterator[str]:
    """Serve in a thread of its own while the block runs; yields the base URL."""
    config = uvicorn.Config(create_app(api), port=port, lifespan="off", log_config=None, access_log=False)
    server = uvicorn.Server(config)
    bound = config.bind_socket()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    finally:
        api.gate.set()
        server.should_exit = True
        server.force_exit = True
        thread.join(10)
        bound.close()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--port", type=int, default=8010)
    with serving(ConsoleApi(pace=0.06), arguments.parse_args().port) as url:
        print(f"The console on a fake API: {url}/console, keys {', '.join(data.KEYS)}")
        threading.Event().wait()
