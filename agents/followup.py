"""Makes a follow-up question understandable on its own, so that a search can be made with it."""

from __future__ import annotations

import re

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage, SystemMessage

from agents.words import content_stems, names, numbers, words
from core.errors import EngineError
from core.types import Usage

_LEANS_BACK = re.compile(
    r"^(and|or|but|so|also|what about|how about|why not|what if|which one|same)\b"
    r"|\b(then|such|it|its|they|them|their|that|this|those|these|there|one|ones|he|she|him|her|otherwise|instead|else)\b",
    re.IGNORECASE,
)
_SHORTEST = 2
_LONGEST_WORDS = 60
_ASK = (
    "Rewrite the customer's last question so that it can be understood without the conversation. "
    "Reply with the rewritten question only."
)


def leans_back(question: str) -> bool:
    """Whether the question points at what was said before: by a pronoun, by its opening, or by saying too little."""
    tokens = words(question)
    return _LEANS_BACK.search(question.strip()) is not None or len(content_stems(tokens) | numbers(tokens)) < _SHORTEST


async def stand_alone(question: str, earlier: str, model: BaseChatModel) -> tuple[str, Usage]:
    """Return the follow-up as a question of its own, and what asking the model cost.

    The model's rewriting is taken only when it is faithful: one line that keeps the follow-up's own content and
    adds nothing that the two questions do not have. Otherwise, or when no engine answers, the two questions
    stand side by side, which a search understands as well.
    """
    side_by_side = f"{earlier} {question}"
    try:
        reply = await model.ainvoke(
            [SystemMessage(_ASK), HumanMessage(f"Earlier question: {earlier}\nLast question: {question}")],
            max_tokens=_LONGEST_WORDS,
            temperature=0.0,
        )
    except EngineError:
        return side_by_side, Usage()
    counted = reply.usage_metadata
    usage = Usage(counted["input_tokens"], counted["output_tokens"]) if counted else Usage()
    rewritten = str(reply.text).strip()
    return (rewritten if _faithful(rewritten, question, earlier) else side_by_side), usage


def _faithful(rewritten: str, question: str, earlier: str) -> bool:
    got, last, first = words(rewritten), words(question), words(earlier)
    said = content_stems(first) | content_stems(last)
    borrowed = content_stems(got) & (content_stems(first) - content_stems(last))
    return (
        0 < len(got) <= _LONGEST_WORDS
        and "\n" not in rewritten
        and content_stems(got) <= said
        and content_stems(last) <= content_stems(got)
        and bool(borrowed)
        and numbers(got) <= numbers(first) | numbers(last)
        and names(got) <= {word.folded for word in first + last}
    )
