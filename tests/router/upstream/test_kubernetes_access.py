"""Where the API server is, in a pod and outside."""

import ssl
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest
import trustme

from router.upstream.kubernetes_access import Access

POD: Mapping[str, str] = MappingProxyType({"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"})
NOWHERE = Path("/nowhere/at/all")


@pytest.fixture
def account(tmp_path: Path) -> Path:
    """A pod's own files."""
    (tmp_path / "token").write_text("first\n")
    (tmp_path / "namespace").write_text("serving")
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.crt")
    return tmp_path


def test_a_pod_has_everything_it_needs(account: Path) -> None:
    reach = Access(None, None, POD, folder=account).reach()
    assert ("https://10.96.0.1:443", "serving", "first") == (reach.url, reach.namespace, reach.token)
    assert isinstance(reach.tls, ssl.SSLContext)
    assert ssl.CERT_REQUIRED is reach.tls.verify_mode
    assert 1 == len(reach.tls.get_ca_certs())


def test_an_api_server_of_ipv6_is_bracketed(account: Path) -> None:
    environ = {**POD, "KUBERNETES_SERVICE_HOST": "fd00::1"}
    assert "https://[fd00::1]:443" == Access(None, None, environ, folder=account).reach().url


def test_a_token_that_was_changed_is_used_at_once(account: Path) -> None:
    access = Access(None, None, POD, folder=account)
    access.reach()
    (account / "token").write_text("second")
    assert "second" == access.reach().token


def test_an_authority_is_read_again_but_made_only_when_it_changed(account: Path) -> None:
    access = Access(None, None, POD, folder=account)
    first = access.reach().tls
    assert first is access.reach().tls
    trustme.CA().cert_pem.write_to_path(account / "ca.crt")
    assert first is not access.reach().tls


def test_what_the_configuration_names_goes_before_the_pods_own(account: Path, tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.crt")
    access = Access(None, "other", POD, token=lambda: "mine", ca_file=tmp_path / "other.crt", folder=NOWHERE)
    reach = access.reach()
    assert ("other", "mine") == (reach.namespace, reach.token)
    assert isinstance(reach.tls, ssl.SSLContext)


def test_a_pods_own_token_goes_to_no_other_address(account: Path) -> None:
    reach = Access("https://east.example:6443/", "serving", POD, folder=account).reach()
    assert ("https://east.example:6443", None, True) == (reach.url, reach.token, reach.tls)


def test_another_clusters_pods_are_told_apart(account: Path) -> None:
    assert "" == Access(None, None, POD, folder=account).prefix
    assert "east.example:6443/" == Access("https://east.example:6443", "serving", POD).prefix


def test_a_proxy_on_this_machine_needs_no_authority() -> None:
    reach = Access("http://127.0.0.1:8001", "serving", {}, ca_file=NOWHERE, folder=NOWHERE).reach()
    assert (None, True) == (reach.token, reach.tls)


def test_who_is_in_no_pod_is_told_what_to_set() -> None:
    with pytest.raises(ValueError, match=r"this is no pod .* set discovery\.api"):
        Access(None, "serving", {}).reach()


@pytest.mark.parametrize("missing", ["token", "namespace", "ca.crt"])
def test_what_cannot_be_read_is_named(account: Path, missing: str) -> None:
    (account / missing).unlink()
    with pytest.raises(OSError, match=missing):
        Access(None, None, POD, folder=account).reach()


@pytest.mark.parametrize(("empty", "words"), [("token", "token is empty"), ("namespace", "namespace is empty")])
def test_what_is_empty_is_told(account: Path, empty: str, words: str) -> None:
    (account / empty).write_text("\n")
    with pytest.raises(ValueError, match=words):
        Access(None, None, POD, folder=account).reach()


def test_an_authority_that_is_none_is_told(account: Path) -> None:
    (account / "ca.crt").write_text("nonsense")
    with pytest.raises(OSError, match=r"."):  # an SSLError
        Access(None, None, POD, folder=account).reach()
