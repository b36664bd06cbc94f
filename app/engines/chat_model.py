"""A LangChain chat model that speaks through an engine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, cast

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    convert_to_messages,
    convert_to_openai_messages,
)
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.output_parsers import JsonOutputParser, PydanticOutputParser
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_json_schema, convert_to_openai_tool
from pydantic import BaseModel, ConfigDict, Field

from app.engines.protocol import CompletionStream, Engine, Json

ToolLike = dict[str, Any] | type | Callable[..., Any] | BaseTool


class EngineChat(BaseChatModel):
    """Asks `engine`; `parameters` (OpenAI's names, such as `temperature`) go with every request.

    The messages that come back carry `engine` and `model` in `response_metadata`, and `usage_metadata`. There is no
    synchronous side, because engines have none. Raises what the engine raises.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    engine: Any
    parameters: Json = Field(default_factory=dict)

    def __init__(self, engine: Engine, **parameters: Any) -> None:
        super().__init__(engine=engine, parameters=parameters)

    @property
    def _llm_type(self) -> str:
        return "wayside-engine"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        raise NotImplementedError("engines are asynchronous: use ainvoke or astream")

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        done = await self.engine.complete(self._request(messages, stop, kwargs))
        choice = done.body["choices"][0]
        # The converter takes the name of a tool call's arguments as OpenAI writes it, but no null for no calls.
        said = {field: value for field, value in choice["message"].items() if value is not None}
        message = cast("AIMessage", convert_to_messages([{"content": "", **said}])[0])
        message.response_metadata = {
            "engine": done.engine,
            "model": done.body["model"],
            "finish_reason": choice["finish_reason"],
        }
        message.usage_metadata = _usage(done.body)
        return ChatResult(generations=[ChatGeneration(message=message)])

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        options = {"stream": True, "stream_options": {"include_usage": True}}
        stream: CompletionStream = await self.engine.stream(self._request(messages, stop, kwargs) | options)
        # Chunks are added up by whoever reads them, and metadata with them, so each piece of it comes once.
        metadata: Json = {"engine": stream.engine}
        chunks: Any = stream.chunks
        try:
            async for chunk in chunks:
                message = _message(chunk, metadata)
                metadata = {} if "model" in message.response_metadata else metadata
                generation = ChatGenerationChunk(message=message)
                if run_manager is not None:
                    await run_manager.on_llm_new_token(generation.text, chunk=generation)
                yield generation
        finally:
            await chunks.aclose()

    def bind_tools(
        self, tools: Sequence[ToolLike], *, tool_choice: str | None = None, **kwargs: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Offer tools. `tool_choice` is `auto`, `none`, `any` (or `required`), or the name of a tool."""
        return self.bind(**tools_as_parameters(tools, tool_choice), **kwargs)

    def with_structured_output(
        self, schema: dict[str, Any] | type, *, include_raw: bool = False, **kwargs: Any
    ) -> Runnable[LanguageModelInput, dict[str, Any] | BaseModel]:
        """Answer by a schema, which is sent as `response_format`: a pydantic model's instance, or else a dict."""
        if include_raw or kwargs:
            raise ValueError("with_structured_output supports no options here: ask without it for the raw answer")
        described = convert_to_json_schema(schema)
        wanted = {"type": "json_schema", "json_schema": {"name": described.get("title", "answer"), "schema": described}}
        parser: Any = JsonOutputParser()
        if isinstance(schema, type) and issubclass(schema, BaseModel):
            parser = PydanticOutputParser(pydantic_object=schema)
        parsed: Runnable[LanguageModelInput, dict[str, Any] | BaseModel] = self.bind(response_format=wanted) | parser
        return parsed

    def _request(self, messages: list[BaseMessage], stop: list[str] | None, kwargs: Json) -> Json:
        request = {**self.parameters, **kwargs, "messages": convert_to_openai_messages(messages)}
        return request | {"stop": stop} if stop else request


def tools_as_parameters(tools: Sequence[ToolLike], tool_choice: str | None) -> Json:
    """Tools and their choice as OpenAI's parameters."""
    parameters: Json = {"tools": [convert_to_openai_tool(tool) for tool in tools]}
    if tool_choice in ("auto", "none"):
        parameters["tool_choice"] = tool_choice
    elif tool_choice in ("any", "required"):
        parameters["tool_choice"] = "required"
    elif tool_choice is not None:
        parameters["tool_choice"] = {"type": "function", "function": {"name": tool_choice}}
    return parameters


def _message(chunk: Json, metadata: Json) -> AIMessageChunk:
    if not chunk["choices"]:
        return AIMessageChunk(content="", usage_metadata=_usage(chunk))
    choice = chunk["choices"][0]
    delta = choice["delta"]
    told = {**metadata, "model": chunk["model"]} if metadata else {}
    if choice.get("finish_reason"):
        told["finish_reason"] = choice["finish_reason"]
    calls = [
        tool_call_chunk(
            name=call["function"].get("name"),
            args=call["function"].get("arguments"),
            id=call.get("id"),
            index=call["index"],
        )
        for call in delta.get("tool_calls") or ()
    ]
    return AIMessageChunk(
        content=delta.get("content") or "", tool_call_chunks=calls, response_metadata=told, usage_metadata=_usage(chunk)
    )


def _usage(body: Json) -> UsageMetadata | None:
    usage = body.get("usage")
    if not usage:
        return None
    return UsageMetadata(
        input_tokens=usage["prompt_tokens"],
        output_tokens=usage["completion_tokens"],
        total_tokens=usage["prompt_tokens"] + usage["completion_tokens"],
    )
