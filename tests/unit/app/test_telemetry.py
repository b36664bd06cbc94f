from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from app.telemetry import Telemetry, finish
from core.types import Usage


def test_a_model_call_is_a_span_by_the_conventions() -> None:
    exporter = InMemorySpanExporter()
    telemetry = Telemetry(exporter)
    finish(telemetry.model_call("chat", "small", "embedded"), model="small-q4", usage=Usage(3, 4))
    finish(telemetry.model_call("chat", "small", "embedded"), error=ValueError("jane@example.org"))
    telemetry.close()
    good, bad = exporter.get_finished_spans()
    assert good.name == "chat small"
    assert good.attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "embedded",
        "gen_ai.request.model": "small",
        "gen_ai.response.model": "small-q4",
        "gen_ai.usage.input_tokens": 3,
        "gen_ai.usage.output_tokens": 4,
    }
    assert bad.attributes is not None
    assert bad.attributes["error.type"] == "ValueError"
    assert "jane" not in bad.to_json()


def test_without_an_exporter_nothing_is_recorded() -> None:
    telemetry = Telemetry(None)
    assert not telemetry.model_call("chat", "small", "embedded").is_recording()
    assert telemetry.fastapi["tracing"] is False
    telemetry.close()
