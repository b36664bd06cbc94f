"""Attached documents without a reader: one passage a paragraph."""

from __future__ import annotations

import base64
import hashlib

from core.types import ATTACHED, Attachment, Passage


def attachment(text: str, name: str = "invoice.pdf") -> Attachment:
    """The document as it would come out of `app.attachments`."""
    document_id = ATTACHED + hashlib.sha256(f"{name}\0{text}".encode()).hexdigest()[:24]
    passages, start = list[Passage](), 0
    for position, paragraph in enumerate(text.split("\n\n")):
        end = start + len(paragraph)
        passages.append(Passage(document_id, name, (), paragraph, start, end, position))
        start = end + 2
    return Attachment(document_id, name, text, tuple(passages))


def data_url(content: bytes, media_type: str = "text/plain") -> str:
    """The bytes as a client sends them."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"
