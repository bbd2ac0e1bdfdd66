"""The cache of pictures that were fetched."""

from hypothesis import given
from hypothesis import strategies as st

from router.upstream.media_cache import MediaCache
from router.upstream.media_result import Arrived


def shown(size: int, byte: bytes = b"x") -> Arrived:
    return Arrived(byte * size, size, may_keep=True)


def test_the_least_recently_used_goes_first() -> None:
    cache = MediaCache(most_bytes=30, most_urls=9, ttl_s=60)
    for name in "abc":
        cache.put(name, shown(10, name.encode()), now=0)
    assert cache.get("a", now=1)
    cache.put("d", shown(15, b"d"), now=1)
    assert [True, False, False, True] == [cache.get(name, now=2) is not None for name in "abcd"]
    assert (25, 2) == (cache.bytes, len(cache))


def test_urls_of_the_same_picture_share_its_bytes() -> None:
    cache = MediaCache(most_bytes=30, most_urls=2, ttl_s=60)
    for url in "abc":
        cache.put(url, shown(20), now=0)
    assert (20, 2) == (cache.bytes, len(cache))
    assert cache.get("b", now=1) is cache.get("c", now=1)


def test_a_url_that_shows_something_new_lets_go_of_the_old() -> None:
    cache = MediaCache(most_bytes=30, most_urls=9, ttl_s=60)
    cache.put("a", shown(20), now=0)
    cache.put("a", shown(30, b"y"), now=1)
    assert (30, 1) == (cache.bytes, len(cache))


def test_what_is_too_old_or_too_large_is_not_there() -> None:
    cache = MediaCache(most_bytes=30, most_urls=9, ttl_s=60)
    cache.put("a", shown(31), now=0)
    assert None is cache.get("a", now=0)
    cache.put("a", shown(30), now=0)
    assert cache.get("a", now=59.9)
    assert None is cache.get("a", now=60)
    assert (0, 0) == (cache.bytes, len(cache))


@given(
    steps=st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(1, 12), st.booleans(), st.integers(0, 3))),
    most_bytes=st.integers(0, 30),
    most_urls=st.integers(1, 4),
)
def test_bounds_hold_and_bytes_are_those_of_the_pictures_kept(
    steps: list[tuple[str, int, bool, int]], most_bytes: int, most_urls: int
) -> None:
    cache, now = MediaCache(most_bytes=most_bytes, most_urls=most_urls, ttl_s=4), 0
    for url, size, is_put, passes in steps:
        now += passes
        if is_put:
            cache.put(url, shown(size), now)
        else:
            cache.get(url, now)
        kept = {picture.image for url in "abcdef" if (picture := cache.get(url, now))}
        assert cache.bytes == sum(map(len, kept)) <= most_bytes
        assert len(cache) <= most_urls
