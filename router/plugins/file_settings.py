"""How PDF documents are read, and what that may cost."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileSettings:
    """Raises ValueError when a field is out of its range; the message begins with the field's name."""

    pages: int = 100  # of one document; a longer one would not fit into most contexts, and is refused
    page_images: int = 8  # pages without text that are shown as pictures; OpenRouter's bound for a document
    image_side: int = 1_540  # pixels of a picture's longer side; what Pixtral scales larger ones down to
    processes: int = 2  # documents that are read at the same time, each by a process of its own
    wait_s: float = 10.0  # seconds to wait for one of these; then 503
    wall_s: float = 20.0  # seconds until a process is killed: 100 pages of text take under 2
    cpu_s: int = 15  # seconds of processor time, whatever the clock says; the kernel kills what takes longer
    memory_bytes: int = 1_073_741_824  # 1 GiB of addresses: libraries have 200 MiB, an A4 page at 300 dpi takes 35
    output_bytes: int = 33_554_432  # 32 MiB of texts and pictures; a process that writes more is killed
    cache_bytes: int = 67_108_864  # 64 MiB of what was read lately, as JSON; conversations send files again. 0: none

    def __post_init__(self) -> None:
        least = {"pages": 1, "page_images": 0, "image_side": 28, "processes": 1, "cpu_s": 1, "cache_bytes": 0}
        for name, bound in {**least, "memory_bytes": 268_435_456, "output_bytes": 1_048_576}.items():
            if getattr(self, name) < bound:
                raise ValueError(f"{name} must be at least {bound}, got {getattr(self, name)}")
        for name in ("wait_s", "wall_s"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0 seconds, got {getattr(self, name)}")
