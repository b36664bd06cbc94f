"""What bytes are, by how they begin."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multimodal.kinds import PICTURES, SOUNDS, Kind, kind_of
from multimodal.media import kind
from tests.fakes.media import film, picture, sound

MADE: dict[Kind, Callable[[], bytes]] = {
    Kind.PNG: lambda: picture("PNG"),
    Kind.JPEG: lambda: picture("JPEG"),
    Kind.WEBP: lambda: picture("WEBP"),
    Kind.GIF: lambda: picture("GIF"),
    Kind.BMP: lambda: picture("BMP"),
    Kind.WAV: lambda: sound("wav"),
    Kind.MP3: lambda: sound("mp3"),
    Kind.MP4: film,
    Kind.OGG: lambda: sound("ogg"),
    Kind.FLAC: lambda: sound("flac"),
    Kind.WEBM: lambda: sound("webm"),
}


@pytest.mark.parametrize("expected", Kind)
def test_every_admitted_format_is_known_by_its_beginning(expected: Kind) -> None:
    content = MADE[expected]()
    assert kind_of(content) is expected
    assert kind(content) == ("picture" if expected in PICTURES else "audio")
    assert (expected in PICTURES) != (expected in SOUNDS)


def test_mp3_without_a_tag_is_known_by_its_first_frame() -> None:
    content = sound("mp3")
    frames = content[content.index(b"\xff\xfb") :]
    assert kind_of(frames) is Kind.MP3


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"BM is how this sentence begins.",
        b"RIFF\0\0\0\0AVI LIST",
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
        b"\0\0\0\x18ftypavif",
        b"\x1aE\xdf\xa3\x01\0\0\0\0\0\0\x1fB\x82\x88matroska",
        b"\xff\xf1\x50\x80\0\0",
        b"\xff\xfe\0\0B\0M\0",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.7",
        b"#EXTM3U",
    ],
)
def test_what_is_not_admitted_is_nothing(content: bytes) -> None:
    assert kind_of(content) is None
    assert kind(content) is None


@given(st.binary(max_size=80), st.sampled_from([b"", b"RIFF", b"\0\0\0\0ftyp", b"\x1aE\xdf\xa3", b"BM", b"\xff"]))
def test_any_bytes_are_one_kind_or_none(tail: bytes, head: bytes) -> None:
    found = kind_of(head + tail)
    assert kind(head + tail) == (None if found is None else "picture" if found in PICTURES else "audio")
