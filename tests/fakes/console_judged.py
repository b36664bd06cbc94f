"""What the console's fake API tells of models: payments that were decided about, evaluations, a report."""

from __future__ import annotations

from typing import Any

from tests.fakes.console_data import HOSTILE, LONG_WORD, moment


def payments() -> list[dict[str, Any]]:
    """Decisions about card payments, the latest first."""

    def payment(number: int, amount: str, band: str, probability: float | None, **other: Any) -> dict[str, Any]:
        reasons = [
            {
                "feature": "amount_to_mean",
                "value": 7.2,
                "weight": 2.1,
                "text": "the amount is 7.2 times the usual one",
            },
            {"feature": "terminal_frauds_28d", "value": 3.0, "weight": 0.9, "text": "3 frauds at the terminal lately"},
        ]
        return {
            "object": "fraud.decision",
            "transaction_id": f"PAY-{number:04}",
            "at": moment(hours=200 - number),
            "card": f"CRD-{number % 7:05}",
            "terminal": "TRM-04",
            "amount": amount,
            "band": band,
            "probability": probability,
            "reasons": reasons if band != "allow" else [],
            "rules": [],
            "features": {"amount": float(amount), "hours_since_use": None, "card_uses_1h": 1.0},
            "features_version": "fraud-1",
            "model": "b" * 64 if probability is not None else None,
            "number": number,
            "decided_at": moment(hours=200 - number),
            "outcome": None,
            "outcome_by": None,
            "outcome_at": None,
            **other,
        }

    ruled = [{"feature": "fast_card", "value": None, "weight": 0.0, "text": "the card was used 7 times within an hour"}]
    settled = {"outcome": "fraud", "outcome_by": "key:key_s2", "outcome_at": moment(hours=3)}
    return [
        payment(199, "1249.00", "review", 0.34),
        payment(198, "18.20", "review", None, reasons=ruled, rules=["fast_card"]),
        payment(197, "62.75", "review", 0.12, card=HOSTILE, terminal=LONG_WORD),
        payment(196, "2310.40", "block", 0.97),
        payment(195, "940.00", "review", 0.41, **settled),
        payment(194, "24.90", "allow", 0.002),
    ]


def evaluations() -> list[dict[str, Any]]:
    def evaluation(number: int, suite: str, figures: dict[str, float]) -> dict[str, Any]:
        metrics = {
            name: {"value": figure, "low": figure - 0.03, "high": figure + 0.02, "cases": 165}
            if name != "tokens"
            else {"value": figure, "low": None, "high": None, "cases": 165}
            for name, figure in figures.items()
        }
        facts = {"engine": "smollm2-135m", "embedding model": "all-minilm-l6-v2", "seed": "7"}
        return {
            "object": "evaluation",
            "id": f"evl_{number:04}",
            "suite": suite,
            "created_at": moment(days=9 - number),
            "data": "demo",
            "metrics": metrics,
            "facts": facts,
            "cases": 165,
            "errors": 0,
            "seconds": 41.6,
        }

    return [
        evaluation(3, "answering", {"answered": 0.871, "cited": 0.958, "declined rightly": 0.902, "tokens": 381.0}),
        evaluation(2, "answering", {"answered": 0.802, "cited": 0.951, "declined rightly": 0.911, "tokens": 402.0}),
        evaluation(1, "retrieval", {"ndcg@10": 0.899, "recall@10": 0.964}),
    ]


REPORT = (
    "<!doctype html><html><head><title>Report</title><style>h1 { color: rgb(1, 2, 3) }</style>"
    "<script>parent.broken = 3</script></head><body><h1>answering</h1>"
    "<img src='data:,' onerror='parent.broken = 4'><p>165 cases</p></body></html>"
)
