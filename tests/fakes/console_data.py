"""What the console's fake API answers with: a small shop's records, and text that tries to be markup."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

HOSTILE = '<img src=x onerror="window.broken=1"><script>window.broken=2</script><b>bold</b>'
LONG_WORD = "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz" * 2

KEYS: dict[str, dict[str, Any]] = {
    "wsk_client": {"key_id": "key_c1", "role": "client", "customer_id": "CUS-00210"},
    "wsk_staff": {"key_id": "key_s1", "role": "staff", "customer_id": None},
    "wsk_engineer": {"key_id": "key_e1", "role": "engineer", "customer_id": None},
    "wsk_admin": {"key_id": "key_a1", "role": "admin", "customer_id": None},
}
OWNERS = {
    key: f"customer:{who['customer_id']}" if who["customer_id"] else f"key:{who['key_id']}" for key, who in KEYS.items()
}


def moment(**ago: float) -> str:
    """A time so long ago; negative for one to come."""
    return (datetime.now(UTC) - timedelta(**ago)).isoformat()


def citation(marker: int = 1) -> dict[str, Any]:
    return {
        "marker": marker,
        "document_id": "doc_7c1e0a",
        "title": "Returns policy",
        "headings": ["How long you have"],
        "quote": "You have 60 days from delivery to send something back, without giving a reason.",
        "start": 214,
        "end": 293,
        "score": 0.913,
        "verdict": "verbatim",
    }


def answer(
    text: str, *, citations: list[dict[str, Any]] | None = None, approvals: list[str] | None = None
) -> dict[str, Any]:
    return {
        "type": "answer",
        "thread_id": "",
        "text": text,
        "citations": citations or [],
        "declined": False,
        "engine": "smollm2-135m",
        "usage": {"prompt_tokens": 412, "completion_tokens": 23},
        "approvals": approvals or [],
    }


def approval(identity: str, **other: Any) -> dict[str, Any]:
    return {
        "object": "approval",
        "id": identity,
        "tool": "issue_refund",
        "arguments": {"order_id": "ORD-10421", "amount": "89.00", "reason": "charged twice"},
        "subject": {"customer_id": "CUS-00210", "order_id": "ORD-10421"},
        "thread": "thread-refund",
        "proposed_by": "key_c1",
        "reason": "refunded 89.00 is above 50.00",
        "by": "staff",
        "assignee": None,
        "quorum": 1,
        "four_eyes": True,
        "created_at": moment(hours=2),
        "expires_at": moment(hours=-70),
        "status": "pending",
        "votes": [],
        "approved": None,
        "decided_at": None,
        "effect": None,
        "result": None,
        **other,
    }


def approvals() -> dict[str, dict[str, Any]]:
    edited = {"order_id": "ORD-10188", "amount": "62.50", "reason": "arrived broken, one of two"}
    vote = {
        "by": "key_s2",
        "at": moment(hours=20),
        "decision": "edit",
        "arguments": edited,
        "text": "Only one was broken.",
    }
    each = [
        approval("apr_refund"),
        approval(
            "apr_stock",
            tool="create_purchase_order",
            arguments={"sku": "SKU-0137", "quantity": 120, "supplier_id": "SUP-07"},
            subject={},
            thread="thread-stock",
            proposed_by="key_s1",
            reason="total 1,740.00 is above 500.00",
            quorum=2,
            expires_at=moment(hours=-3),
        ),
        approval("apr_taken", reason="decided by somebody else in a moment", created_at=moment(hours=5)),
        approval(
            "apr_hostile", reason=HOSTILE, arguments={"order_id": HOSTILE, "amount": "70.00", "reason": LONG_WORD}
        ),
        approval(
            "apr_edited",
            arguments={"order_id": "ORD-10188", "amount": "125.00", "reason": "arrived broken"},
            status="approved",
            votes=[vote],
            approved=edited,
            decided_at=moment(hours=20),
            effect="done",
            result={"id": "ORD-10188", "refunded": "62.50"},
        ),
        approval(
            "apr_no",
            status="rejected",
            decided_at=moment(days=2),
            votes=[{**vote, "decision": "reject", "arguments": None}],
        ),
    ]
    return {one["id"]: one for one in each}


def tickets() -> dict[str, dict[str, Any]]:
    def ticket(number: int, subject: str, message: str, **other: Any) -> dict[str, Any]:
        return {
            "object": "ticket",
            "id": f"TCK-{number:05}",
            "customer_id": "CUS-00210",
            "order_id": "ORD-10421",
            "subject": subject,
            "message": message,
            "category": "billing",
            "priority": "normal",
            "status": "open",
            "created": moment(hours=number),
            "assignee": None,
            "team": None,
            "duplicate_of": None,
            "notes": [],
            **other,
        }

    each = [
        ticket(
            31,
            "Charged twice for one tent",
            "Hello,\n\nmy card shows 89.00 two times for ORD-10421, but I bought one tent. Please pay one back.\n\nIda",
            priority="high",
            notes=[{"at": moment(hours=3), "text": "Bank statement looks right.", "team": "billing"}],
        ),
        ticket(
            32,
            "Parcel never arrived",
            "The tracking has not moved for eight days.",
            category="delivery",
            priority="urgent",
        ),
        ticket(33, HOSTILE, HOSTILE + "\n" + LONG_WORD, category="other", customer_id=None, order_id=None),
        ticket(
            34, "How do I wash a down jacket?", "Can it go into the machine?", category="product", assignee="key_s1"
        ),
        ticket(35, "Thank you", "It arrived.", status="resolved", category="delivery", priority="low"),
    ]
    return {one["id"]: one for one in each}


def suggestions(ticket: dict[str, Any]) -> dict[str, Any]:
    hostile = ticket["subject"] == HOSTILE
    refund = {
        "tool": "issue_refund",
        "arguments": {"order_id": "ORD-10421", "amount": "89.00", "reason": "charged twice"},
        "subject": {"customer_id": "CUS-00210", "order_id": "ORD-10421", "ticket_id": ticket["id"]},
        "reasons": ["ORD-10421 was charged 178.00, its total is 89.00.", "Above 50.00 a person has to agree."],
    }
    return {
        "object": "suggestions",
        "ticket_id": ticket["id"],
        "category": {"label": ticket["category"], "probability": 0.94, "sure": True},
        "priority": {"label": "high", "probability": 0.58, "sure": False},
        "sentiment": {"label": "negative", "probability": 0.81, "sure": True},
        "team": "billing",
        "duplicates": [
            {
                "ticket_id": "TCK-00032",
                "cosine": 0.87,
                "same_customer": True,
                "subject": HOSTILE if hostile else "Parcel never arrived",
            }
        ],
        "reply": {
            "text": HOSTILE if hostile else "A double charge is paid back within five days. [1]",
            "citations": [] if hostile else [citation()],
            "declined": False,
        },
        "next_action": None if hostile else refund,
    }


def orders() -> list[dict[str, Any]]:
    def order(number: int, status: str) -> dict[str, Any]:
        return {
            "object": "order",
            "id": f"ORD-{number}",
            "customer_id": "CUS-00210",
            "status": status,
            "placed": moment(days=12),
            "shipped": moment(days=10),
            "delivered": moment(days=7) if status == "delivered" else None,
            "address": "Ida Marsh, 4 Quay Lane, 20457 Hamburg",
            "method": "standard",
            "carrier": "Northpost",
            "tracking": "NP-88213077",
            "lines": [{"sku": "SKU-0137", "quantity": 1, "unit_price": "84.05"}],
            "delivery_fee": "4.95",
            "total": "89.00",
            "paid_with": "card",
            "charged": "178.00",
            "refunded": "0.00",
        }

    return [order(10421, "delivered"), order(10188, "shipped")]


def tools() -> list[dict[str, Any]]:
    refund = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "order_id": {"type": "string", "minLength": 1, "maxLength": 64, "description": "such as ORD-10421"},
            "amount": {"type": "number", "exclusiveMinimum": 0, "description": "in the company's currency"},
            "reason": {"type": "string", "minLength": 1, "maxLength": 10000},
        },
        "required": ["order_id", "amount", "reason"],
    }
    purchase = {
        "type": "object",
        "properties": {
            "sku": {"type": "string", "maxLength": 64},
            "quantity": {"type": "integer", "minimum": 1},
            "supplier_id": {"anyOf": [{"type": "string", "maxLength": 64}, {"type": "null"}], "default": None},
        },
        "required": ["sku", "quantity"],
    }
    return [
        {"object": "tool", "name": "issue_refund", "description": "Pay back.", "parameters": refund, "acts": True},
        {
            "object": "tool",
            "name": "create_purchase_order",
            "description": "Buy.",
            "parameters": purchase,
            "acts": True,
        },
    ]


def timeline(identity: str, thread_id: str, owner: str, question: str, said: str) -> dict[str, Any]:
    steps = [
        {"kind": "node", "name": "receive", "at_ms": 0, "ms": 4.2, "detail": {"messages": 1}},
        {"kind": "node", "name": "route", "at_ms": 5, "ms": 21.7, "detail": {"way": "support", "probability": 0.93}},
        {
            "kind": "tool",
            "name": "lookup_order",
            "at_ms": 28,
            "ms": 61,
            "detail": {"arguments": {"order_id": "ORD-10421"}, "result": {"status": HOSTILE}},
        },
        {
            "kind": "model",
            "name": "smollm2-135m",
            "at_ms": 92,
            "ms": 1480,
            "detail": {"prompt_tokens": 412, "completion_tokens": 23},
        },
        {"kind": "node", "name": "check_citations", "at_ms": 1573, "ms": None, "detail": {"sentences": 1}},
    ]
    return {
        "object": "timeline",
        "id": identity,
        "thread_id": thread_id,
        "owner": owner,
        "source": "run",
        "assistant": "wayside",
        "question": question,
        "answer": said,
        "declined": False,
        "heading": {"way": "support", "tool": "lookup_order", "second": "knowledge"},
        "engine": "smollm2-135m",
        "usage": {"prompt_tokens": 412, "completion_tokens": 23},
        "status": "success",
        "started_at": moment(hours=1),
        "ms": 1612.4,
        "steps": steps,
    }


def documents() -> list[dict[str, Any]]:
    def document(number: int, title: str, **other: Any) -> dict[str, Any]:
        return {
            "id": f"doc_{number:04}",
            "source": f"help/{number}.md",
            "filename": f"{number}.md",
            "title": title,
            "media_type": "text/markdown",
            "audience": "public",
            "status": "ready",
            "progress": 1.0,
            "error": None,
            "bytes": 2300 * number,
            "characters": 2200 * number,
            "passages": 6,
            "revision": 1,
            "created_at": moment(days=3),
            "updated_at": moment(days=2),
            **other,
        }

    return [
        document(1, "Returns policy"),
        document(2, HOSTILE),
        document(3, "Wholesale terms", audience="staff", status="indexing", progress=0.4),
        document(4, "Scanned manual", status="failed", error="The PDF has no text in it.", passages=0),
    ]
