"""The report of a run: one page to look at, and the same figures as JSON."""

from __future__ import annotations

import html
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import orjson
from matplotlib.figure import Figure

from finetune.checkpoints import History
from finetune.checks import Findings
from finetune.exporting import File
from finetune.parity import Parity
from finetune.training import Held

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1d2733 }
table { border-collapse: collapse; margin: 1rem 0 } td, th { padding: .25rem .9rem .25rem 0; text-align: left }
td + td, th + th { text-align: right } tr { border-bottom: 1px solid #d8dee6 }
pre { background: #f3f5f8; padding: 1rem; overflow-x: auto; white-space: pre-wrap }
svg { max-width: 100%; height: auto }
"""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a run was made of and came to: its lineage, its curve, its files."""

    name: str
    recipe: dict[str, Any]
    recipe_sha256: str
    data_sha256: str
    start_sha256: str
    base_sha256: str
    rows: Findings
    packs: int
    packed_tokens: int
    untuned: Held
    tuned: Held
    history: History
    parity: Parity | None
    files: Sequence[File]
    seconds: float
    torch: str


def write_report(report: Report, folder: Path) -> None:
    """Write `report.json` and `report.html` into the folder."""
    (folder / "report.json").write_bytes(orjson.dumps(asdict(report), option=orjson.OPT_INDENT_2))
    (folder / "report.html").write_text(_page(report), encoding="utf-8")


def _page(report: Report) -> str:
    history = report.history
    speed = history.tokens / history.seconds if history.seconds else 0.0
    facts = {
        "rows": f"{report.rows.rows:,}, of which held out {report.rows.held_out:,}",
        "tokens read": f"{report.packed_tokens:,} in {report.packs:,} packs; one by one they would be "
        f"{report.rows.tokens:,}",
        "tokens learned": f"{report.rows.learned:,}",
        "steps": f"{history.step:,}; the best is {history.best:,}",
        "training": f"{history.seconds / 60:.1f} minutes, {speed:,.0f} tokens a second",
        "the whole run": f"{report.seconds / 60:.1f} minutes",
        "recipe": report.recipe_sha256,
        "data": report.data_sha256,
        "base": report.base_sha256 or "no file",
        "started from": report.start_sha256 or "nothing",
    }
    held = [
        ("before", f"{report.untuned.loss:.4f}", f"{report.untuned.exact:.1%}"),
        ("after", f"{report.tuned.loss:.4f}", f"{report.tuned.exact:.1%}"),
    ]
    files = [
        (
            file.name,
            file.kind,
            f"{file.size / 1e6:.1f} MB",
            f"{file.speed:.0f}",
            f"{file.held.loss:.4f}" if file.held else "",
            f"{file.held.exact:.1%}" if file.held else "",
        )
        for file in report.files
    ]
    parts = [
        f"<h1>{html.escape(report.name)}</h1><p>{html.escape(str(report.recipe['about']))}</p>",
        _table(("", ""), facts.items()),
        "<h2>Held-out rows</h2>",
        _table(("", "loss a token", "whole answers"), held),
        _curve(history),
    ]
    if report.parity is not None:
        told = (
            f"The adapter in llama.cpp against torch, both in float32: the logits differ by at most "
            f"{report.parity.difference:.4f}; {report.parity.same} of {report.parity.prompts} continuations are equal."
        )
        parts.append(f"<h2>Parity</h2><p>{told}</p>")
    if files:
        head = ("file", "type", "size", "tokens a second", "held-out loss", "whole answers")
        parts += ["<h2>Files</h2>", _table(head, files)]
    example = html.escape(report.rows.example)
    parts.append(
        f"<h2>A row as the model gets it</h2><p>What is learned stands between ⟦ and ⟧.</p><pre>{example}</pre>"
    )
    title = html.escape(report.name)
    head_ = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>'
    body = "".join(parts)
    return f'<!doctype html><html lang="en"><head>{head_}<style>{_STYLE}</style></head><body>{body}</body></html>'


def _table(head: Sequence[str], rows: Any) -> str:
    titles = "".join(f"<th>{html.escape(each)}</th>" for each in head)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{titles}</tr>{body}</table>" if any(head) else f"<table>{body}</table>"


def _curve(history: History) -> str:
    """Loss by step, in SVG whose bytes depend on the figures alone."""
    with mpl.rc_context({"svg.hashsalt": "wayside", "font.family": "DejaVu Sans"}):
        figure = Figure(figsize=(9, 4), layout="constrained")
        axes = figure.add_subplot()
        axes.plot([each["step"] for each in history.losses], [each["loss"] for each in history.losses], lw=0.8)
        axes.plot(
            [each["step"] for each in history.evaluations], [each["loss"] for each in history.evaluations], marker="o"
        )
        axes.set(xlabel="step", ylabel="loss a token", yscale="log")
        axes.legend(["training", "held out"])
        axes.grid(alpha=0.3)
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", metadata={"Date": None})
    return drawn.getvalue()[drawn.getvalue().index("<svg") :]
