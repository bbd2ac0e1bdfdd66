"""The configuration's file and what it names, read together as they are at one moment.

A file is known by its content, not by its time: on Kubernetes the path leads over a symlink that is swapped whole. The
files that the configuration names count too, so that a rotated key is noticed: secrets, providers' certificates and
vocabularies. Discovery's files do not: they are read for each request. Large files are known by size, inode and time.

Reading two files takes two moments. What is read counts only if nothing has changed between the first and the last.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from stat import S_ISREG
from typing import Any

from pydantic import BaseModel

from router import config as configuration
from router.config import Config, ConfigError, Secrets
from router.protocol.vocabulary import Vocabulary
from router.store.url import parse as parse_url

_LARGE = 1_048_576  # bytes; configurations and secrets have some thousand, vocabularies twenty million
_ELSEWHERE = frozenset({"discovery"})  # keys whose files are read anew by those who use them


@dataclass(frozen=True, slots=True)
class Reading:
    """What a router starts with, or goes on with."""

    config: Config
    secrets: Secrets
    vocabularies: Mapping[str, Vocabulary]  # by pool
    digest: str  # of the files
    certificates: Mapping[str, tuple[bytes, ...]]  # of providers that are not ours, as files hold them, by slug


class Unsettled(Exception):
    """A file changed while it was read."""


class ConfigFile:
    """One per router. Its methods read files: call them in a thread once requests are served.

    `digest`: of what was read last, whether that could be used or not; "" before.
    """

    def __init__(self, path: Path, environ: Mapping[str, str]) -> None:
        self.path = path
        self.digest = ""
        self._environ = environ
        self._named: tuple[Path, ...] = ()
        self._read: Mapping[str, Vocabulary] = {}  # the vocabularies of the last reading
        self._read_from: object = None

    def look(self) -> str:
        """The digest of the files as they are. Raises nothing: what cannot be read is as good a state as any."""
        digest = sha256()
        for path in (self.path, *self._named):
            for part in (str(path).encode(), _content(path)):
                digest.update(len(part).to_bytes(8, "big") + part)
        return digest.hexdigest()

    def read(self) -> Reading:
        """
        Raises:
            ConfigError: it cannot be used, and why.
            Unsettled: try again.
        """
        before, self.digest = _content(self.path), self.look()
        config = configuration.load(self.path)
        named = [*files_of(config), *map(Path, configuration.vocabulary_paths(config).values())]
        self._named = tuple(dict.fromkeys(named))
        self.digest = self.look()
        if _content(self.path) != before:
            raise Unsettled
        secrets = configuration.read_secrets(config, self._environ)
        check(secrets)
        vocabularies = self._vocabularies(config)
        certificates = {each.slug: tuple(map(_content, files_of(each))) for each in config.providers}
        if self.look() != self.digest:
            raise Unsettled
        return Reading(config, secrets, vocabularies, self.digest, certificates)

    def _vocabularies(self, config: Config) -> Mapping[str, Vocabulary]:
        """Those that are there already are not read again: it takes seconds."""
        paths = configuration.vocabulary_paths(config)
        state = {name: (path, _content(Path(path))) for name, path in paths.items()}
        if state != self._read_from:
            self._read = configuration.read_vocabularies(config)
            self._read_from = state
        return self._read


def check(secrets: Secrets) -> None:
    """What the configuration itself does not show. Raises ConfigError."""
    if secrets.database is not None:
        try:
            parse_url(secrets.database)
        except ValueError as error:
            raise ConfigError(f"database.url: {error}") from None


def files_of(part: Any) -> Iterator[Path]:
    """All files that a part of the configuration names."""
    if isinstance(part, Path):
        yield part
    elif isinstance(part, BaseModel):
        for name in type(part).model_fields:
            if name not in _ELSEWHERE:
                yield from files_of(getattr(part, name))
    elif isinstance(part, Mapping):
        for each in part.values():
            yield from files_of(each)
    elif isinstance(part, list | tuple):
        for each in part:
            yield from files_of(each)


def _content(path: Path) -> bytes:
    try:
        found = path.stat()
        if not S_ISREG(found.st_mode):  # to be read once, if at all
            return b"no file"
        if found.st_size > _LARGE:
            return f"{found.st_size} {found.st_ino} {found.st_mtime_ns}".encode()
        return path.read_bytes()
    except OSError as error:
        return f"cannot be read: {error.errno}".encode()
