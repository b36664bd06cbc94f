"""The steps of knowledge as a graph of their own, without anything that acts."""

from __future__ import annotations

from typing import Any

from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseChatModel
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph

from agents.knowledge import Graph, KnowledgeContext, KnowledgeNodes, KnowledgePolicy, KnowledgeState
from agents.relevance import Relevance
from core.ports import PassageSearch


def build_knowledge(
    model: BaseChatModel,
    search: PassageSearch,
    embeddings: Embeddings,
    checkpointer: BaseCheckpointSaver[Any] | None,
    policy: KnowledgePolicy | None = None,
) -> Graph:
    """Compile the graph on a model, a search, embeddings and (for threads that last) a checkpointer."""
    nodes = KnowledgeNodes(model, search, Relevance(embeddings), policy or KnowledgePolicy())
    graph = StateGraph(KnowledgeState, context_schema=KnowledgeContext)
    graph.add_node("receive", nodes.receive)
    graph.add_node("understand", nodes.understand)
    graph.add_node("retrieve", nodes.retrieve)
    graph.add_node("answer", nodes.answer)
    graph.add_node("decline", nodes.decline)
    graph.add_edge(START, "receive")
    graph.add_edge("receive", "understand")
    graph.add_edge("understand", "retrieve")
    graph.add_conditional_edges("retrieve", nodes.whether_to_answer)
    graph.add_edge("answer", END)
    graph.add_edge("decline", END)
    return graph.compile(checkpointer=checkpointer, name="knowledge")
