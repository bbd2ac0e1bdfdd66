"""How much callers may keep."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FilesSettings:
    """Raises ValueError when a field is out of its range; the message begins with the field's name."""

    file_bytes: int = 104_857_600  # 100 MiB for one file: OpenRouter's bound
    workspace_bytes: int = 1_073_741_824  # 1 GiB for all of a workspace's: they are in the database, and in its backups
    files: int = 1_000  # of a workspace, those that batches made too
    chunk_bytes: int = 262_144  # 256 KiB at a time between the database and the caller: what one transfer holds
    unfinished_s: float = 3_600.0  # seconds without a byte after which an upload is given up

    def __post_init__(self) -> None:
        for name in ("file_bytes", "workspace_bytes", "files"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not 4_096 <= self.chunk_bytes <= 8_388_608:
            raise ValueError(f"chunk_bytes must be from 4096 to 8388608, got {self.chunk_bytes}")
        if not self.unfinished_s >= 60:
            raise ValueError(f"unfinished_s must be at least 60 seconds, got {self.unfinished_s}")
