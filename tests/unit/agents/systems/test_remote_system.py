import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from typing import Any

import httpx2
import orjson
import pytest

from agents.systems.remote.operation import Noun, Operation
from agents.systems.remote.system import SHORT_ANSWER, RemoteSystem
from core.errors import (
    Conflict,
    InvalidInput,
    KeyReused,
    NotFound,
    OutcomeUnknown,
    SystemFault,
    SystemUnavailable,
    WaysideError,
)
from core.orders import OrderLine, Refund
from core.systems import OperationSettings, RemoteSettings

LINE = {"sku": "SKU-0001", "quantity": 2, "unit_price": 9.95}
Answer = httpx2.Response | Exception


class Script:
    """Answers requests in turn, the last answer for ever, and keeps them; and sleeps without waiting."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.requests: list[httpx2.Request] = []
        self.slept: list[float] = []

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        answer = self._answers[min(len(self.requests), len(self._answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def system(self, **settings: Any) -> RemoteSystem:
        told = {"url": "https://shop.example/api/", "tenant": "acme", "retries": 2, **settings}
        transport = httpx2.MockTransport(self.answer)
        return RemoteSystem(RemoteSettings.model_validate(told), transport=transport, sleep=self.sleep)


def operation(*, acts: bool, path: str = "/lines/{sku}", **settings: Any) -> Operation[OrderLine]:
    told = OperationSettings(path=path, **settings)
    return Operation("line", told, Noun("line", "@", OrderLine).one, acts=acts)


def says(status: int, body: Any = None, **headers: str) -> httpx2.Response:
    return httpx2.Response(status, content=orjson.dumps(body), headers=headers)


def read(script: Script, path: str = "/lines/{sku}", **settings: Any) -> OrderLine | None:
    system = script.system(**settings)
    return asyncio.run(system.read(operation(acts=False, path=path), "acme", {"sku": "SKU-0001"}))


def act(script: Script, key_reused: tuple[int, ...] = (), **settings: Any) -> OrderLine:
    system = script.system(**settings)
    return asyncio.run(system.act(operation(acts=True, key_reused=key_reused), "acme", "k-1", {"sku": "SKU-0001"}))


BROKEN: list[Callable[[], Answer]] = [
    lambda: httpx2.ReadTimeout("late"),
    lambda: httpx2.ReadError("gone"),
    lambda: httpx2.RemoteProtocolError("half an answer"),
    lambda: says(500),
    lambda: says(502),
    lambda: says(503),
    lambda: says(504),
    lambda: says(408),
    lambda: says(425),
]


def test_an_amount_never_is_a_float_on_its_way() -> None:
    found = read(
        Script(httpx2.Response(200, content=b'{"sku": "A", "quantity": 1, "unit_price": 0.10000000000000001}'))
    )
    assert found is not None
    assert str(found.unit_price) == "0.10000000000000001"


@pytest.mark.parametrize("broken", BROKEN)
def test_reading_is_tried_again(broken: Callable[[], Answer]) -> None:
    script = Script(broken(), says(200, LINE))
    assert read(script) is not None
    assert len(script.requests) == 2
    with pytest.raises(SystemUnavailable):
        read(Script(broken()))


@pytest.mark.parametrize("broken", BROKEN)
def test_an_act_with_a_key_is_sent_again_with_the_same_key(broken: Callable[[], Answer]) -> None:
    script = Script(broken(), broken(), says(200, LINE))
    assert act(script).sku == "SKU-0001"
    assert [request.headers["idempotency-key"] for request in script.requests] == ["k-1"] * 3
    script = Script(broken())
    with pytest.raises(OutcomeUnknown):
        act(script)
    assert len(script.requests) == 3


@pytest.mark.parametrize("broken", BROKEN)
def test_an_act_without_a_key_is_not_sent_again_when_it_may_be_done(broken: Callable[[], Answer]) -> None:
    script = Script(broken(), says(200, LINE))
    with pytest.raises(OutcomeUnknown):
        act(script, idempotency_header=None)
    assert len(script.requests) == 1
    assert "idempotency-key" not in script.requests[0].headers


@pytest.mark.parametrize("untouched", [lambda: httpx2.ConnectError("no"), lambda: httpx2.ConnectTimeout("no")])
def test_what_never_arrived_is_sent_again_and_is_known_to_be_undone(untouched: Callable[[], Answer]) -> None:
    script = Script(untouched(), says(429), says(200, LINE))
    assert act(script, idempotency_header=None).quantity == 2
    with pytest.raises(SystemUnavailable):
        act(Script(untouched()), idempotency_header=None)


@pytest.mark.parametrize(
    ("status", "error"), [(404, NotFound), (410, NotFound), (409, Conflict), (400, InvalidInput), (422, InvalidInput)]
)
def test_a_refusal_is_final_and_has_the_system_s_words(status: int, error: type[WaysideError]) -> None:
    script = Script(says(status, {"error": {"message": "x" * 1000}}))
    with pytest.raises(error) as refused:
        act(script)
    assert refused.value.message == "x" * 300
    assert len(script.requests) == 1
    with pytest.raises(error, match="refused with status"):
        act(Script(httpx2.Response(status, content=b"<html>")))


def test_a_reused_key_is_told_where_the_settings_say_so() -> None:
    with pytest.raises(KeyReused):
        act(Script(says(412)), key_reused=(412,))


@pytest.mark.parametrize("status", [404, 409, 400])
def test_a_refusal_after_a_cut_is_no_answer(status: int) -> None:
    # The first request may have done it, and the second be refused for that very reason.
    with pytest.raises(OutcomeUnknown, match="and then refused"):
        act(Script(httpx2.ReadError("gone"), says(status, {"message": "is cancelled already"})))


def test_a_refusal_after_a_busy_system_is_an_answer() -> None:
    with pytest.raises(Conflict):
        act(Script(says(429), says(409)))


@pytest.mark.parametrize("status", [401, 403, 407])
def test_refused_credentials_are_not_tried_again(status: int) -> None:
    script = Script(says(status))
    with pytest.raises(SystemUnavailable, match="credentials"):
        act(script)
    assert len(script.requests) == 1


@pytest.mark.parametrize("status", [402, 418, 451])
def test_a_status_that_nobody_explained_is_a_fault(status: int) -> None:
    with pytest.raises(SystemFault) as fault:
        act(Script(says(status)))
    assert type(fault.value) is SystemFault
    with pytest.raises(SystemFault):
        read(Script(says(status)))


def test_a_redirect_is_not_followed() -> None:
    script = Script(says(302, location="https://elsewhere.example/"))
    with pytest.raises(OutcomeUnknown):
        act(script)
    with pytest.raises(SystemFault):
        read(script)
    assert {request.url.host for request in script.requests} == {"shop.example"}


@pytest.mark.parametrize("body", [b"<html>", b"", b'{"sku": 7}', b"[]", b"null", b"\xff"])
def test_an_act_that_was_answered_unreadably_has_an_unknown_outcome(body: bytes) -> None:
    with pytest.raises(OutcomeUnknown):
        act(Script(httpx2.Response(200, content=body)))


@pytest.mark.parametrize("body", [b"<html>", b'{"sku": 7}', b"[]"])
def test_an_unreadable_answer_is_a_fault(body: bytes) -> None:
    with pytest.raises(SystemFault):
        read(Script(httpx2.Response(200, content=body)))


def test_a_long_answer_is_read_as_a_short_one_is() -> None:
    # Long ones are read beside the event loop.
    filling = b" " * SHORT_ANSWER
    found = read(Script(httpx2.Response(200, content=orjson.dumps(LINE) + filling)))
    assert found is not None
    assert (found.sku, found.quantity) == ("SKU-0001", 2)
    for body in (b'{"sku": 7}', b"<html>"):
        with pytest.raises(SystemFault):
            read(Script(httpx2.Response(200, content=body + filling)))
        with pytest.raises(OutcomeUnknown):
            act(Script(httpx2.Response(200, content=body + filling)))


def test_what_is_not_there_reads_as_nothing() -> None:
    assert read(Script(says(404))) is None
    assert read(Script(says(200, None))) is None


def test_waits_grow_and_have_a_bound() -> None:
    script = Script(says(503))
    with pytest.raises(SystemUnavailable):
        read(script, retries=8, backoff=1.0)
    assert len(script.slept) == 8
    for wait, longest in zip(script.slept, (1, 2, 4, 5, 5, 5, 5, 5), strict=True):
        assert longest / 2 <= wait <= longest


def test_retry_after_is_obeyed_up_to_the_patience() -> None:
    script = Script(says(429, **{"retry-after": "7"}), says(200, LINE))
    assert read(script) is not None
    assert script.slept == [7]
    script = Script(says(429, **{"retry-after": "60"}), says(200, LINE))
    with pytest.raises(SystemUnavailable) as away:
        act(script)
    assert (away.value.retry_after, len(script.requests)) == (60, 1)
    with pytest.raises(SystemUnavailable) as away:
        act(Script(says(429, **{"retry-after": "9" * 400})))
    assert away.value.retry_after == 86_400


def test_retry_after_may_be_a_date() -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=10), usegmt=True)
    script = Script(says(503, **{"retry-after": later}), says(503, **{"retry-after": "soon"}), says(200, LINE))
    assert read(script) is not None
    assert 8 < script.slept[0] <= 10
    assert script.slept[1] < 1


def test_another_tenant_s_system_is_never_asked() -> None:
    script = Script(says(200, LINE))
    system = script.system()
    assert asyncio.run(system.read(operation(acts=False), "other", {"sku": "A"})) is None
    with pytest.raises(NotFound):
        asyncio.run(system.act(operation(acts=True), "other", "k", {"sku": "A"}))
    assert script.requests == []


def test_the_tenant_travels_where_the_settings_say() -> None:
    script = Script(says(200, LINE))
    system = script.system(tenant=None, url="https://{tenant}.example", headers={"X-Shop": "{tenant}"})
    asyncio.run(system.read(operation(acts=False), "other", {"sku": "A"}))
    assert (script.requests[0].url.host, script.requests[0].headers["x-shop"]) == ("other.example", "other")


def test_no_cookie_goes_from_one_tenant_to_the_next() -> None:
    script = Script(says(200, LINE, **{"set-cookie": "session=theirs; Path=/"}))
    system = script.system(tenant=None, headers={"X-Shop": "{tenant}"})
    for tenant in ("one", "other"):
        asyncio.run(system.read(operation(acts=False), tenant, {"sku": "A"}))
    assert [request.headers.get("cookie") for request in script.requests] == [None, None]


def test_a_tenant_s_name_stays_one_step_of_the_url() -> None:
    script = Script(says(200, LINE))
    system = script.system(tenant=None, url="https://shop.example/{tenant}")
    asyncio.run(system.read(operation(acts=False), "a/../b", {"sku": "A"}))
    assert script.requests[0].url.raw_path == b"/a%2F..%2Fb/lines/A"


def test_the_secret_is_in_the_header_and_nowhere_else() -> None:
    told: dict[str, Any] = {"secret": "s3cret", "headers": {"Authorization": "Bearer {secret}"}}
    script = Script(says(401))
    with pytest.raises(SystemUnavailable) as refused:
        act(script, **told)
    assert script.requests[0].headers["authorization"] == "Bearer s3cret"
    assert "s3cret" not in f"{refused.value} {refused.value!r}"
    settings = RemoteSettings.model_validate({"url": "https://shop.example", "tenant": "acme", **told})
    assert "s3cret" not in repr(settings)


def test_a_value_stays_one_step_of_the_path() -> None:
    script = Script(says(404))
    system = script.system()
    for value, path in (
        ("a/b?c=d#e", "/api/lines/a%2Fb%3Fc%3Dd%23e"),
        ("%2e", "/api/lines/%252e"),
        ("é", "/api/lines/%C3%A9"),
    ):
        asyncio.run(system.read(operation(acts=False), "acme", {"sku": value}))
        assert script.requests[-1].url.raw_path.decode() == path
    for value in (".", "..", ""):
        with pytest.raises(InvalidInput):
            asyncio.run(system.read(operation(acts=False), "acme", {"sku": value}))


def test_a_field_that_is_not_known_is_a_fault_of_the_settings() -> None:
    with pytest.raises(SystemFault, match="warehouse"):
        read(Script(says(200, LINE)), path="/{warehouse}")


def test_query_and_body_are_made_from_the_fields() -> None:
    script = Script(says(200, LINE))
    told = operation(
        acts=True,
        method="PUT",
        query="{note: reason, to: nothing}",
        body="{cents: to_cents(amount), id: order_id, who: tenant, once: key}",
        path="/r",
    )
    refund = Refund("ORD-1", amount=Decimal("12.50"), reason="late & wet")
    asyncio.run(script.system().act(told, "acme", "k-1", refund))
    request = script.requests[0]
    assert (request.method, request.url.query) == ("PUT", b"note=late+%26+wet")
    assert orjson.loads(request.content) == {"cents": 1250, "id": "ORD-1", "who": "acme", "once": "k-1"}


@pytest.mark.parametrize("field", ["query", "body", "response", "message"])
def test_an_expression_that_is_none_is_refused_at_once(field: str) -> None:
    with pytest.raises(InvalidInput, match=f"line.{field}"):
        operation(acts=True, **{field: "{oops"})


def test_an_answer_without_end_is_cut_off() -> None:
    endless = httpx2.Response(200, content=b" " * (33 * 2**20))
    with pytest.raises(SystemUnavailable, match="ReadError"):
        read(Script(endless), retries=0)
