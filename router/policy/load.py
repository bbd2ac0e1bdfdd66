"""Which endpoint has how much to do: the token ledger.

Tokens, not requests: prompts differ by a factor of a thousand, so two requests are rarely the same work. Of each
endpoint three figures are kept: prompt tokens that are neither cached nor computed yet (until the first token),
streams, and tokens held in its cache. What is taken is given back exactly once per hold; an endpoint without load
leaves nothing behind.

A ledger knows only what went through it. Other routers' ledgers are added as they tell (see mesh), and what an engine
reports beyond all of these is counted as foreign load; see `correct`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from router.policy.catalog import EndpointId


@dataclass(frozen=True, slots=True)
class Load:
    """What one router has at one endpoint; absolute, never a difference."""

    queued: int = 0  # prompt tokens to be computed, before their first token
    streams: int = 0  # requests there
    context: int = 0  # tokens they hold in the KV cache


NOTHING = Load()
MEAN_UNCACHED_TOKENS = 2_000.0  # of a waiting request nobody here knows, until own requests have taught better
_LEARNING = 0.02  # weight of one request in that mean: about the last fifty count


class Account:
    """One endpoint's figures. Plain attributes, because a decision reads them for hundreds of endpoints."""

    __slots__ = (
        "all_queued",
        "all_streams",
        "context",
        "drift",
        "foreign_queued",
        "foreign_streams",
        "peer_context",
        "peer_queued",
        "peer_streams",
        "queued",
        "streams",
        "surplus",
    )

    def __init__(self) -> None:
        self.queued = self.streams = self.context = 0  # this router's own
        self.peer_queued = self.peer_streams = self.peer_context = 0  # the other routers'
        self.foreign_queued = self.foreign_streams = 0  # seen by the engine, sent by nobody who is known
        self.all_queued = self.all_streams = 0  # the sums of these
        self.drift = 0  # requests the engine had beyond the ledger's, at the last reading
        self.surplus = 0  # requests the ledger had beyond the engine's, at the last reading

    def add_up(self) -> None:
        """To be called after every change: sums are read far more often than they change."""
        self.all_queued = self.queued + self.peer_queued + self.foreign_queued
        self.all_streams = self.streams + self.peer_streams + self.foreign_streams

    @property
    def is_empty(self) -> bool:
        return not (self.streams or self.peer_streams or self.peer_queued or self.foreign_streams)


