"""What a repository of the Hugging Face hub (or of a mirror that speaks its API) holds, and what of it is wanted.

Pure. The hub says of each file its size and its sum: sha256 of what is stored as large files, git's own sum (SHA-1) of
the rest. So nothing has to be believed that came over the network, but this one answer.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import quote

from deploy.problem import Problem

LARGEST_LISTING = 32 * 1024 * 1024  # bytes; a thousand files are some hundred kilobytes
COMMIT = re.compile(r"[0-9a-f]{40}")
SHA256 = re.compile(r"[0-9a-f]{64}")
# Other forms of the same weights, where there is one that our engines load, and what is not for engines.
NEVER = (".gitattributes", "*.gguf", "*.onnx", "*.pth", "*.msgpack", "*.h5", "*.ot", "original/*")
BESIDE_SAFETENSORS = ("*.bin", "*.bin.index.json", "*.pt")
BESIDE_CONSOLIDATED = ("model-*.safetensors", "model.safetensors", "model.safetensors.index.json")


@dataclass(frozen=True, slots=True)
class File:
    """One of a repository."""

    name: str  # with slashes
    size: int  # bytes
    sha256: str | None
    git_sha1: str | None

    def digest(self) -> "hashlib._Hash":
        """To be fed with its content."""
        if self.sha256 is not None:
            return hashlib.sha256()
        return hashlib.sha1(b"blob %d\0" % self.size, usedforsecurity=False)

    @property
    def sum(self) -> str:
        """That its content must have; empty: the hub told none."""
        return self.sha256 or self.git_sha1 or ""


@dataclass(frozen=True, slots=True)
class Listing:
    """A repository at one commit."""

    commit: str
    files: tuple[File, ...]


def listing_url(endpoint: str, repository: str, revision: str) -> str:
    return f"{endpoint}/api/models/{repository}/revision/{quote(revision, safe='')}?blobs=true"


def file_url(endpoint: str, repository: str, commit: str, name: str) -> str:
    """By the commit, so that a branch that moves meanwhile mixes nothing."""
    return f"{endpoint}/{repository}/resolve/{commit}/{quote(name)}"


def read_listing(body: bytes, repository: str) -> Listing:
    """Understand the hub's answer. Raises Problem: it is none, or names files that would lie elsewhere."""
    try:
        told = json.loads(body)
        commit = told["sha"]
        files = tuple(_file(each) for each in told["siblings"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Problem(f"the hub's answer about {repository} is not understood: {error!r}") from None
    if not isinstance(commit, str) or not COMMIT.fullmatch(commit):
        raise Problem(f"the hub's answer about {repository} names no commit")
    for file in files:
        if file.name.startswith("/") or not all(part.strip(".") for part in file.name.split("/")):
            raise Problem(f"the hub's answer about {repository} names a file that is none: {file.name!r}")
    return Listing(commit, files)


def _file(told: dict[str, Any]) -> File:
    name, size = told["rfilename"], told.get("size")
    sha256 = (told.get("lfs") or {}).get("sha256")
    git_sha1 = told.get("blobId")
    if not isinstance(name, str) or not isinstance(size, int) or size < 0 or "\0" in name:
        raise ValueError(f"file {name!r} of size {size!r}")
    if sha256 is not None and not SHA256.fullmatch(sha256):
        raise ValueError(f"sum of {name}: {sha256!r}")
    if git_sha1 is not None and not COMMIT.fullmatch(git_sha1):
        raise ValueError(f"sum of {name}: {git_sha1!r}")
    return File(name, size, sha256, git_sha1)


def choose(files: Sequence[File], globs: Iterable[str]) -> tuple[File, ...]:
    """Those that are wanted: by the globs, or without any, one form of the weights and all that is beside it.

    Raises Problem: a glob matches nothing.
    """
    globs = tuple(globs)
    for glob in globs:
        if not any(fnmatchcase(file.name, glob) for file in files):
            raise Problem(f"no file matches {glob!r}; there are {', '.join(sorted(file.name for file in files)[:20])}")
    if globs:
        return tuple(file for file in files if _matches(file, globs))
    unwanted = list(NEVER)
    if any(file.name.endswith(".safetensors") for file in files):
        unwanted += BESIDE_SAFETENSORS
    if any(fnmatchcase(file.name, "consolidated*.safetensors") for file in files):
        unwanted += BESIDE_CONSOLIDATED
    return tuple(file for file in files if not _matches(file, unwanted))


def _matches(file: File, globs: Iterable[str]) -> bool:
    return any(fnmatchcase(file.name, glob) for glob in globs)
