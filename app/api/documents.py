"""/api/documents: what the answers come from. Staff bring documents and take them away; clients read public ones."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, File, Form, Query, UploadFile
from pydantic import BaseModel
from starlette.responses import Response

from app.api.json import Json, listing
from app.auth import Anyone, Staff
from app.errors import responses
from core.errors import NotFound, TooLarge
from core.types import Audience, Scope
from retrieval.documents import Document, Documents
from retrieval.tables import DocumentStatus

_LINE = r"^[^\x00-\x1f\x7f]*$"
_PAGE = 100


class DocumentView(BaseModel):
    """A document and how far its indexing is.

    `status` goes from `queued` over `indexing` to `ready` or `failed`, and then `error` says why. `progress` is the
    share of its passages that are indexed, from 0 to 1.
    """

    id: str
    source: str
    filename: str
    title: str
    media_type: str | None
    audience: Audience
    status: DocumentStatus
    progress: float
    error: str | None
    bytes: int
    characters: int
    passages: int
    revision: int
    created_at: datetime
    updated_at: datetime


class DocumentList(BaseModel):
    """One page of documents; when `has_more`, the next begins `after` the last id."""

    object: str
    data: list[DocumentView]
    has_more: bool


def routes(documents: Documents, upload_bytes: int) -> APIRouter:
    """The router of this surface. `upload_bytes` is the largest file."""
    router = APIRouter(prefix="/api/documents", tags=["documents"])

    @router.post("", status_code=202, response_model=DocumentView, responses=responses(403, 409, 415, 422))
    async def upload_document(
        caller: Staff,
        file: Annotated[UploadFile, File(description="md, txt, html, pdf or docx")],
        source: Annotated[
            str | None,
            Form(min_length=1, max_length=500, pattern=_LINE, description="stable name; the file's own when absent"),
        ] = None,
        audience: Annotated[Audience, Form()] = Audience.PUBLIC,
    ) -> Response:
        """Upload a document; it is indexed in the background. The same source again replaces it."""
        content = await file.read(upload_bytes + 1)
        if len(content) > upload_bytes:
            raise TooLarge(f"The file is larger than {upload_bytes} bytes.", param="file")
        added = await documents.add(
            caller.tenant,
            file.filename or "",
            content,
            source=source,
            audience=audience,
            declared_type=file.content_type,
        )
        return Json(_view(added), 202)

    @router.get("", response_model=DocumentList, responses=responses())
    async def list_documents(
        caller: Anyone,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
        after: Annotated[str | None, Query(max_length=200)] = None,
    ) -> Response:
        """List the documents that the caller may see."""
        found = await _visible(documents, caller.scope, limit + 1, after)
        return listing([_view(each) for each in found[:limit]], has_more=len(found) > limit)

    @router.get("/{document_id}", response_model=DocumentView, responses=responses(404))
    async def get_document(document_id: str, caller: Anyone) -> Response:
        """Show a document and how far its indexing is."""
        found = await documents.get(caller.tenant, document_id)
        if found.audience not in caller.scope.audiences:
            raise NotFound(f"no document {document_id}", param="document_id")
        return Json(_view(found))

    @router.post(
        "/{document_id}/reindex", status_code=202, response_model=DocumentView, responses=responses(403, 404, 409, 422)
    )
    async def reindex_document(document_id: str, caller: Staff) -> Response:
        """Index the document again from the file that was uploaded."""
        return Json(_view(await documents.reindex(caller.tenant, document_id)), 202)

    @router.delete("/{document_id}", status_code=204, responses=responses(403, 404))
    async def delete_document(document_id: str, caller: Staff) -> Response:
        """Delete the document; when this returns, no search finds it."""
        await documents.delete(caller.tenant, document_id)
        return Response(status_code=204)

    return router


async def _visible(documents: Documents, scope: Scope, limit: int, after: str | None) -> list[Document]:
    """Up to `limit` documents of the scope's audiences, in the order of their ids."""
    visible: list[Document] = []
    while len(visible) < limit:
        page = await documents.list(scope.tenant, _PAGE, after)
        visible += [each for each in page if each.audience in scope.audiences]
        if len(page) < _PAGE:
            break
        after = page[-1].id
    return visible[:limit]


def _view(document: Document) -> dict[str, object]:
    view: dict[str, object] = {
        name: getattr(document, name) for name in DocumentView.model_fields if name != "progress"
    }
    finished = document.status is DocumentStatus.READY
    return view | {"progress": 1.0 if finished else document.done / document.total if document.total else 0.0}
