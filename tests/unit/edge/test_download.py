import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ArtefactChanged, BundleTampered, BundleTruncated, DownloadFailed
from edge.download import Download, LocalChunks
from edge.manifest import Artefact
from tests.fakes.bundles import Line, artefact

NOISE = random.Random(1).randbytes(3_000)
MODEL = artefact(NOISE)


def bring(
    folder: Path, line: Line, wanted: Artefact = MODEL, local: LocalChunks | None = None, patience: int = 3
) -> Download:
    folder.mkdir(exist_ok=True)
    download = Download(
        wanted, folder / wanted.file, line, local or LocalChunks(), patience=patience, pause=lambda _: None
    )
    download.run()
    assert sorted(path.name for path in folder.iterdir()) == [wanted.file]
    return download


def test_a_whole_file_is_one_range(tmp_path: Path) -> None:
    line = Line({"model": NOISE})
    assert bring(tmp_path, line).fetched == len(NOISE)
    assert line.ranges == [("model", 0, len(NOISE))]
    assert (tmp_path / MODEL.file).read_bytes() == NOISE
    bring(tmp_path, line)
    assert len(line.ranges) == 1, "what is here is not fetched again"


def test_a_connection_that_breaks_at_every_byte_ends_identical(tmp_path: Path) -> None:
    """Broken once, at each place of the file, each time in a new process that finds what the last one left."""
    content = NOISE[:600]
    wanted = artefact(content)
    assert len(wanted.chunks) > 3
    for place in range(len(content)):
        folder = tmp_path / str(place)
        with pytest.raises(DownloadFailed):
            bring(folder, Line({"model": content}, [place, 0]), wanted, patience=0)
        line = Line({"model": content})
        bring(folder, line, wanted)
        assert (folder / wanted.file).read_bytes() == content
        assert line.sent == len(content) - place, "what had come is not fetched again"


def test_a_byte_at_a_time_is_enough(tmp_path: Path) -> None:
    line = Line({"model": NOISE}, [1] * len(NOISE))
    assert bring(tmp_path, line).fetched == line.sent == len(NOISE)
    assert (tmp_path / MODEL.file).read_bytes() == NOISE


@given(
    old=st.binary(min_size=1, max_size=1500),
    place=st.integers(0, 1500),
    inserted=st.binary(min_size=1, max_size=700),
    removed=st.integers(0, 400),
    breaks=st.lists(st.integers(0, 400), max_size=12),
    piece=st.integers(1, 300),
)
@settings(max_examples=60, deadline=None)
def test_the_old_file_and_the_delta_make_the_new_one(
    tmp_path_factory: pytest.TempPathFactory,
    old: bytes,
    place: int,
    inserted: bytes,
    removed: int,
    breaks: list[int],
    piece: int,
) -> None:
    folder = tmp_path_factory.mktemp("delta")
    base, new = old + NOISE, old[:place] + inserted + old[place + removed :] + NOISE + old
    (folder / "old").write_bytes(base)
    wanted = artefact(new)
    line = Line({"model": new}, breaks, piece=piece)
    bring(folder / "new", line, wanted, LocalChunks([(folder / "old", artefact(base))]), patience=len(breaks))
    assert (folder / "new" / wanted.file).read_bytes() == new
    held = {chunk.sha256 for chunk in artefact(base).chunks}
    missing = {chunk.sha256: chunk.size for chunk in wanted.chunks if chunk.sha256 not in held}
    assert line.sent == sum(missing.values()), "exactly the chunks that are not here are fetched, each once"


def test_a_damaged_old_file_is_no_source(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(NOISE[:1000] + b"?" + NOISE[1001:])
    line = Line({"model": NOISE})
    bring(tmp_path / "new", line, local=LocalChunks([(tmp_path / "old", MODEL), (tmp_path / "gone", MODEL)]))
    assert (tmp_path / "new" / MODEL.file).read_bytes() == NOISE
    assert 0 < line.sent < 1000


def test_what_was_left_is_verified_before_it_is_kept(tmp_path: Path) -> None:
    for left in (b"?" * 1500, NOISE[:700] + b"?" * 900, NOISE + b"more"):
        (tmp_path / f".{MODEL.file}.part").write_bytes(left)
        bring(tmp_path, Line({"model": NOISE}))
        assert (tmp_path / MODEL.file).read_bytes() == NOISE
        (tmp_path / MODEL.file).unlink()


def test_bytes_that_come_wrong_once_are_asked_for_again(tmp_path: Path) -> None:
    times = iter([True])
    line = Line({"model": NOISE}, wrong=lambda content: bytes(len(content)) if next(times, False) else content)
    bring(tmp_path, line)
    assert (tmp_path / MODEL.file).read_bytes() == NOISE


def test_bytes_that_stay_wrong_are_refused(tmp_path: Path) -> None:
    line = Line({"model": NOISE}, wrong=lambda content: content[:2000] + b"?" + content[2001:])
    with pytest.raises(BundleTampered):
        bring(tmp_path, line)
    assert not (tmp_path / MODEL.file).exists()


def test_a_file_that_ends_early_is_truncated_not_broken(tmp_path: Path) -> None:
    with pytest.raises(BundleTruncated, match="2500 of 3000"):
        bring(tmp_path, Line({"model": NOISE}, wrong=lambda content: content[:2500]))


def test_more_than_was_asked_for_is_not_taken(tmp_path: Path) -> None:
    class Generous(Line):
        def _carry(self, content: bytes, most: int | None) -> object:  # type: ignore[override]
            return iter([content + b"more"])

    assert bring(tmp_path, Generous({"model": NOISE})).fetched == len(NOISE)


def test_another_file_under_the_same_address_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(ArtefactChanged):
        bring(tmp_path, Line({"model": NOISE + b"!"}))
    assert (tmp_path / f".{MODEL.file}.part").stat().st_size == 0


def test_progress_is_told(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    Download(
        MODEL, tmp_path / "m", Line({"model": NOISE}), LocalChunks(), progress=lambda *step: told.append(step)
    ).run()
    assert [done for _, done, _ in told] == sorted({done for _, done, _ in told})
    assert told[-1] == ("model", len(NOISE), len(NOISE))
