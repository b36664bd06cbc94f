"""What the agents read in the documents."""

from __future__ import annotations

from typing import Any

from agents.tools.arguments import SearchHelpCenter
from agents.tools.tool import Caller, Reading
from core.canonical import JSON
from core.ports import PassageSearch

_PASSAGES = 5


def knowledge_tools(search: PassageSearch) -> list[Reading[Any]]:
    """The tools on the documents; a caller finds what its audiences may be shown."""

    async def search_help_center(caller: Caller, given: SearchHelpCenter) -> JSON:
        found = await search.search(given.query, caller.principal.scope, _PASSAGES)
        return {
            "answerability": round(found.answerability, 4),
            "passages": [
                {
                    "document_id": hit.passage.document_id,
                    "title": hit.passage.title,
                    "headings": list(hit.passage.headings),
                    "text": hit.passage.text,
                }
                for hit in found.hits
            ],
        }

    return [
        Reading(
            name="search_help_center",
            description="Find what the help centre says about a question.",
            arguments=SearchHelpCenter,
            read=search_help_center,
        )
    ]
