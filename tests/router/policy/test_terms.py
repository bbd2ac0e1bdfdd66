from router.policy.key import Budget, Interval, Key, Scope
from router.policy.terms import NO_LIMITS, Terms


def test_without_terms_a_key_has_no_limits() -> None:
    assert NO_LIMITS.key("k", "name") == Key("k", "name")


def test_each_key_has_a_limit_of_its_own() -> None:
    terms = Terms(limit=5, limit_reset=Interval.WEEKLY, workspace="w")
    for name in ("a", "b"):
        key = terms.key(name, name, is_management=True, expires_at=3.0)
        assert key.budgets == (Budget(Scope.KEY, f"key:{name}", Interval.WEEKLY, 5),)
        assert (key.workspace, key.is_management, key.expires_at) == ("w", True, 3.0)
    assert terms.key("a", "a", workspace="other").workspace == "other"
