import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography import x509

from router.front.tls import Certificates, TlsSettings
from tests.certificates import put


@pytest.fixture
def settings(tmp_path: Path) -> TlsSettings:
    files = put(tmp_path, trustme.CA())
    return TlsSettings(files["certificate"], files["key"])


def test_a_context_is_of_today(settings: TlsSettings) -> None:
    assert ssl.TLSVersion.TLSv1_2 == Certificates(settings).context.minimum_version
    strict = TlsSettings(settings.certificate, settings.key, minimum="1.3")
    assert ssl.TLSVersion.TLSv1_3 == Certificates(strict).context.minimum_version


def test_clients_must_show_a_certificate_where_their_ca_is_given(settings: TlsSettings, tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "ca.crt"))
    mutual = TlsSettings(settings.certificate, settings.key, client_ca=str(tmp_path / "ca.crt"))
    assert ssl.CERT_NONE == Certificates(settings).context.verify_mode
    assert ssl.CERT_REQUIRED == Certificates(mutual).context.verify_mode


def test_what_has_not_changed_is_not_read_again(settings: TlsSettings) -> None:
    certificates = Certificates(settings)
    before = certificates.context
    assert not certificates.poll()
    assert certificates.context is before


def test_a_new_pair_makes_a_new_context(settings: TlsSettings, tmp_path: Path) -> None:
    certificates = Certificates(settings)
    before = certificates.context
    put(tmp_path, trustme.CA())
    assert certificates.poll()
    assert certificates.context is not before
    assert (1, 0) == (certificates.reloads, certificates.failures)


def test_it_tells_from_when_until_when_its_whole_chain_is_valid(settings: TlsSettings, tmp_path: Path) -> None:
    today = datetime.now(UTC).replace(microsecond=0)
    put(tmp_path, trustme.CA(), today - timedelta(days=1), today + timedelta(days=90))
    certificates = Certificates(settings)
    assert (today - timedelta(days=1)).timestamp() == certificates.validity.begins
    assert (today + timedelta(days=90)).timestamp() == certificates.validity.ends

    above = trustme.CA().create_child_ca()
    put(tmp_path, above, today - timedelta(days=1), datetime(9999, 12, 31, tzinfo=UTC))
    ends = certificates.validity.ends
    assert certificates.poll()
    chain = x509.load_pem_x509_certificates((tmp_path / "tls.crt").read_bytes())
    assert ends != certificates.validity.ends == min(each.not_valid_after_utc.timestamp() for each in chain)


@pytest.mark.parametrize("broken", [b"", b"not a key", trustme.CA().issue_cert("x").private_key_pem.bytes()])
def test_a_pair_that_cannot_be_used_is_refused_once_and_loudly(
    settings: TlsSettings, tmp_path: Path, broken: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    certificates = Certificates(settings)
    before = certificates.context
    (tmp_path / "tls.key").write_bytes(broken)
    assert [False, False] == [certificates.poll(), certificates.poll()]
    assert certificates.context is before
    assert 1 == certificates.failures == len(caplog.records)
    put(tmp_path, trustme.CA())
    assert certificates.poll()


def test_a_file_that_is_gone_for_a_moment_changes_nothing(settings: TlsSettings, tmp_path: Path) -> None:
    certificates = Certificates(settings)
    before = certificates.context
    (tmp_path / "tls.crt").unlink()
    assert not certificates.poll()
    assert certificates.context is before


def test_a_key_with_a_pass_phrase_asks_nobody(settings: TlsSettings, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key((tmp_path / "tls.key").read_bytes(), None)
    locked = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    (tmp_path / "tls.key").write_bytes(locked)
    with pytest.raises(ssl.SSLError):
        Certificates(settings)


def test_files_are_looked_at_again_and_again(settings: TlsSettings, tmp_path: Path) -> None:
    certificates = Certificates(settings)
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 2:
            put(tmp_path, trustme.CA())
        if len(slept) == 4:
            raise asyncio.CancelledError

    async def main() -> None:
        with pytest.raises(asyncio.CancelledError):
            await certificates.run(sleep)

    asyncio.run(main())
    assert [settings.reload_s] * 4 == slept
    assert 1 == certificates.reloads
