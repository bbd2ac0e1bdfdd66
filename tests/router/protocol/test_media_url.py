"""Which URLs may be fetched, before any name is resolved."""

from ipaddress import ip_network

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from yarl import URL

from router.protocol.address import Addresses
from router.protocol.media_url import MAX_CHARS, MediaUrl, UrlRules

BOTH = UrlRules(schemes=("https", "http"))
LABEL = "a" * 63


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("https://example.com", "https://example.com/"),
        ("HTTPS://Example.COM/Cat.PNG", "https://example.com/Cat.PNG"),
        ("https://example.com:443/a", "https://example.com/a"),
        ("https://example.com:80/a", "https://example.com:80/a"),
        ("https://example.com?size=1", "https://example.com/?size=1"),
        ("https://example.com/?", "https://example.com/"),
        ("https://example.com/a//b/../c;x=1?u=https://b.example/@:!$&'()*+,;=~", None),
        ("https://example.com/%C3%A9%2Fx%", None),
        ("https://example.com/é?ü=日", "https://example.com/%C3%A9?%C3%BC=%E6%97%A5"),
        ('https://example.com/{a|b}"<>^`[]', "https://example.com/%7Ba%7Cb%7D%22%3C%3E%5E%60%5B%5D"),
        ("https://xn--bcher-kva.example/a", None),
        ("https://my_bucket.s3.example/a", None),
        ("https://0x7f.example/a", None),
        ("https://1.1.1.1.example/a", None),
        ("https://1.1.1.1/a", None),
        ("https://[2606:4700:4700::1111]/a", None),
        ("https://[2606:4700:4700::ABCD]/a", "https://[2606:4700:4700::abcd]/a"),
        (f"https://{LABEL}.{LABEL}.{LABEL}.example/", None),
    ],
)
def test_a_good_url_has_one_form_which_others_read_the_same(text: str, form: str | None) -> None:
    url = UrlRules().read(text)
    assert (form or text) == str(url)
    read = URL(str(url), encoded=True)
    assert (url.scheme, url.host, url.port, url.target) == (read.scheme, read.raw_host, read.port, read.raw_path_qs)
    assert url == UrlRules().read(str(url))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "not one of http or https"),
        ("example.com/a", "not one of http or https"),
        ("//example.com/a", "not one of http or https"),
        ("https:example.com", "not one of http or https"),
        ("https:/example.com", "not one of http or https"),
        ("file:///etc/passwd", "not one of http or https"),
        ("ftp://example.com/a", "not one of http or https"),
        ("httpſ://example.com/a", "not one of http or https"),
        ("http://example.com/a", "URLs of the scheme http are not fetched"),
        ("https://" + "a" * MAX_CHARS, f"longer than {MAX_CHARS} characters"),
        ("https://example.com/a b", "must be escaped"),
        ("https://example.com/a\n", "must be escaped"),
        ("\thttps://example.com/", "must be escaped"),
        ("https://exam\nple.com/", "must be escaped"),
        ("https://example.com\\@127.0.0.1/", "must be escaped"),
        ("https://example.com/\x85", "must be escaped"),
        ("https://example.com/\ud800", "must be escaped"),
        ("https://user@example.com/", "user name"),
        ("https://user:password@example.com/", "user name"),
        ("https://@example.com/", "user name"),
        ("https://example.com#@127.0.0.1/", "fragment"),
        ("https://example.com/a#", "fragment"),
        ("https:///a", "plain form"),
        ("https://:443/", "plain form"),
        ("https://example.com:/", "plain form"),
        ("https://example.com:0443/", "plain form"),
        ("https://example.com:443:443/", "plain form"),
        ("https://example.com:+443/", "plain form"),
        ("https://example.com:４４３/", "plain form"),
        ("https://example.com:22/", "port 22"),
        ("https://example.com:99999/", "port 99999"),
        ("https://ex%61mple.com/", "plain form"),
        ("https://bücher.example/", "plain form"),
        ("https://example。com/", "plain form"),
        ("https://１２７.0.0.1/", "plain form"),
        ("https://①②⑦.⓪.⓪.①/", "plain form"),
        ("https://[::1/", "plain form"),
        ("https://::1/", "plain form"),
        ("https://[fe80::1%25eth0]/", "plain form"),
        ("https://[fe80::1%eth0]/", "plain form"),
        ("https://[v1.x]/", "plain form"),
        ("https://[127.0.0.1]/", "not an address in its plain form"),
        ("https://[0:0:0:0:0:0:0:1]/", "not an address in its plain form"),
        ("https://[2606:4700:4700:0::1111]/", "not an address in its plain form"),
        ("https://[::ffff:8.8.8.8]/", "not an address in its plain form"),
        ("https://[:::]/", "not an address in its plain form"),
        ("https://2130706433/", "not an address in its plain form"),
        ("https://134744072/", "not an address in its plain form"),
        ("https://0x8080808/", "not an address in its plain form"),
        ("https://8.8.8.0x8/", "not an address in its plain form"),
        ("https://0x/", "not an address in its plain form"),
        ("https://010.8.8.8/", "not an address in its plain form"),
        ("https://8.8.8.08/", "not an address in its plain form"),
        ("https://8.8.8/", "not an address in its plain form"),
        ("https://8.8/", "not an address in its plain form"),
        ("https://8.8.8.8.8/", "not an address in its plain form"),
        ("https://8.8.8.256/", "not an address in its plain form"),
        ("https://example.1/", "not an address in its plain form"),
        ("https://127.0.0.1/", "nothing is fetched from this address"),
        ("https://[::1]/", "nothing is fetched from this address"),
        ("https://[::ffff:7f00:1]/", "nothing is fetched from this address"),
        ("https://example.com./", "not a valid name"),
        ("https://8.8.8.8./", "not a valid name"),
        ("https://./", "not a valid name"),
        ("https://.example.com/", "not a valid name"),
        ("https://example..com/", "not a valid name"),
        ("https://-a.example/", "not a valid name"),
        ("https://a-.example/", "not a valid name"),
        (f"https://{LABEL}a.example/", "not a valid name"),
        (f"https://{LABEL}.{LABEL}.{LABEL}.{LABEL}.example/", "not a valid name"),
        ("https://localhost/", "not a public name"),
        ("https://metadata/", "not a public name"),
        ("https://api.localhost/", "not a public name"),
        ("https://metadata.google.internal/", "not a public name"),
        ("https://kubernetes.default.svc.cluster.local/", "not a public name"),
        ("https://router.home.arpa/", "not a public name"),
        ("https://1.0.0.127.in-addr.arpa/", "not a public name"),
    ],
)
def test_any_other_url_is_refused_with_a_reason(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        UrlRules().read(text)


def test_schemes_and_ports_are_as_set() -> None:
    assert MediaUrl("http", "example.com", 80, "/a") == BOTH.read("http://example.com/a")
    assert "http://example.com:443/" == str(BOTH.read("http://example.com:443"))
    rules = UrlRules(schemes=("http",), ports=(8080,))
    assert "http://example.com:8080/" == str(rules.read("http://example.com:8080"))
    with pytest.raises(ValueError, match="scheme https"):
        rules.read("https://example.com:8080/")
    with pytest.raises(ValueError, match="port 80"):
        rules.read("http://example.com/")


def test_only_listed_hosts_are_fetched_from_if_any_are() -> None:
    rules = UrlRules(hosts=("example.com", "*.example.org", "pictures.internal", "minio", "1.1.1.1"))
    good = ["example.com", "a.example.org", "a.b.example.org", "pictures.internal", "minio", "1.1.1.1"]
    assert good == [rules.read(f"https://{host}/").host for host in good]
    for host in ("www.example.com", "example.org", "aexample.org", "example.org.evil.example", "8.8.8.8"):
        with pytest.raises(ValueError, match="not fetched from this host"):
            rules.read(f"https://{host}/")
    with pytest.raises(ValueError, match="not a public name"):
        rules.read("https://other.internal/")


@pytest.mark.parametrize(
    "host", ["", "*", "*.", "*.com", "example.", "*.com.", "EXAMPLE.com", "a.*.com", "https://a.com", "*example.com"]
)
def test_a_pattern_that_names_no_hosts_is_a_mistake(host: str) -> None:
    with pytest.raises(ValueError, match=r"^hosts: "):
        UrlRules(hosts=(host,))


def test_a_literal_address_may_be_allowed() -> None:
    rules = UrlRules(addresses=Addresses(allow=(ip_network("127.0.0.0/8"),), deny=(ip_network("8.8.8.8/32"),)))
    assert "127.0.0.1" == rules.read("https://127.0.0.1/").host
    with pytest.raises(ValueError, match="nothing is fetched from this address"):
        rules.read("https://8.8.8.8/")


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/b?c", "https://example.com/b?c"),
        ("b", "https://example.com/x/b"),
        ("?b", "https://example.com/x/a?b"),
        ("//other.example/b", "https://other.example/b"),
        ("https://other.example:80/b", "https://other.example:80/b"),
    ],
)
def test_redirects_are_followed_by_the_rules(location: str, target: str) -> None:
    assert target == str(BOTH.follow(BOTH.read("https://example.com/x/a"), location))


