"""Where an answer's text marks its citations, as OpenAI's `url_citation` says it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from core.types import ATTACHED


def marked(text: str, citations: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One object for each place where the text has the mark of a citation; the citation's own fields come along.

    `start_index` and `end_index` are the characters of the mark within the text.
    """
    return [
        {
            "url": _url(citation["document_id"]),
            "start_index": found.start(),
            "end_index": found.end(),
            **citation,
        }
        for citation in citations
        for found in re.finditer(rf"\[{citation['marker']}\]", text)
    ]


def _url(document_id: str) -> str:
    # The client's types know URL citations only, and an attached document lies nowhere: its id is a URI as it stands.
    return document_id if document_id.startswith(ATTACHED) else f"/api/documents/{document_id}"
