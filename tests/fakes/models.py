"""Chat models with a script."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import Field

from core.errors import EngineUnavailable


class ScriptedModel(BaseChatModel):
    """Says its lines, one a call, a word at a time; fails with `EngineUnavailable` when it has none left."""

    lines: list[str]
    heard: list[list[BaseMessage]] = Field(default_factory=list)
    spoken: int = 0

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        usage = UsageMetadata(input_tokens=5, output_tokens=7, total_tokens=12)
        reply = AIMessage(self._next(messages), usage_metadata=usage)
        return ChatResult(generations=[ChatGeneration(message=reply)])

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        for word in self._next(messages).split(" "):
            message = AIMessageChunk(content=word + " ", response_metadata={"engine": "scripted"})
            self.spoken += 1
            yield ChatGenerationChunk(message=message)

    def _next(self, messages: list[BaseMessage]) -> str:
        self.heard.append(messages)
        if not self.lines:
            raise EngineUnavailable("the script has no more lines")
        return self.lines.pop(0)
