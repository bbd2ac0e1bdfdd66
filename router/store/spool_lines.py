"""Lines of a spool's file, from wherever one begins."""

from collections.abc import Callable, Iterator

_CHUNK = 262_144  # bytes read at once: some 300 records


def lines(read: Callable[[int, int], bytes], offset: int = 0, *, chunk: int = _CHUNK) -> Iterator[tuple[int, bytes]]:
    """Each line without its end, and the offset behind it. What no line break ends is not given.

    Zeros before a line are left out: after a power failure a file may have room for what never reached the disk.

    Args:
        read: gives at most so many bytes from an offset; fewer only at the end of the file.
        offset: where the first line begins.
        chunk: bytes to read at once.
    """
    size = chunk
    while data := read(offset, size):
        end = data.rfind(b"\n")
        if end >= 0:
            for line in data[:end].split(b"\n"):
                offset += len(line) + 1
                yield offset, line.lstrip(b"\0")
            size = chunk
        elif len(data) < size:
            return
        else:
            size *= 2  # a line longer than any record is damage, to be read past nevertheless
