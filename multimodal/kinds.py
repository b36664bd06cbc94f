"""What bytes are, by what they begin with: a name or a declared type is never asked."""

from __future__ import annotations

from enum import StrEnum

_HEAD = 64


class Kind(StrEnum):
    """The formats that are admitted."""

    PNG = "PNG"
    JPEG = "JPEG"
    WEBP = "WebP"
    GIF = "GIF"
    BMP = "BMP"
    WAV = "WAV"
    MP3 = "MP3"
    MP4 = "MP4"
    OGG = "Ogg"
    FLAC = "FLAC"
    WEBM = "WebM"


PICTURES = (Kind.PNG, Kind.JPEG, Kind.WEBP, Kind.GIF, Kind.BMP)
SOUNDS = (Kind.WAV, Kind.MP3, Kind.MP4, Kind.OGG, Kind.FLAC, Kind.WEBM)
# Pictures in the container of MP4.
_STILLS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis")


def kind_of(content: bytes) -> Kind | None:
    """The admitted format that the bytes begin as, or None."""
    head = content[:_HEAD]
    for magic, kind in (
        (b"\x89PNG\r\n\x1a\n", Kind.PNG),
        (b"\xff\xd8\xff", Kind.JPEG),
        (b"GIF87a", Kind.GIF),
        (b"GIF89a", Kind.GIF),
        (b"OggS", Kind.OGG),
        (b"fLaC", Kind.FLAC),
        (b"ID3", Kind.MP3),
    ):
        if head.startswith(magic):
            return kind
    if head[:4] == b"RIFF":
        return {b"WEBP": Kind.WEBP, b"WAVE": Kind.WAV}.get(head[8:12])
    if head[:4] == b"\x1aE\xdf\xa3" and b"webm" in head:
        return Kind.WEBM
    if head[4:8] == b"ftyp":
        return None if head[8:12] in _STILLS else Kind.MP4
    # Two letters say little: the sizes of a bitmap's header say the rest.
    if head[:2] == b"BM" and head[6:10] == bytes(4) and int.from_bytes(head[14:18], "little") in (12, 40, 108, 124):
        return Kind.BMP
    # MPEG's eleven bits of ones, and layer III of a version that exists.
    if len(head) > 2 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2 and head[1] & 0x18 != 0x08:
        return Kind.MP3
    return None
