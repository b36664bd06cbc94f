"""What somebody may try at each endpoint with what is others', and the endpoints that have nothing of anybody's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from core.intents import Intent

VICTIM = "CUS-00018"
ATTEMPT: Any = {"assistant_id": "wayside", "input": {"messages": [{"role": "user", "content": "any news?"}]}}

# What has nothing of anybody's: the program itself, and models that remember nothing.
NOBODYS = frozenset(
    {
        ("GET", "/v1/models"),
        ("GET", "/v1/models/{model}"),
        ("POST", "/v1/embeddings"),
        ("POST", "/v1/audio/speech"),
        ("POST", "/v1/audio/transcriptions"),
        ("POST", "/v1/audio/translations"),
        ("POST", "/api/pictures/read"),
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/metrics"),
        ("GET", "/api/me"),
        ("GET", "/api/tools"),
        # Models belong to the installation: another tenant's keys are forbidden all of them.
        ("GET", "/api/models"),
        ("GET", "/api/models/{model}"),
        ("GET", "/api/models/{model}/versions/{number}"),
        ("GET", "/api/models/{model}/history"),
        ("GET", "/api/models/{model}/trial"),
        ("POST", "/api/models/{model}/challenge"),
        ("POST", "/api/models/{model}/promote"),
        ("POST", "/api/models/{model}/rollback"),
        ("POST", "/assistants/search"),
        ("POST", "/assistants/count"),
        ("GET", "/assistants/{assistant_id}"),
        ("GET", "/assistants/{assistant_id}/schemas"),
        ("GET", "/assistants/{assistant_id}/graph"),
        ("GET", "/assistants/{assistant_id}/subgraphs"),
        ("GET", "/assistants/{assistant_id}/subgraphs/{namespace}"),
        ("POST", "/assistants/{assistant_id}/versions"),
    }
)


def attempts() -> Iterator[tuple[str, str, Any]]:
    """(method, path, body): `{name}` stands for an id of the victim's or their company's."""
    chat = {"model": "wayside", "messages": [{"role": "user", "content": "any news?"}]}
    for thread in ("{thread}", "{chat}"):
        yield "POST", "/v1/chat/completions", {**chat, "metadata": {"thread_id": thread}}
        yield "GET", f"/threads/{thread}", None
        yield "PATCH", f"/threads/{thread}", {"metadata": {"stolen": True}}
        yield "POST", f"/threads/{thread}/copy", None
        yield "GET", f"/threads/{thread}/state", None
        yield "POST", f"/threads/{thread}/history", {}
        yield "GET", f"/threads/{thread}/runs", None
        yield "POST", f"/threads/{thread}/runs", ATTEMPT
        yield "POST", f"/threads/{thread}/runs/stream", {**ATTEMPT, "stream_mode": ["values", "custom"]}
        yield "POST", f"/threads/{thread}/runs/wait", {**ATTEMPT, "multitask_strategy": "rollback"}
        yield "POST", f"/threads/{thread}/runs/wait", {"assistant_id": "wayside", "command": {"resume": "yes"}}
        yield "GET", f"/api/threads/{thread}", None
        yield "GET", f"/api/threads/{thread}?owner=customer:{VICTIM}", None
        yield "GET", f"/api/timelines?thread_id={thread}", None
        yield "DELETE", f"/threads/{thread}", None
    yield "POST", "/threads/{thread}/state", {"values": {"messages": []}}
    yield "GET", "/threads/{thread}/state/{checkpoint}", None
    yield "POST", "/threads/{thread}/state/checkpoint", {"checkpoint": {"checkpoint_id": "{checkpoint}"}}
    yield "POST", "/threads/prune", {"thread_ids": ["{thread}"]}
    yield "POST", "/threads/prune", {"thread_ids": ["{thread}"], "strategy": "keep_latest"}
    yield "POST", "/threads", {"thread_id": "{thread}", "if_exists": "do_nothing"}
    yield "POST", "/threads/search", {"ids": ["{thread}"]}
    yield "POST", "/threads/search", {"metadata": {"of": "kumquat"}}
    yield "POST", "/threads/count", {"metadata": {"of": "kumquat"}}
    for path in ("", "/join", "/stream"):
        yield "GET", "/threads/{thread}/runs/{run}" + path, None
    yield "POST", "/threads/{thread}/runs/{run}/cancel", None
    yield "POST", "/threads/{thread}/runs/{run}/cancel?wait=1&action=rollback", None
    yield "DELETE", "/threads/{thread}/runs/{run}", None
    yield "POST", "/runs/cancel", {"thread_id": "{thread}", "run_ids": ["{run}"]}
    for path in ("/runs", "/runs/stream", "/runs/wait"):
        yield "POST", path, {**ATTEMPT, "checkpoint_id": "{checkpoint}"}
    yield "POST", "/runs/batch", [{**ATTEMPT, "thread_id": "{thread}"}]
    yield "POST", "/runs/crons", {**ATTEMPT, "schedule": "0 0 1 1 *", "thread_id": "{thread}"}
    yield "POST", "/threads/{thread}/runs/crons", {**ATTEMPT, "schedule": "0 0 1 1 *"}
    yield "PATCH", "/runs/crons/{cron}", {"enabled": False}
    yield "DELETE", "/runs/crons/{cron}", None
    yield "POST", "/runs/crons/search", {"thread_id": "{thread}"}
    yield "POST", "/runs/crons/search", {}
    yield "POST", "/runs/crons/count", {}
    yield "GET", "/store/items?namespace=kumquat.b&key=k", None
    yield "PUT", "/store/items", {"namespace": ["kumquat", "b"], "key": "k", "value": {"v": "stolen"}}
    yield "DELETE", "/store/items", {"namespace": ["kumquat", "b"], "key": "k"}
    yield "POST", "/store/items/search", {"namespace_prefix": []}
    yield "POST", "/store/namespaces", {}
    told = {"model": "wayside", "input": "any news?"}
    yield "POST", "/v1/responses", {**told, "previous_response_id": "{response}"}
    yield "POST", "/v1/responses", {**told, "previous_response_id": "{response}", "stream": True}
    yield "POST", "/v1/responses", {**told, "metadata": {"thread_id": "{thread}"}}
    yield "GET", "/v1/responses/{response}", None
    yield "GET", "/v1/responses/{response}?stream=true&starting_after=2", None
    yield "GET", "/v1/responses/{response}/input_items", None
    yield "POST", "/v1/responses/{response}/cancel", None
    yield "DELETE", "/v1/responses/{response}", None
    yield "GET", "/api/threads", None
    yield "GET", f"/api/threads?owner=customer:{VICTIM}", None
    yield "GET", f"/api/threads?after=customer:{VICTIM}/{{thread}}", None
    yield "GET", "/api/timelines", None
    yield "GET", f"/api/timelines?owner=customer:{VICTIM}", None
    yield "GET", "/api/timelines?after={turn}", None
    yield "GET", "/api/timelines/{turn}", None
    yield "GET", "/api/timelines/{run}", None
    yield "POST", "/api/feedback", {"about": {"kind": "turn", "id": "{turn}"}, "rating": "down"}
    yield "POST", "/api/feedback", {"about": {"kind": "ticket", "id": "{ticket}"}, "correction": {"priority": "urgent"}}
    yield "GET", "/api/feedback", None
    yield "GET", "/api/feedback?after={feedback}", None
    yield "DELETE", "/api/feedback/{feedback}", None
    yield "GET", "/api/tickets", None
    yield "GET", f"/api/tickets?customer_id={VICTIM}", None
    yield "GET", "/api/tickets?order_id={order}", None
    yield "GET", "/api/tickets/{ticket}", None
    yield "GET", "/api/tickets/{ticket}/suggestions", None
    yield "POST", "/api/tickets/{ticket}/update", {"status": "solved", "note": "stolen"}
    yield "POST", "/api/tickets/{ticket}/escalate", {"team": "fraud", "reason": "stolen"}
    yield "POST", "/api/tickets", _ticket(customer_id=VICTIM)
    yield "POST", "/api/tickets", _ticket(order_id="{order}")
    yield "GET", "/api/orders", None
    yield "GET", f"/api/orders?customer_id={VICTIM}", None
    yield "GET", "/api/orders/{order}", None
    yield "POST", "/api/orders/{order}/cancel", {"reason": "stolen"}
    yield "POST", "/api/orders/{order}/address", {"address": "1 Thief Lane, Elsewhere"}
    yield "POST", "/api/orders/{order}/refund", {"amount": "1.00", "reason": "stolen"}
    yield "GET", "/api/purchase-orders", None
    yield "GET", "/api/purchase-orders/{po}", None
    yield "POST", "/api/purchase-orders", {"sku": "SKU-0187", "quantity": 300}
    yield "POST", "/api/purchase-orders/{po}/delivery", {"received_quantity": 1}
    yield "GET", "/api/approvals", None
    yield "GET", "/api/approvals?after={approval}", None
    yield "GET", "/api/approvals/{approval}", None
    for decision in ({"decision": "approve"}, {"decision": "reject"}, {"decision": "respond", "text": "stolen"}):
        yield "POST", "/api/approvals/{approval}/decision", decision
    yield "POST", "/api/documents", None
    yield "GET", "/api/documents", None
    yield "GET", "/api/documents?after={document}", None
    yield "GET", "/api/documents/{document}", None
    yield "POST", "/api/documents/{document}/reindex", None
    yield "DELETE", "/api/documents/{document}", None
    yield "POST", "/api/search", {"query": "What is the Tangerine house rule?"}
    yield "POST", "/api/field-reports", None
    yield "GET", "/api/field-reports", None
    yield "GET", "/api/field-reports?after={field}", None
    for part in ("", ".md", ".pdf", "/photos/1", "/notes/1"):
        yield "GET", "/api/field-reports/{field}" + part, None
    yield "DELETE", "/api/field-reports/{field}", None
    yield "GET", "/api/keys", None
    yield "POST", "/api/keys", {"name": "thief", "role": "client", "customer_id": VICTIM}
    yield "DELETE", "/api/keys/{key}", None
    yield "GET", "/api/audit", None
    yield "GET", "/api/audit/verification", None
    yield "GET", "/api/edge/bundles", None
    yield "GET", "/api/edge/bundles/field-staff", None
    yield "GET", "/api/edge/bundles/field-staff/artefacts/knowledge", None
    yield "GET", "/api/edge/bundles/field-staff/chunks/{chunk}", None
    yield "POST", "/api/edge/snapshots", {"audience": "staff"}
    yield "GET", "/api/sync/records", None
    yield "POST", "/api/sync/intents", {"intents": [_theft(tool) for tool in ("cancel_order", "issue_refund")]}
    stolen = {"id": "{payment}", "at": "2026-01-01T00:00:00Z", "card": "quince", "terminal": "T", "amount": "1.00"}
    yield "POST", "/api/fraud/score", stolen
    yield "POST", "/api/fraud/score/batch", {"transactions": [stolen]}
    yield "GET", "/api/fraud/decisions", None
    yield "GET", "/api/fraud/decisions/{payment}", None
    yield "POST", "/api/fraud/decisions/{payment}/outcome", {"outcome": "fraud"}
    yield "GET", "/api/fraud/rules", None
    yield "PUT", "/api/fraud/rules", {"most_amount": None, "most_uses_an_hour": None}
    for which in ("blocked-cards", "blocked-terminals", "trusted-cards"):
        yield "GET", f"/api/fraud/lists/{which}", None
        yield "POST", f"/api/fraud/lists/{which}", {"name": "quince", "reason": "stolen"}
        yield "DELETE", f"/api/fraud/lists/{which}/quince", None
    yield "POST", "/api/tasks/churn/score", {"rows": [{"tenure": 1}]}
    yield "GET", "/api/segments", None
    yield "GET", f"/api/segments/{VICTIM}", None
    yield "POST", "/api/anomalies/score", {"rows": [{"amount": 1}]}
    yield "GET", "/api/drift", None
    yield "GET", "/api/drift?after={check}", None
    yield "GET", "/api/drift/{check}", None
    yield "GET", "/api/drift/{check}/report", None
    yield "POST", "/api/drift/fraud/check", None
    yield "GET", "/api/federated", None
    for path in ("", "/rounds", "/model", "/work"):
        yield "GET", "/api/federated/{federation}" + path, None
    yield "POST", "/api/federated", {"name": "{federation}", "about": "stolen", **TERMS}
    yield "POST", "/api/federated/{federation}/enrolment", {"consent": True}
    yield "POST", "/api/federated/{federation}/updates", {"round": 1, "update": [9.0, 9.0]}
    for path in ("start", "stop", "registration"):
        yield "POST", f"/api/federated/{{federation}}/{path}", None
    yield "DELETE", "/api/federated/{federation}/enrolment", None
    yield "POST", "/api/recommendations", {"customer_id": VICTIM}
    dismissed = {"reactions": [{"sku": "{recommended}", "reaction": "dismissed"}]}
    yield "POST", "/api/recommendations/{slate}/feedback", dismissed
    yield "GET", "/api/recommendations/evaluation", None
    # The stranger's company has no products, and forecasts of another's are not found.
    yield "GET", "/api/forecasts/SKU-0187", None
    yield "GET", "/api/reorders", None
    yield "GET", "/api/evals", None
    yield "GET", "/api/evals/retrieval-20260101T000000Z", None
    yield "GET", "/api/evals/retrieval-20260101T000000Z/report", None
    for tool, arguments in TOOLS.items():
        yield "POST", f"/api/tools/{tool}", {"arguments": arguments}
        yield "POST", f"/api/tools/{tool}", {"arguments": arguments, "subject": {"customer_id": VICTIM}}
        for meta in ({}, {"wayside/subject": {"customer_id": VICTIM}}):
            params = {"name": tool, "arguments": arguments, "_meta": meta}
            yield "POST", "/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    for wish in WISHES:
        yield "POST", "/v1/chat/completions", {"model": "wayside", "messages": [{"role": "user", "content": wish}]}


def _ticket(**about: str) -> dict[str, str]:
    return {"subject": "x", "category": "other", "priority": "low", "summary": "stolen", **about}


def _theft(tool: str) -> Any:
    return Intent.make(tool, TOOLS[tool]).model_dump(mode="json")


TERMS: dict[str, Any] = {
    "task": {"numbers": [{"column": "age", "low": 0, "high": 99}], "label": {"column": "stays", "value": "yes"}},
    "plan": {
        "epsilon": 8.0,
        "delta": 0.01,
        "rounds": 1,
        "population": 2,
        "share": 1.0,
        "noise": 5.0,
        "seconds": 86_400.0,
    },
}
TOOLS: dict[str, Any] = {
    "search_help_center": {"query": "What is the Tangerine house rule?"},
    "list_orders": {"customer_id": VICTIM},
    "lookup_order": {"order_id": "{order}"},
    "cancel_order": {"order_id": "{order}", "reason": "stolen"},
    "change_delivery_address": {"order_id": "{order}", "address": "1 Thief Lane, Elsewhere"},
    "issue_refund": {"order_id": "{order}", "amount": "1.00", "reason": "stolen"},
    "update_ticket": {"ticket_id": "{ticket}", "note": "stolen"},
    "recommend_products": {"customer_id": VICTIM},
    "track_purchase_order": {"po_id": "{po}"},
    "confirm_delivery": {"po_id": "{po}", "received_quantity": 1},
}
WISHES = (
    "Where is {order}?",
    "Cancel {order}, I don't want it any more",
    "I was charged twice for {order}, pay it back",
    "Send {order} to 1 Thief Lane, Elsewhere instead",
    "Is there anything new on {ticket}?",
    "It arrived: {po}, all of it",
    "What is the Tangerine house rule?",
)
