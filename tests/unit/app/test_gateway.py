from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.fakes.gateway import Gateway, started

OPEN = {"/healthz", "/readyz"}


async def test_the_document_describes_keys_and_errors_everywhere(served: Gateway) -> None:
    document = (await served.http.get("/openapi.json")).json()
    operations = [(path, each) for path, methods in document["paths"].items() for each in methods.values()]
    guarded = [(path, each) for path, each in operations if path not in OPEN]
    assert len(guarded) >= 14
    for path, operation in guarded:
        assert operation["security"] == [{"key": []}], path
        assert operation["responses"].keys() >= {"400", "401", "429", "500"}, path
    assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"


async def test_every_error_in_the_document_is_the_contract_s(served: Gateway) -> None:
    document = (await served.http.get("/openapi.json")).json()
    for path, methods in document["paths"].items():
        for operation in methods.values():
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    schema = response["content"]["application/json"]["schema"]
                    assert schema == {"$ref": "#/components/schemas/ErrorBody"}, (path, status)


async def test_a_caller_s_trace_goes_on_through_the_model_call(served: Gateway) -> None:
    spans = InMemorySpanExporter()
    trace, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
    headers = {"authorization": f"Bearer {served.keys['client']}", "traceparent": f"00-{trace}-{parent}-01"}
    body = {"model": "echo-1", "messages": [{"role": "user", "content": "my card is 4111"}]}
    async with started(served.parts, spans) as (_, http):
        for stream in (False, True):
            answer = await http.post("/v1/chat/completions", json={**body, "stream": stream}, headers=headers)
            assert answer.status_code == 200
    finished = spans.get_finished_spans()
    assert sorted(span.name for span in finished) == ["POST /v1/chat/completions"] * 2 + ["chat echo-1"] * 2
    for span in finished:
        assert f"{span.context.trace_id:032x}" == trace
        assert "4111" not in span.to_json()
    calls = [span for span in finished if span.name == "chat echo-1"]
    assert [dict(span.attributes or {})["gen_ai.usage.input_tokens"] for span in calls] == [4, 4]
