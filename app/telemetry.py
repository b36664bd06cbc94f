"""OpenTelemetry traces, sent to the collector named in the settings; without one, nothing is recorded.

Request spans come from FastAPI's own instrumentation, which takes up a caller's W3C `traceparent`. Spans of model calls
follow the GenAI semantic conventions (https://opentelemetry.io/docs/specs/semconv/gen-ai/), without contents.
"""

from __future__ import annotations

from fastapi.telemetry import TelemetryConfig
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import NoOpTracer, Span, SpanKind, StatusCode, Tracer

from core.types import Usage


class Telemetry:
    """A tracer and what it needs to be closed."""

    def __init__(self, exporter: SpanExporter | None) -> None:
        """Send finished spans to `exporter`, in batches from a thread of its own; None switches tracing off."""
        self._provider: TracerProvider | None = None
        self.tracer: Tracer = NoOpTracer()
        if exporter is not None:
            self._provider = TracerProvider(resource=Resource.create({"service.name": "wayside"}))
            self._provider.add_span_processor(BatchSpanProcessor(exporter))
            self.tracer = self._provider.get_tracer("wayside")

    @property
    def fastapi(self) -> TelemetryConfig:
        """How FastAPI is to trace requests. Its logs and operation spans could carry bodies, so they stay off."""
        return {
            "tracer_provider": self._provider,
            "tracing": self._provider is not None,
            "metrics": False,
            "logs": False,
            "operation_spans": False,
            "auto_configure": False,
        }

    def model_call(self, operation: str, model: str, provider: str) -> Span:
        """Begin the span of a model call; the caller ends it. `operation` is `chat`, `embeddings` or `invoke_agent`."""
        return self.tracer.start_span(
            f"{operation} {model}",
            kind=SpanKind.CLIENT,
            record_exception=False,  # an exception's message may quote the conversation
            attributes={
                "gen_ai.operation.name": operation,
                "gen_ai.provider.name": provider,
                "gen_ai.request.model": model,
            },
        )

    def close(self) -> None:
        """Send what is left. Blocks for as long as the collector takes, at most the exporter's own timeout."""
        if self._provider is not None:
            self._provider.shutdown()


def otlp(endpoint: str | None) -> SpanExporter | None:
    """The exporter to an OTLP/HTTP collector, such as `http://collector:4318`."""
    return OTLPSpanExporter(endpoint=endpoint.rstrip("/") + "/v1/traces") if endpoint else None


def finish(span: Span, *, model: str = "", usage: Usage | None = None, error: BaseException | None = None) -> None:
    """End the span of a model call, with what became of it."""
    if error is not None:
        span.set_attribute("error.type", type(error).__qualname__)
        span.set_status(StatusCode.ERROR)
    if usage is not None:
        span.set_attributes(
            {
                "gen_ai.response.model": model,
                "gen_ai.usage.input_tokens": usage.prompt_tokens,
                "gen_ai.usage.output_tokens": usage.completion_tokens,
            }
        )
    span.end()
