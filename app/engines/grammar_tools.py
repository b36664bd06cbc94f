"""Tool calls by grammar, for any LangChain chat model and for any engine."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import jsonschema_rs
import orjson
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    InvalidToolCall,
    ToolCall,
    convert_to_messages,
    convert_to_openai_messages,
)
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable

from app.engines.chat_model import ToolLike, tools_as_parameters
from app.engines.chunks import begin, whole
from app.engines.protocol import Completion, CompletionStream, Engine, Json
from app.engines.tool_grammar import ToolGrammar, tool_grammar


class GrammarTools(BaseChatModel):
    """Wraps a chat model so that `bind_tools` works by a JSON schema, whatever the model can do itself.

    The wrapped model must honour `response_format` of type `json_schema`. A call whose arguments do not fit the
    tool's schema comes back among the message's `invalid_tool_calls`, with the reason. Without tools everything
    goes straight through.
    """

    model: BaseChatModel

    @property
    def _llm_type(self) -> str:
        return "grammar-tools"

    def bind_tools(
        self, tools: Sequence[ToolLike], *, tool_choice: str | None = None, **kwargs: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Offer tools: LangChain's, pydantic models, functions or OpenAI's dicts. `tool_choice` as in `EngineChat`."""
        return self.bind(**tools_as_parameters(tools, tool_choice), **kwargs)

    def with_structured_output(
        self, schema: dict[str, Any] | type, *, include_raw: bool = False, **kwargs: Any
    ) -> Runnable[LanguageModelInput, Any]:
        """The wrapped model's own."""
        return self.model.with_structured_output(schema, include_raw=include_raw, **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        grammar, asked, options = _translate(messages, kwargs)
        return _result(self.model.invoke(asked, stop=stop, **options), grammar)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        grammar, asked, options = _translate(messages, kwargs)
        return _result(await self.model.ainvoke(asked, stop=stop, **options), grammar)

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        grammar, asked, options = _translate(messages, kwargs)
        if grammar is None:
            async for piece in self.model.astream(asked, stop=stop, **options):
                yield ChatGenerationChunk(message=piece)
            return
        # A choice among tools is of use only when it is whole.
        message = _interpreted(await self.model.ainvoke(asked, stop=stop, **options), grammar)
        fields = message.model_dump(exclude={"type"})
        yield ChatGenerationChunk(message=AIMessageChunk(**fields))


class GrammarEngine:
    """Wraps an engine so that requests with tools work by a JSON schema, whatever the engine can do itself."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def name(self) -> str:
        """The wrapped engine's name."""
        return self._engine.name

    @property
    def models(self) -> tuple[str, ...]:
        """The wrapped engine's models."""
        return self._engine.models

    async def complete(self, request: Mapping[str, Any]) -> Completion:
        """Answer as a whole."""
        if tool_grammar(request) is None:
            return await self._engine.complete(request)
        stream = await self.stream({**request, "stream": True, "stream_options": {"include_usage": True}})
        return await whole(stream)

    async def stream(self, request: Mapping[str, Any]) -> CompletionStream:
        """Answer in pieces."""
        grammar = tool_grammar(request)
        if grammar is None:
            return await self._engine.stream(request)
        stream = await self._engine.stream(grammar.request)
        chunks: Any = stream.chunks
        return CompletionStream(stream.engine, await begin(grammar.read(chunks), chunks.aclose))

    async def close(self) -> None:
        """Close the wrapped engine."""
        await self._engine.close()


def _translate(messages: list[BaseMessage], kwargs: Json) -> tuple[ToolGrammar | None, list[BaseMessage], Json]:
    """The grammar, the messages and the parameters for the wrapped model."""
    grammar = tool_grammar({**kwargs, "messages": convert_to_openai_messages(messages)})
    if grammar is None:
        return None, messages, kwargs
    options = {**grammar.request}
    return grammar, convert_to_messages(options.pop("messages")), options


def _result(message: AIMessage, grammar: ToolGrammar | None) -> ChatResult:
    spoken = message if grammar is None else _interpreted(message, grammar)
    return ChatResult(generations=[ChatGeneration(message=spoken)])


def _interpreted(message: AIMessage, grammar: ToolGrammar) -> AIMessage:
    """The message that stands for what the model wrote: a tool call, or an answer."""
    parsed = grammar.parse(str(message.text))
    kept = {"response_metadata": message.response_metadata, "usage_metadata": message.usage_metadata}
    if isinstance(parsed, str):
        return AIMessage(parsed, **kept)
    name, arguments = parsed
    identity = "call_" + secrets.token_hex(12)
    wrong = _fault(grammar.schemas[name], arguments)
    if wrong is None:
        return AIMessage("", tool_calls=[ToolCall(name=name, args=arguments, id=identity)], **kept)
    invalid = InvalidToolCall(
        type="invalid_tool_call", name=name, args=orjson.dumps(arguments).decode(), id=identity, error=wrong
    )
    return AIMessage("", invalid_tool_calls=[invalid], **kept)


def _fault(schema: Json, arguments: Json) -> str | None:
    error = next(jsonschema_rs.validator_for(schema).iter_errors(arguments), None)
    if error is None:
        return None
    place = ".".join(map(str, error.instance_path))
    return f"{place}: {error.message}" if place else error.message
