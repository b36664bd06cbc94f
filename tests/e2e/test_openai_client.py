"""The official client, unmodified, over a real socket."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import openai
import pytest
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletionMessageParam

from core.errors import EngineTimeout, EngineUnavailable, RateLimited
from tests.fakes.echoing import MODEL
from tests.fakes.gateway import Gateway, gateway, listening
from tests.fakes.holdings import EMBEDDING_MODEL
from tests.fakes.parts import SENTENCE

ASK: list[ChatCompletionMessageParam] = [{"role": "user", "content": "one two three"}]


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with gateway(tmp_path) as running:
        yield running


@pytest.fixture
async def base_url(served: Gateway) -> AsyncIterator[str]:
    async with listening(served) as url:
        yield f"{url}/v1"


@pytest.fixture
async def client(served: Gateway, base_url: str) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(api_key=served.keys["client"], base_url=base_url) as official:
        yield official


async def test_models(client: AsyncOpenAI) -> None:
    assert [model.id async for model in client.models.list()] == ["wayside", MODEL, EMBEDDING_MODEL]
    assert (await client.models.retrieve("wayside")).owned_by == "wayside"
    with pytest.raises(openai.NotFoundError):
        await client.models.retrieve("nobody")


async def test_embeddings(client: AsyncOpenAI) -> None:
    # The client asks for base64 by itself, and decodes it.
    made = await client.embeddings.create(model=EMBEDDING_MODEL, input=["a", "b"])
    plain = await client.embeddings.create(model=EMBEDDING_MODEL, input=["a", "b"], encoding_format="float")
    assert [each.embedding for each in made.data] == [each.embedding for each in plain.data]
    assert made.usage.prompt_tokens == 2


async def test_chat_with_an_engine(client: AsyncOpenAI) -> None:
    made = await client.chat.completions.create(model=MODEL, messages=ASK, temperature=0)
    assert made.choices[0].message.content == "one two three"
    assert made.usage is not None
    assert made.usage.total_tokens == 6


async def test_chat_with_the_agent(client: AsyncOpenAI) -> None:
    made = await client.chat.completions.create(model="wayside", messages=ASK)
    message = made.choices[0].message
    assert message.content == SENTENCE
    assert message.annotations is not None
    citation = message.annotations[0].url_citation
    assert (citation.title, citation.url) == ("Returns", "/api/documents/doc-1")
    assert citation.model_extra is not None
    assert citation.model_extra["verdict"] == "verbatim"


@pytest.mark.parametrize(("model", "text"), [(MODEL, "one two three"), ("wayside", SENTENCE)])
async def test_streaming(client: AsyncOpenAI, model: str, text: str) -> None:
    async with client.chat.completions.stream(
        model=model,
        messages=ASK,
        stream_options={"include_usage": True},
    ) as stream:
        heard = "".join([event.delta async for event in stream if event.type == "content.delta"])
        final = await stream.get_final_completion()
    assert heard == text == final.choices[0].message.content
    assert final.usage is not None
    assert final.usage.total_tokens > 0


async def test_an_error_in_the_middle_of_a_stream_is_raised(served: Gateway, client: AsyncOpenAI) -> None:
    served.parts.echo.failure, served.parts.echo.failure_after = EngineTimeout("too slow"), 2
    stream = await client.chat.completions.create(model=MODEL, messages=ASK, stream=True)
    heard = []
    with pytest.raises(openai.APIError) as raised:
        async for chunk in stream:
            heard.append(chunk.choices[0].delta.content)  # noqa: PERF401 (what came before the error counts)
    assert heard == ["one", " two"]
    assert (raised.value.code, raised.value.message) == ("engine_timeout", "too slow")


async def test_unsupported_parameters_are_refused_clearly(client: AsyncOpenAI) -> None:
    for model, extra in ((MODEL, {"user": "jo"}), ("wayside", {"temperature": 1}), (MODEL, {"shade": 1})):
        with pytest.raises(openai.BadRequestError) as refused:
            await client.chat.completions.create(model=model, messages=ASK, extra_body=extra)
        (name,) = extra
        assert (refused.value.code, refused.value.param) == ("unsupported_parameter", name)
        assert refused.value.type == "invalid_request_error"
        assert refused.value.request_id


async def test_a_wrong_key_is_an_authentication_error(base_url: str) -> None:
    async with AsyncOpenAI(api_key="wsk_wrong", base_url=base_url) as stranger:
        with pytest.raises(openai.AuthenticationError):
            await stranger.models.list()


@pytest.mark.parametrize(
    ("failure", "kind", "calls"),
    [
        (EngineUnavailable("away"), openai.InternalServerError, 3),
        (RateLimited("slow down", retry_after=0.1), openai.RateLimitError, 3),
        (RuntimeError("broken"), openai.InternalServerError, 3),
    ],
)
async def test_it_retries_what_may_pass(
    served: Gateway, client: AsyncOpenAI, failure: Exception, kind: type[Exception], calls: int
) -> None:
    served.parts.echo.failure = failure
    with pytest.raises(kind):
        await client.chat.completions.create(model=MODEL, messages=ASK)
    assert len(served.parts.echo.requests) == calls


async def test_it_does_not_retry_a_conflict(served: Gateway, client: AsyncOpenAI) -> None:
    served.parts.echo.pace = 0.5
    headers = {"Idempotency-Key": "once"}

    async def ask() -> object:
        return await client.chat.completions.create(model=MODEL, messages=ASK, extra_headers=headers)

    first = asyncio.create_task(ask())
    await asyncio.sleep(0.2)
    with pytest.raises(openai.ConflictError):
        await ask()
    await first
    assert len(served.parts.echo.requests) == 1


@pytest.mark.parametrize("stream", [True, False])
async def test_a_client_that_goes_away_stops_the_generation(served: Gateway, client: AsyncOpenAI, stream: bool) -> None:
    served.parts.echo.pace = 30.0
    completions = client.with_options(max_retries=0).chat.completions
    if stream:
        async with await completions.create(model=MODEL, messages=ASK, stream=True) as started:
            await anext(aiter(started))
    else:
        asking = asyncio.create_task(completions.create(model=MODEL, messages=ASK))
        await asyncio.sleep(0.5)
        asking.cancel()
    await asyncio.wait_for(served.parts.echo.stopped.wait(), 5)
