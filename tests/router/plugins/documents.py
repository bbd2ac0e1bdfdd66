"""PDF documents made by hand, good ones and hostile ones."""

import zlib


def page(text: str) -> bytes:
    """A page's content stream with a line of text."""
    return f"BT /F1 24 Tf 72 700 Td ({text}) Tj ET".encode()


def dense(lines: int) -> bytes:
    """A page's content stream with so many lines of 600 characters."""
    line = f"({'a' * 600}) Tj T* "
    return f"BT /F1 1 Tf 1 TL 1 840 Td {line * lines} ET".encode()


DRAWING = b"0 0 1 rg 100 100 300 300 re f"  # a page without text


def pdf(
    *pages: bytes, box: str = "0 0 595 842", stream: str = "", more: dict[int, bytes] | None = None, trailer: str = ""
) -> bytes:
    """A document with these pages.

    Args:
        pages: content streams.
        box: the pages' size, in points.
        stream: entries of the content streams' dictionaries.
        more: objects in place of those made here, by number: 1 catalogue, 2 tree of pages, 3 font, 4 first page.
        trailer: entries of the trailer.
    """
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for n, content in enumerate(pages):
        resources = "/Resources << /Font << /F1 3 0 R >> /XObject << /X0 100 0 R >> >>"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [{box}] {resources} /Contents {5 + 2 * n} 0 R >>".encode()
        )
        objects.append(b"<< /Length %d %b >>\nstream\n%b\nendstream" % (len(content), stream.encode(), content))
    numbered = dict(enumerate(objects, 1)) | (more or {})
    out = bytearray(b"%PDF-1.7\n")
    places: dict[int, int] = {}
    for number, body in numbered.items():
        places[number] = len(out)
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 1\n0000000000 65535 f \n"
    for number, place in places.items():
        out += b"%d 1\n%010d 00000 n \n" % (number, place)
    out += f"trailer << /Size {max(numbered) + 1} /Root 1 0 R {trailer} >>\nstartxref\n{table}\n%%EOF\n".encode()
    return bytes(out)


def deflated(size: int) -> bytes:
    """A content stream of so many bytes of spaces, small as it comes; to be used with FlateDecode."""
    packer = zlib.compressobj(9)
    piece = b" " * 1_048_576
    return b"".join(packer.compress(piece) for _ in range(size // len(piece))) + packer.flush()


def encrypted() -> bytes:
    """Needs a password that nobody has."""
    entry = "<< /Filter /Standard /V 1 /R 2 /O <" + "41" * 32 + "> /U <" + "42" * 32 + "> /P -4 >>"
    return pdf(page("secret"), trailer=f"/Encrypt {entry} /ID [<00> <00>]")


def endless() -> bytes:
    """A tree of pages that contains itself."""
    return pdf(page("a"), more={2: b"<< /Type /Pages /Kids [2 0 R 2 0 R 4 0 R] /Count 1000000000 >>"})


def drawing_itself() -> bytes:
    """A form that draws itself, twice."""
    form = b"/X0 Do /X0 Do"
    entries = b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X0 100 0 R >> >>"
    return pdf(b"/X0 Do", more={100: b"<< %b /Length %d >>\nstream\n%b\nendstream" % (entries, len(form), form)})


def huge_image() -> bytes:
    """An image of 60,000 x 60,000 pixels, of which there are none."""
    entries = b"/Type /XObject /Subtype /Image /Width 60000 /Height 60000 /ColorSpace /DeviceRGB /BitsPerComponent 8"
    data = deflated(33_554_432)
    body = b"<< %b /Filter /FlateDecode /Length %d >>\nstream\n%b\nendstream" % (entries, len(data), data)
    return pdf(b"500 0 0 500 0 0 cm /X0 Do", more={100: body})


def slow() -> bytes:
    """A page on which so much is drawn, see-through, that drawing takes minutes."""
    return pdf(
        b"/GS0 gs " + b"0 0 595 842 re 1 1 500 500 re f* " * 400_000 + b"0.5 w " + b"0 0 m 595 842 l S " * 400_000
    )
