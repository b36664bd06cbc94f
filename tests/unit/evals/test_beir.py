from pathlib import Path

import pytest

from core.errors import InvalidInput
from evals import beir


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(
        tmp_path / "corpus.jsonl",
        '{"_id": "a/1", "title": "Tents & poles", "text": "Use <b>two</b>.\\n\\n~~Never~~ three."}',
    )
    write(tmp_path / "queries.jsonl", '{"_id": "q1", "text": "How many?"}\n{"_id": "q2", "text": "Not judged"}')
    write(tmp_path / "answers.jsonl", '{"_id": "q1", "answers": ["two", "2"]}')
    write(tmp_path / "qrels" / "dev.tsv", "query-id\tcorpus-id\tscore\nq1\ta/1\t2\nq1\ta/2\t0\n")
    return tmp_path


def write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def test_reads_judged_questions_with_gains_and_answers(folder: Path) -> None:
    read = beir.read(folder)
    assert read.questions == [beir.Question("q1", ("How many?",), {"a/1": 2.0}, ("two", "2"))]
    assert read.unanswerable == read.followups == []


def test_a_row_becomes_a_page_that_keeps_its_characters(folder: Path) -> None:
    (document,) = beir.read(folder).documents
    assert document.id == "a/1"
    assert b"<title>Tents &amp; poles</title>" in document.content
    assert b"<p>Use &lt;b&gt;two&lt;/b&gt;.</p><p>~~Never~~ three.</p>" in document.content


def test_markdown_files_are_documents_by_their_stem(folder: Path) -> None:
    write(folder / "documents" / "poles.md", "# Poles")
    assert beir.read(folder).documents == [beir.Document("poles", "poles.md", b"# Poles")]


def test_followups_are_judged_by_their_document(folder: Path) -> None:
    write(
        folder / "followups.jsonl", '{"_id": "f", "turns": ["One?", "And then?"], "answers": ["2"], "document": "a/1"}'
    )
    assert beir.read(folder).followups == [beir.Question("f", ("One?", "And then?"), {"a/1": 1.0}, ("2",))]


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("queries.jsonl", '{"_id": "q1"}', r"queries\.jsonl, line 1: no text"),
        ("queries.jsonl", '{"_id": "q1", "text": "a"}\nnonsense', r"queries\.jsonl, line 2: not JSON"),
        ("queries.jsonl", '{"_id": "q9", "text": "a"}', "no query with a judgment"),
        ("qrels/dev.tsv", "query-id\tcorpus-id\tscore\nq1 a/1 1\n", r"dev\.tsv, line 2: not three columns"),
        ("qrels/dev.tsv", "query-id\tcorpus-id\tscore\nq1\ta/1\tyes\n", r"dev\.tsv, line 2: the score"),
    ],
)
def test_names_what_cannot_be_used(folder: Path, name: str, text: str, complaint: str) -> None:
    write(folder / name, text)
    with pytest.raises(InvalidInput, match=complaint):
        beir.read(folder)


def test_names_what_is_missing(folder: Path) -> None:
    (folder / "corpus.jsonl").unlink()
    with pytest.raises(InvalidInput, match=r"neither corpus\.jsonl nor documents"):
        beir.read(folder)
    with pytest.raises(InvalidInput, match="not a folder"):
        beir.read(folder / "nowhere")


def test_the_demo_is_complete() -> None:
    demo = beir.read_demo()
    known = {document.id for document in demo.documents}
    assert all(set(question.gains) <= known for question in (*demo.questions, *demo.followups))
    assert demo.unanswerable
