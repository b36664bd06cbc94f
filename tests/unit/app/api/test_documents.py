from typing import Any

import pytest

from tests.fakes.gateway import Gateway


async def upload(served: Gateway, name: str = "returns.md", content: bytes = b"# Returns", **options: Any) -> Any:
    return await served.call("POST", "/api/documents", files={"file": (name, content, "text/markdown")}, **options)


async def test_an_upload_is_taken_in(served: Gateway) -> None:
    answer = await upload(served, role="staff", data={"source": "help/returns.md", "audience": "staff"})
    body = answer.json()
    assert answer.status_code == 202
    assert (body["source"], body["filename"], body["audience"]) == ("help/returns.md", "returns.md", "staff")
    assert (body["status"], body["progress"], body["media_type"]) == ("ready", 1.0, "text/markdown")


async def test_progress_is_a_share(served: Gateway) -> None:
    document_id = (await upload(served)).json()["id"]
    again = await served.call("POST", f"/api/documents/{document_id}/reindex")
    assert (again.status_code, again.json()["status"], again.json()["progress"]) == (202, "queued", 0.0)


async def test_deleted_is_gone(served: Gateway) -> None:
    document_id = (await upload(served)).json()["id"]
    assert (await served.call("DELETE", f"/api/documents/{document_id}")).status_code == 204
    assert (await served.call("GET", f"/api/documents/{document_id}")).status_code == 404


async def test_clients_see_public_documents_and_page_through_them(served: Gateway) -> None:
    for number in range(130):
        await upload(served, f"{number}.md", data={"audience": "staff" if number % 5 else "public"})
    seen: list[str] = []
    more, after = True, None
    while more:
        params = {"limit": 10, **({"after": after} if after else {})}
        page = (await served.call("GET", "/api/documents", role="client", params=params)).json()
        assert {each["audience"] for each in page["data"]} == {"public"}
        seen += [each["id"] for each in page["data"]]
        more, after = page["has_more"], seen[-1]
    assert len(seen) == len(set(seen)) == 26


async def test_what_a_caller_may_not_see_does_not_exist(served: Gateway) -> None:
    hidden = (await upload(served, data={"audience": "staff"})).json()["id"]
    assert (await served.call("GET", f"/api/documents/{hidden}", role="client")).status_code == 404
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/reindex")):
        answer = await served.call(method, f"/api/documents/{hidden}{path}", role="stranger")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert (await served.call("GET", f"/api/documents/{hidden}", role="staff")).status_code == 200


async def test_clients_do_not_upload(served: Gateway) -> None:
    assert (await upload(served, role="client")).status_code == 403
    assert served.parts.documents.added == 0


@pytest.mark.parametrize(
    ("options", "status", "param"),
    [
        ({"json": {"file": "x"}}, 400, "file"),
        ({"data": {"file": "text"}}, 400, "file"),
        ({"files": {"file": ("a.md", b"\0")}}, 400, "file"),
        ({"files": {"file": ("a.md", b"x")}, "data": {"audience": "king"}}, 400, "audience"),
        ({"files": {"file": ("a.md", b"x")}, "data": {"source": "a\nb"}}, 400, "source"),
        ({"content": b"--x\r\nbroken", "headers": {"content-type": "multipart/form-data; boundary=x"}}, 400, "file"),
        ({"content": b"x", "headers": {"content-type": "multipart/form-data"}}, 400, None),
    ],
)
async def test_what_is_no_upload_leaves_nothing(
    served: Gateway, options: dict[str, Any], status: int, param: str | None
) -> None:
    answer = await served.call("POST", "/api/documents", **options)
    assert (answer.status_code, answer.json()["param"]) == (status, param), answer.text
    assert served.parts.documents.added == 0


@pytest.mark.parametrize("size", [20 * 2**20 + 1, 21 * 2**20])
async def test_a_file_over_the_limit_is_refused(served: Gateway, size: int) -> None:
    answer = await upload(served, content=b"x" * size)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert served.parts.documents.added == 0
