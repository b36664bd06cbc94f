"""What a payment that came along a stream is answered with: its decision, or what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from app.fraud.payments import Payment
from core.errors import Conflict, InvalidInput
from tabular.fraud.decisions import Recorded
from tabular.fraud.live import LiveFraud

SHOWN = 10_000
"""Characters of what is no payment that are shown. All of it may be longer in JSON than a broker takes, and what could
not be answered would come again for ever, and nothing behind it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is to be published, as JSON. `transaction` is None for what is no payment."""

    transaction: str | None
    body: Mapping[str, Any]


async def answer(live: LiveFraud, tenant: str, data: bytes, message: str | int) -> Answer:
    """Decide about a payment, which lies in its stream at `message`.

    A payment that was decided about before gets the same decision. What raises is the database's, and passes: the
    message has to be taken again.
    """
    try:
        transaction = Payment.model_validate_json(data).transaction()
        return Answer(transaction.id, _told(await live.score(tenant, transaction)))
    except ValidationError as problem:
        first = problem.errors()[0]
        wrong = f"{'.'.join(map(str, first['loc']))}: {first['msg']}".removeprefix(": ")
    except (InvalidInput, Conflict) as problem:
        wrong = problem.message
    # What is wrong may name a field that nobody expects, however long.
    shown = data.decode(errors="replace")[:SHOWN]
    return Answer(None, {"message": message, "wrong": wrong[:SHOWN], "data": shown})


def _told(recorded: Recorded) -> Mapping[str, Any]:
    decision = recorded.decision
    return {
        "transaction_id": recorded.transaction.id,
        "band": decision.band.value,
        "probability": decision.probability,
        "reasons": [each.text for each in decision.reasons],
        "rules": list(decision.rules),
        "model": decision.model,
        "number": recorded.number,
        "decided_at": recorded.decided_at.isoformat(),
    }
