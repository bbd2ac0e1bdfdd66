"""Sizes from headers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.protocol.images import read_size, size_of
from tests.router.protocol import pictures

SIDES = st.integers(1, 16_383)


@given(width=SIDES, height=SIDES)
def test_every_format_tells_its_size(width: int, height: int) -> None:
    assert (width, height, "png") == size_of(pictures.png(width, height))
    assert (width, height, "gif") == size_of(pictures.gif(width, height))
    assert (width, height, "jpeg") == size_of(pictures.jpeg(width, height))
    assert (width, height, "webp") == size_of(pictures.webp_lossy(width, height))
    assert (width, height, "webp") == size_of(pictures.webp_lossless(width, height))
    assert (width, height, "webp") == size_of(pictures.webp_extended(width, height))


def test_a_jpeg_is_measured_behind_its_metadata_without_reading_it() -> None:
    data = pictures.jpeg(640, 480, exif=200_000)
    looked_at = 0

    def read(offset: int, count: int) -> bytes:
        nonlocal looked_at
        looked_at += count
        return data[offset : offset + count]

    assert (640, 480, "jpeg") == read_size(read)
    assert looked_at < 100


def test_a_progressive_jpeg_with_padding_and_a_restart_marker_is_measured() -> None:
    start, frame = pictures.jpeg(1, 1)[:2], pictures.jpeg(31, 17, marker=0xC2)[2:]
    table = b"\xff\xc4\x00\x03\x00"  # a Huffman table is no frame
    assert (31, 17, "jpeg") == size_of(start + b"\xff\xff\xd0" + table + frame)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "not a PNG, JPEG, WebP or GIF image"),
        (b"BM" + bytes(40), "not a PNG, JPEG, WebP or GIF image"),
        (pictures.png(0, 5), "the image has no width or no height"),
        (pictures.png(5, 5)[:20], "the image ends within its header"),
        (pictures.png(5, 5).replace(b"IHDR", b"CgBI"), "a PNG image without a header chunk"),
        (pictures.jpeg(5, 5)[:3], "a JPEG image without a frame header"),
        (b"\xff\xd8\xff\xe1\x00\x04ab" + b"nonsense", "a JPEG image without a frame header"),
        (pictures.jpeg(5, 5)[:8], "the image ends within its header"),
        (b"\xff\xd8" + b"\xff\x01" * 2_000, "a JPEG image without a frame header"),
        (pictures.webp(b"VP8 ", bytes(12)), "a WebP image without a start code"),
        (pictures.webp(b"VP8L", bytes(12)), "a WebP image without a signature"),
        (pictures.webp(b"ANIM", bytes(12)), "a WebP image of an unknown kind"),
    ],
)
def test_what_is_no_image_is_refused_with_a_reason(data: bytes, problem: str) -> None:
    with pytest.raises(ValueError, match=f"^{problem}$"):
        size_of(data)


@given(head=st.sampled_from([b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF0000WEBPVP8 ", b"GIF89a"]), rest=st.binary())
def test_arbitrary_bytes_give_a_size_or_a_value_error(head: bytes, rest: bytes) -> None:
    try:
        width, height, _ = size_of(head + rest)
    except ValueError:
        return
    assert width > 0
    assert height > 0