class TokenLoad:
    """Ledger of the work at every endpoint."""

    def __init__(self) -> None:
        self._accounts: dict[EndpointId, Account] = {}
        self._empty = Account()  # of whoever has none; never written
        self._mean_uncached = MEAN_UNCACHED_TOKENS

    def take(
        self, endpoint_id: EndpointId, prompt_tokens: int, completion_tokens: int, *, cached_tokens: int = 0
    ) -> "Hold":
        """Count one request (in tokens) against an endpoint until its hold is released.

        Args:
            endpoint_id: where it goes.
            prompt_tokens: of the whole prompt.
            completion_tokens: that the answer may have.
            cached_tokens: of the prompt, which need not be computed.

        Raises ValueError when a number is negative.
        """
        if min(prompt_tokens, completion_tokens, cached_tokens) < 0:
            raise ValueError(
                f"tokens must not be negative, got {prompt_tokens}, {completion_tokens} and {cached_tokens}"
            )
        account = self._account(endpoint_id)
        uncached = max(0, prompt_tokens - cached_tokens)
        self._mean_uncached += _LEARNING * (uncached - self._mean_uncached)
        account.streams += 1
        account.queued += uncached
        account.context += prompt_tokens + completion_tokens
        account.add_up()
        return Hold(self, endpoint_id, account, uncached, prompt_tokens + completion_tokens)

    def of(self, endpoint_id: EndpointId) -> Account:
        """The figures of an endpoint, to be read only."""
        return self._accounts.get(endpoint_id, self._empty)

    def of_each(self, endpoint_ids: Iterable[EndpointId]) -> list[Account]:
        """The figures of several endpoints, to be read only."""
        get, empty = self._accounts.get, self._empty
        return [get(endpoint_id, empty) for endpoint_id in endpoint_ids]

    def own(self) -> Iterator[tuple[EndpointId, Load]]:
        """What this router has at each endpoint, for the others to know."""
        for endpoint_id, account in self._accounts.items():
            if account.streams:
                yield endpoint_id, Load(account.queued, account.streams, account.context)

    def set_peers(self, endpoint_id: EndpointId, load: Load) -> None:
        """Note what all other routers together have there, in place of what was noted before."""
        account = self._account(endpoint_id)
        account.peer_queued, account.peer_streams, account.peer_context = load.queued, load.streams, load.context
        account.add_up()
        self._close_if_empty(endpoint_id, account)

    def correct(self, endpoint_id: EndpointId, *, running: int, waiting: int, is_alone: bool = False) -> None:
        """Compare the ledger with what the engine just said of itself.

        A request is on its way for a moment, so only what two readings in a row agree on counts. What the engine has
        beyond the ledger is foreign: sent by a router that is not heard, or by somebody who bypasses all routers. What
        other routers claim beyond the engine (a router that is lost and not yet forgotten) is taken off their claim;
        own requests are never taken off: each has a lease that ends.

        Args:
            endpoint_id: whose engine spoke.
            running: requests in its batch.
            waiting: requests in its queue.
            is_alone: there are other routers, and none of them can be heard: what the engine has beyond the ledger is
                theirs, and counts at once. (vLLM's rule for this, max(routers x own, waiting + running), was tried;
                taking the engine at its word keeps two more of a hundred requests good. Decision 6 has the figures.)
        """
        account = self._account(endpoint_id)
        known = account.streams + account.peer_streams
        drift, surplus = max(0, running + waiting - known), max(0, known - running - waiting)
        foreign = drift if is_alone else min(drift, account.drift)
        gone = min(surplus, account.surplus, account.peer_streams)
        account.drift, account.surplus = drift, surplus - gone
        if gone:
            left = (account.peer_streams - gone) / account.peer_streams
            account.peer_queued = int(account.peer_queued * left)
            account.peer_context = int(account.peer_context * left)
            account.peer_streams -= gone
        account.foreign_streams = foreign
        account.foreign_queued = int(min(foreign, waiting) * self._mean_uncached)
        account.add_up()
        self._close_if_empty(endpoint_id, account)

    def forget(self, endpoint_id: EndpointId) -> None:
        """Drop an endpoint that has left. Its holds stay valid and count for nobody."""
        self._accounts.pop(endpoint_id, None)

    def _account(self, endpoint_id: EndpointId) -> Account:
        account = self._accounts.get(endpoint_id)
        if account is None:
            account = self._accounts[endpoint_id] = Account()
        return account

    def _close_if_empty(self, endpoint_id: EndpointId, account: Account) -> None:
        # An id that left and came back has a new account, which a hold of the old one must not close.
        if account.is_empty and not account.drift and self._accounts.get(endpoint_id) is account:
            del self._accounts[endpoint_id]


class Hold:
    """One request's share of an endpoint's load. Both methods may be called again and in any order."""

    __slots__ = ("_account", "_context", "_endpoint_id", "_is_held", "_ledger", "_uncached")

    def __init__(
        self, ledger: TokenLoad, endpoint_id: EndpointId, account: Account, uncached: int, context: int
    ) -> None:
        self._ledger = ledger
        self._endpoint_id = endpoint_id
        self._account = account
        self._uncached = uncached
        self._context = context
        self._is_held = True

    def first_token(self) -> None:
        """The prompt has been computed: it is queued no more."""
        if self._uncached:
            self._account.queued -= self._uncached
            self._uncached = 0
            self._account.add_up()

    def release(self) -> None:
        """The request has ended, however it ended: give back what is left."""
        if not self._is_held:
            return
        self._is_held = False
        self.first_token()
        self._account.context -= self._context
        self._account.streams -= 1
        self._account.add_up()
        self._ledger._close_if_empty(self._endpoint_id, self._account)
