"""Attached documents beside the demo's help centre, with the embedded models: who answers which question."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agents import attached
from app.attachments import Attachments
from app.parts import Sent
from app.wiring import Wayside, open_wayside
from app.workspace import TENANT
from core.ports import HybridQuery
from core.settings import Settings
from core.types import ATTACHED, Attachment, Audience, Findings, Message, Principal, Role, Scope, Turn
from retrieval.beside import lexical
from retrieval.bm25 import query_terms
from retrieval.encode import embed_query
from tests.fakes.attaching import data_url
from tests.fakes.documents import pdf

SCOPE = Scope(TENANT, (Audience.PUBLIC,))
ANN = Principal("key_ann", TENANT, Role.CLIENT, "CUS-00591")
INVOICE = """Brightwater Tools
Invoice 2291 for order ORD-12482 of 14 June 2026.
Cordless drill, two pieces, 49.90 EUR each.
The total amount is 124.70 EUR including 20 % VAT.
Payment is due by 14 July 2026."""
LEASE = """# Tenancy agreement

## Rent
The monthly rent is 940 EUR, payable in advance by the third working day of each month.

## Notice
Either party may end the tenancy with three months' notice to the end of a month.

## Pets
Dogs need the landlord's written consent. Small animals kept in cages are allowed.

## Keys
Four keys are handed over. A lost key costs the tenant 85 EUR."""
SURVEY = """The path was walked in April by two wardens. Thirty-one trees lie across it after the storm. The footbridge
at Keld Beck has lost two planks and is closed until it is repaired. The eastern section stays closed to horses."""
OWN = [
    ("invoice", "What is the total amount?"),
    ("invoice", "When is it due?"),
    ("invoice", "How many drills did I order?"),
    ("lease", "How much is the rent?"),
    ("lease", "Can I keep a dog?"),
    ("lease", "What happens if I lose a key?"),
    ("lease", "How long is the notice period?"),
    ("survey", "Why is the footbridge closed?"),
    ("survey", "How many trees have fallen?"),
    ("survey", "Are horses allowed on the eastern section?"),
]
SHOP = [
    "How long do I have to send something back?",
    "What does delivery to Germany cost?",
    "Can I return a climbing harness?",
    "How do I waterproof my tent?",
    "Can I pay by bank transfer?",
    "Do you have gift cards?",
    "How do I reset my password?",
]
NOBODY = ["Who won the chess championship in 1985?", "Which vaccine does my cat need every year?"]


@pytest.fixture
async def wayside(demo_workspace: Path, tmp_path: Path) -> AsyncIterator[Wayside]:
    async with open_wayside(Settings(workspace=shutil.copytree(demo_workspace, tmp_path / "workspace"))) as opened:
        yield opened


async def files(wayside: Wayside) -> dict[str, Attachment]:
    contents = {
        "invoice": ("invoice-2291.pdf", pdf([INVOICE.splitlines()])),
        "lease": ("lease.md", LEASE.encode()),
        "survey": ("survey.txt", SURVEY.encode()),
    }
    sent = [[Sent(name, data_url(content), "where")] for name, content in contents.values()]
    read = await Attachments().read(TENANT, sent)
    return {key: each for key, [each] in zip(contents, read, strict=True)}


async def look(wayside: Wayside, question: str, file: Attachment) -> tuple[bool, Findings]:
    """Whether the file leads, and everything found."""
    pointed = attached.points_at(question, [file], [file])
    found = await wayside.search.search(question, SCOPE, 6, attached.beside([file], pointed=pointed))
    return found.hits[0].passage.document_id.startswith(ATTACHED), found


async def test_each_question_goes_where_its_answer_stands(wayside: Wayside) -> None:
    read = await files(wayside)
    for name, question in OWN:
        leads, found = await look(wayside, question, read[name])
        assert leads and found.answerability >= 0.5, (question, found.answerability)
    for file in read.values():
        for question in SHOP:
            alone = await wayside.search.search(question, SCOPE, 6)
            leads, found = await look(wayside, question, file)
            assert not leads and found.hits[0].passage == alone.hits[0].passage, (file.name, question)
        for question in NOBODY:
            _, found = await look(wayside, question, file)
            assert found.answerability < 0.5, (file.name, question)


async def test_bm25_beside_the_index_is_the_engines(wayside: Wayside) -> None:
    """What is read off the engine's scores gives these scores again, for every candidate that shares a word."""
    for question in SHOP:
        async with wayside.generations.reading() as generation:
            query = HybridQuery(question, await embed_query(generation.embeddings, question), SCOPE, 50)
            candidates = await generation.index.search(query)
            read = await generation.index.passages(SCOPE, [each.point for each in candidates])
        scored = [(read[each.point], each.bm25) for each in candidates]
        again = lexical(query_terms(question)[0], scored, [each for each, _ in scored], of=300, asked=50)
        lexical_half = [(mine, theirs) for mine, (_, theirs) in zip(again, scored, strict=True) if theirs > 0]
        assert len(lexical_half) > 9
        assert all(mine == pytest.approx(theirs, abs=0.01) for mine, theirs in lexical_half), question


async def test_an_invoice_is_read_remembered_and_never_obeyed(wayside: Wayside) -> None:
    read = await files(wayside)

    async def says(text: str, *attachments: Attachment) -> str:
        turn = Turn(ANN, "t", (Message("user", text, attachments),))
        return (await wayside.assistant.answer(turn)).text

    total = await says("What is the total amount?", read["invoice"])
    assert total.startswith("According to invoice-2291.pdf:") and "124.70 EUR" in total
    assert "ORD-12482 of 29 June 2026" in await says("Where is this order?")
    assert "60 days" in await says("How long do I have to send something back?")
    asked = await says("Please cancel this order.", read["invoice"])
    assert asked.startswith("Shall I cancel ORD-12482")
    assert await says("no") == "All right, I leave it at that."
