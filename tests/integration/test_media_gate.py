"""Bombs, tricks and good files before the media gate: each is admitted, or refused with its code, and contained."""

from __future__ import annotations

import asyncio
import io
import math
import struct
import zipfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from core.errors import InvalidInput, MissingExtra, TooLarge, UnreadableDocument, UnsupportedMedia
from core.media import RATE
from core.settings import MediaSettings
from multimodal.media import MediaGate
from tests.fakes.media import CODECS, animated, chunk, film, picture, png_of_zeros, sound, tone

# More than the gate's own copies of the largest file that a test sends; a decoded bomb is several times this.
GROWTH = 60 * 2**20


@pytest.fixture
async def gate() -> AsyncIterator[MediaGate]:
    made = MediaGate(MediaSettings(), spare=True)
    yield made
    await made.close()


@contextmanager
def bounded() -> Iterator[None]:
    """This process does not grow meanwhile, not for a moment."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak is what is there now
    before = resident("VmRSS")
    yield
    assert resident("VmHWM") - before < GROWTH


def resident(which: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(which))


async def refused(gate: MediaGate, content: bytes, how: str = "picture") -> InvalidInput:
    """The refusal of the content. Whatever it is, this process does not grow by it."""
    with bounded(), pytest.raises(InvalidInput) as caught:
        await (gate.picture if how == "picture" else gate.audio)(content, "messages.0.content.1")
    assert caught.value.param == "messages.0.content.1"
    return caught.value


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
async def test_every_picture_format_is_admitted_and_made_anew(gate: MediaGate, kind: str) -> None:
    admitted = await gate.picture(picture(kind), "file")
    with Image.open(io.BytesIO(admitted.content)) as made:
        assert made.get_format_mimetype() == admitted.media_type
        assert made.size == (admitted.width, admitted.height) == (64, 48)
        shown = made.convert("RGB").getpixel((30, 20))
    assert isinstance(shown, tuple) and all(abs(a - b) < 12 for a, b in zip(shown, (255, 0, 0), strict=True))


async def test_a_photo_is_turned_upright_and_loses_where_it_was_taken(gate: MediaGate) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: the camera was turned
    exif[0x010F] = "Camera Maker"
    exif.get_ifd(0x8825)[1] = "N"  # GPS
    content = picture("JPEG", (64, 48), exif=exif, comment=b"taken at home", icc_profile=b"profile" * 20)
    assert b"Camera Maker" in content and b"taken at home" in content
    admitted = await gate.picture(content, "file")
    assert (admitted.width, admitted.height) == (48, 64)
    assert not any(word in admitted.content for word in (b"Camera", b"home", b"profile", b"Exif"))
    with Image.open(io.BytesIO(admitted.content)) as made:
        assert not made.getexif() and not {"exif", "icc_profile", "comment"} & made.info.keys()


async def test_a_photo_with_a_second_picture_behind_it_is_one_picture(gate: MediaGate) -> None:
    made = io.BytesIO()
    first, second = (Image.new("RGB", size, "red") for size in ((64, 48), (32, 24)))
    first.save(made, "MPO", save_all=True, append_images=[second])
    admitted = await gate.picture(made.getvalue(), "file")
    assert (admitted.width, admitted.height, admitted.content.count(b"\xff\xd8\xff")) == (64, 48, 1)


async def test_what_shines_through_is_white_and_sixteen_bits_keep_their_shades(gate: MediaGate) -> None:
    clear, deep = io.BytesIO(), io.BytesIO()
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(clear, "PNG")
    Image.fromarray(np.full((8, 8), 32_768, np.uint16)).save(deep, "PNG")
    shades = []
    for content in (clear, deep):
        with Image.open(io.BytesIO((await gate.picture(content.getvalue(), "file")).content)) as made:
            shades.append(made.getpixel((4, 4)))
    assert shades == [(255, 255, 255), 128]


async def test_pixel_bombs_are_refused_from_their_header(gate: MediaGate) -> None:
    huge = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    webp = b"RIFF" + struct.pack("<I", 30) + b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + b"\xfe\xff\x3f" * 2
    gif = b"GIF89a" + struct.pack("<HHBBB", 65_535, 65_535, 0, 0, 0) + b"\x3b"
    for content in (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", huge) + chunk(b"IDAT", b""), webp, gif):
        refusal = await refused(gate, content)
        assert isinstance(refusal, TooLarge)
        assert (refusal.code, "40,000,000" in refusal.message) == ("too_many_pixels", True)


async def test_a_decompression_bomb_within_the_pixels_grows_in_the_child_alone(gate: MediaGate) -> None:
    content = png_of_zeros(6_300, 6_300)
    assert len(content) * 900 < 6_300 * 6_300 * 4
    with bounded():
        admitted = await gate.picture(content, "file")
    assert (admitted.width, admitted.height) == (6_300, 6_300)
    assert (await refused(gate, png_of_zeros(6_400, 6_400))).code == "too_many_pixels"


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
async def test_moving_pictures_are_refused_unless_the_limit_lets_their_first_frame_in(kind: str) -> None:
    refusal = await refused(MediaGate(MediaSettings()), animated(kind, 3))
    assert (refusal.code, "at most 1 frame" in refusal.message) == ("too_many_frames", True)
    admitted = await MediaGate(MediaSettings(frames=3)).picture(animated(kind, 3), "file")
    assert (admitted.width, admitted.height) == (16, 16)
    assert (await refused(MediaGate(MediaSettings(frames=3)), animated(kind, 4))).code == "too_many_frames"


async def test_of_a_polyglot_only_the_picture_gets_through(gate: MediaGate) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("run.sh", "echo surprise")
    script = b"<script>surprise()</script>"
    for tail in (packed.getvalue(), script):
        for kind in ("PNG", "JPEG", "GIF"):
            admitted = await gate.picture(picture(kind) + tail, "file")
            assert b"surprise" not in admitted.content and b"run.sh" not in admitted.content
    # A GIF that is a program: its width reads as the beginning of a comment.
    refusal = await refused(gate, b"GIF89a/*\x01\x00\x00\x00\x00*/=1;alert(1);")
    assert refusal.code in ("unreadable_picture", "too_many_pixels")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
async def test_a_picture_cut_off_or_with_its_middle_destroyed_is_never_a_crash(gate: MediaGate, kind: str) -> None:
    noise = np.random.default_rng(3).integers(0, 255, (64, 64, 3), np.uint8)
    made = io.BytesIO()
    Image.fromarray(noise).save(made, kind)
    content = made.getvalue()
    for share in (0.1, 0.5, 0.9):
        refusal = await refused(gate, content[: int(len(content) * share)])
        assert isinstance(refusal, UnreadableDocument)
        assert refusal.code == "unreadable_picture"


async def test_bytes_over_the_limit_empty_ones_and_foreign_ones_have_their_codes(gate: MediaGate) -> None:
    small = MediaGate(MediaSettings(picture_bytes=1024, audio_bytes=1024))
    assert (await refused(small, bytes(1025))).code == "picture_too_large"
    assert (await refused(small, bytes(1025), "audio")).code == "audio_too_large"
    for how in ("picture", "audio"):
        assert (await refused(gate, b"", how)).code == "empty_media"
        for content in (b"%PDF-1.7", b"<svg xmlns='http://www.w3.org/2000/svg'/>", bytes(100), b"\0\0\0\x18ftypheic"):
            refusal = await refused(gate, content, how)
            assert isinstance(refusal, UnsupportedMedia)
            assert refusal.code == "unsupported_media"


async def test_sound_is_no_picture_and_a_picture_is_no_sound(gate: MediaGate) -> None:
    assert (await refused(gate, sound())).code == "unsupported_media"
    assert (await refused(gate, picture(), "audio")).code == "unsupported_media"


@pytest.mark.parametrize("container", CODECS)
async def test_every_sound_format_is_admitted(gate: MediaGate, container: str) -> None:
    heard = (await gate.audio(sound(container), "file")).samples
    assert heard.dtype == np.float32
    assert len(heard) == pytest.approx(RATE / 2, rel=0.1)
    middle = heard[RATE // 8 : RATE // 4]
    loudest = int(np.argmax(np.abs(np.fft.rfft(middle))))
    assert loudest * RATE / len(middle) == pytest.approx(440, abs=10)
    assert float(np.sqrt(np.mean(middle**2))) == pytest.approx(12_000 / 32_768 / math.sqrt(2), rel=0.15)


async def test_of_a_film_the_sound_is_taken(gate: MediaGate) -> None:
    assert (await gate.audio(film(), "file")).seconds == pytest.approx(0.5, abs=0.1)


async def test_long_silence_in_few_bytes_is_refused(gate: MediaGate) -> None:
    content = sound("flac", np.zeros(3_600 * 4_000, np.int16), 4_000)
    assert len(content) < 3_600 * RATE * 2 / 100
    refusal = await refused(gate, content, "audio")
    assert (refusal.code, "900 seconds" in refusal.message) == ("audio_too_long", True)
    shorter = MediaGate(MediaSettings(audio_seconds=60))
    for container in ("ogg", "ipod", "mp3", "webm"):
        refusal = await refused(shorter, sound(container, np.zeros(70 * 8_000, np.int16), 8_000), "audio")
        assert isinstance(refusal, TooLarge), container
        assert (refusal.code, "60 seconds" in refusal.message) == ("audio_too_long", True)


async def test_sound_that_hides_its_length_is_cut_off_while_it_is_decoded() -> None:
    gate = MediaGate(MediaSettings(audio_seconds=2))
    flac = bytearray(sound("flac", tone(5, 16_000), 16_000))
    flac[21] &= 0xF0  # the number of samples: 0, that is, unknown
    flac[22:26] = bytes(4)
    assert (await refused(gate, bytes(flac), "audio")).code == "audio_too_long"
    wav = sound("wav", tone(5, 16_000), 16_000)
    assert (await refused(gate, wav, "audio")).code == "audio_too_long"
    assert (await gate.audio(sound("wav", tone(1.9, 16_000), 16_000), "file")).seconds == pytest.approx(1.9)


async def test_what_an_mp4_declares_is_held_against_the_limit_and_against_what_is_there(gate: MediaGate) -> None:
    content = bytearray(sound("ipod"))
    for name, place in ((b"mdhd", 20), (b"mvhd", 20), (b"tkhd", 24), (b"elst", 12)):
        at = content.index(name) + place
        content[at : at + 4] = b"\x7f\xff\xff\xff"
    # Its headers say half a day, its table of packets knows better.
    assert (await gate.audio(bytes(content), "file")).seconds == pytest.approx(0.5, abs=0.1)
    packet = content.index(b"stts") + 16
    content[packet : packet + 4] = (48_000 * 600).to_bytes(4, "big")
    assert (await refused(gate, bytes(content), "audio")).code == "audio_too_long"
    content[packet : packet + 4] = (48_000 // 4).to_bytes(4, "big")
    assert (await refused(gate, bytes(content), "audio")).code == "unreadable_audio"


async def test_a_wav_may_not_know_its_length_but_may_not_lie_about_it(gate: MediaGate) -> None:
    content = bytearray(sound("wav", tone(1, 16_000), 16_000))
    size = content.index(b"data") + 4
    content[size : size + 4] = b"\xff\xff\xff\xff"
    assert (await gate.audio(bytes(content), "file")).seconds == pytest.approx(1, abs=0.01)
    content[size : size + 4] = (40_000_000).to_bytes(4, "little")
    assert (await refused(gate, bytes(content), "audio")).code == "unreadable_audio"
    rate = content.index(b"fmt ") + 12
    content[size : size + 4] = (32_000).to_bytes(4, "little")
    for lie in (0, 1, 2**31 - 1):
        content[rate : rate + 4] = lie.to_bytes(4, "little")
        assert (await refused(gate, bytes(content), "audio")).code == "unreadable_audio"


async def test_codecs_outside_of_the_list_are_not_opened(gate: MediaGate) -> None:
    refusal = await refused(gate, sound("wav", codec="adpcm_ms"), "audio")
    assert refusal.code == "unsupported_media"


async def test_playlists_are_no_sound_in_any_disguise(gate: MediaGate) -> None:
    for text in ("#EXTM3U\n#EXTINF:9,\nfile:///etc/passwd\n", "ffconcat version 1.0\nfile /etc/passwd\n"):
        assert (await refused(gate, text.encode(), "audio")).code == "unsupported_media"
        for magic in (b"ID3", b"OggS", b"fLaC", b"RIFF\0\0\0\0WAVE", b"\0\0\0\x18ftypM4A "):
            assert (await refused(gate, magic + b"\n" + text.encode(), "audio")).code == "unreadable_audio"


@pytest.mark.parametrize("container", ["wav", "ipod", "flac"])
async def test_sound_cut_off_is_refused_where_its_header_tells_that_more_was_there(
    gate: MediaGate, container: str
) -> None:
    content = sound(container, tone(4))
    assert (await refused(gate, content[: len(content) // 3], "audio")).code == "unreadable_audio"


async def test_a_container_without_sound_is_refused(gate: MediaGate) -> None:
    content = bytearray(sound("wav"))
    samples = content.index(b"data") + 8
    content[samples - 4 : samples] = bytes(4)
    assert (await refused(gate, bytes(content[:samples]), "audio")).code == "unreadable_audio"


async def test_good_files_are_admitted_while_bombs_are_before_the_gate(gate: MediaGate) -> None:
    bombs = [gate.picture(png_of_zeros(6_400, 6_400), "bomb") for _ in range(4)]
    bombs += [gate.picture(animated("GIF", 300), "bomb"), gate.picture(picture()[:50], "bomb")]
    good = [gate.picture(picture(colour=(n, 0, 0)), "good") for n in range(3)]
    answers = await asyncio.gather(*bombs, *good, gate.audio(sound(), "good"), return_exceptions=True)
    assert all(isinstance(answer, InvalidInput) and answer.param == "bomb" for answer in answers[:6])
    assert not any(isinstance(answer, BaseException) for answer in answers[6:])


async def test_giving_up_on_a_file_leaves_the_gate_as_it_was(gate: MediaGate) -> None:
    given_up = asyncio.create_task(gate.picture(png_of_zeros(6_300, 6_300), "file"))
    await asyncio.sleep(0.1)
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    assert (await gate.picture(picture(), "file")).width == 64


async def test_a_missing_package_is_named_with_its_extra() -> None:
    gate = MediaGate(MediaSettings(), installed=lambda package: False)
    with pytest.raises(MissingExtra, match=r"pillow.*vision"):
        await gate.picture(picture(), "file")
    with pytest.raises(MissingExtra, match=r"av.*voice"):
        await gate.audio(sound(), "file")


GOOD = [*(picture(kind, (16, 16)) for kind in ("PNG", "JPEG", "WEBP", "GIF", "BMP")), *map(sound, CODECS)]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A good file with a few bytes changed, a stretch doubled or the rest cut off."""
    content = bytearray(draw(st.sampled_from(GOOD)))
    for _ in range(draw(st.integers(1, 6))):
        content[draw(st.integers(0, min(len(content), 400) - 1))] = draw(st.integers(0, 255))
    start = draw(st.integers(0, len(content)))
    return bytes(draw(st.sampled_from([content, content[:start], content[:start] + content[start // 2 :]])))


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(st.binary(max_size=200), mutated()))
async def test_nothing_but_the_gates_own_errors_ever_comes_out(content: bytes) -> None:
    gate = MediaGate(MediaSettings(pixels=1_000_000, audio_seconds=5))
    for admit, code in ((gate.picture, "unreadable_picture"), (gate.audio, "unreadable_audio")):
        try:
            await admit(content, "file")
        except InvalidInput as refusal:
            assert refusal.param == "file"
            codes = {code, "unsupported_media", "empty_media", "too_many_pixels", "too_many_frames", "audio_too_long"}
            assert refusal.code in codes
