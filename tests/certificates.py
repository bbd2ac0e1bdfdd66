"""Certificates of the routers under test, as files."""

from datetime import datetime
from pathlib import Path

import trustme


def put(
    folder: Path, ca: trustme.CA, not_before: datetime | None = None, not_after: datetime | None = None
) -> dict[str, str]:
    """A pair for `router.example` as tls.crt (the whole chain) and tls.key; the paths, as in `listen.tls`."""
    pair = ca.issue_cert("router.example", not_before=not_before, not_after=not_after)
    certificate, key = folder / "tls.crt", folder / "tls.key"
    certificate.write_bytes(b"".join(blob.bytes() for blob in pair.cert_chain_pems))
    key.write_bytes(pair.private_key_pem.bytes())
    return {"certificate": str(certificate), "key": str(key)}