@pytest.mark.parametrize(
    ("location", "problem"),
    [
        ("http://example.com/", "from https to http"),
        ("//127.0.0.1/", "nothing is fetched from this address"),
        ("https://169.254.169.254/latest/", "nothing is fetched from this address"),
        ("file:///etc/passwd", "not one of http or https"),
        ("//user@other.example/", "user name"),
        ("/a b", "must not be in a URL"),
        ("/" + "a" * MAX_CHARS, "must not be in a URL"),
        ("\udcff", "must not be in a URL"),
        ("\\\\127.0.0.1", "must not be in a URL"),
        ("https:///127.0.0.1", "plain form"),
        ("https:b", "not one of http or https"),
        ("//[::1", "Invalid IPv6 URL"),
    ],
)
def test_redirects_to_elsewhere_are_refused(location: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        BOTH.follow(BOTH.read("https://example.com/x/a"), location)


def test_a_redirect_from_http_to_https_is_good() -> None:
    assert "https://b.example/" == str(BOTH.follow(BOTH.read("http://a.example/"), "https://b.example"))


@given(
    st.text() | st.builds("".join, st.lists(st.sampled_from([*"https://@:#?[]%.\\0x1f例", "127.0.0.1", "example.com"])))
)
@example("https://example.com/")
def test_whatever_is_accepted_is_read_the_same_by_the_http_client(text: str) -> None:
    try:
        url = BOTH.read(text)
    except ValueError:
        return
    read = URL(str(url), encoded=True)
    assert (url.scheme, url.host, url.port, url.target) == (read.scheme, read.raw_host, read.port, read.raw_path_qs)
    assert str(url).isascii()
