"""Asks the documents on behalf of a ticket: searched with all that it says, answered as to what it asks.

::

    retrieve ─┬─ answer ──┐
              └─ decline ─┴─ end

The steps are those of `agents.knowledge`, so that nothing unchecked is said. A ticket tells a story around its
question: the story finds the right document, and only the question the right sentence in it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseChatModel
from langgraph.graph import END, START, StateGraph

from agents.knowledge import Graph, KnowledgeContext, KnowledgeNodes, KnowledgePolicy, KnowledgeState
from agents.relevance import Relevance
from core.ports import PassageSearch
from core.sentences import sentences
from core.types import Answer, Audience, Scope, Usage

# A letter is held to more than an answer in a chat, where the person can ask again.
_ANSWERABLE = 0.7
# What a ticket says after so many characters finds nothing better.
_LONGEST = 2_000


class Consulting:
    """Finds what the documents say to a ticket. Safe to share between requests."""

    def __init__(
        self,
        model: BaseChatModel,
        search: PassageSearch,
        embeddings: Embeddings,
        policy: KnowledgePolicy | None = None,
    ) -> None:
        policy = replace(policy or KnowledgePolicy(), answerable=_ANSWERABLE)
        self._graph = _graph(KnowledgeNodes(model, search, Relevance(embeddings), policy))

    async def ask(self, tenant: str, ticket_id: str, subject: str, message: str) -> Answer:
        """The answer to the ticket, from the documents that its customer may be shown, whoever of the staff asks."""
        text = f"{subject}\n{message}".strip()[:_LONGEST] or ticket_id
        given: KnowledgeState = {
            "messages": [],
            "question": text,
            "asked": _question(subject, message[:_LONGEST]) or text,
            "earlier": "",
            "usage": Usage(),
        }
        context = KnowledgeContext(Scope(tenant, (Audience.PUBLIC,)), ticket_id)
        answer = None
        async for piece in self._graph.astream(given, context=context, stream_mode="custom"):
            answer = piece if isinstance(piece, Answer) else answer
        if answer is None:
            raise RuntimeError("the graph ended without an answer")
        return answer


def _question(subject: str, message: str) -> str:
    """What is asked: the subject and the message's questions, or all of a message that has none."""
    parts = [message[start:end] for start, end in sentences(message)]
    asked = [part for part in parts if part.endswith("?")]
    return " ".join([subject, *(asked or parts)]).strip()


def _graph(nodes: KnowledgeNodes) -> Graph:
    """Without a checkpointer: what is asked for a ticket belongs to no thread."""
    graph = StateGraph(KnowledgeState, context_schema=KnowledgeContext)
    # The stubs hold a step with a runtime for another kind than one without.
    steps: dict[str, Any] = {"retrieve": nodes.retrieve, "answer": nodes.answer, "decline": nodes.decline}
    for name, step in steps.items():
        graph.add_node(name, step)
    graph.add_edge(START, "retrieve")
    graph.add_conditional_edges("retrieve", nodes.whether_to_answer)
    graph.add_edge("answer", END)
    graph.add_edge("decline", END)
    return graph.compile(name="consulting")
