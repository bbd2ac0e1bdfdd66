"""Which endpoint has how many tokens still to do, by what this router sent there.

Tokens, not requests: prompts differ by a factor of a thousand, so two requests are rarely the same work. What is taken
is given back exactly once per hold; an endpoint without holds leaves nothing behind.
"""

from router.policy.catalog import EndpointId


class _Account:
    __slots__ = ("streams", "tokens")

    def __init__(self) -> None:
        self.tokens = 0
        self.streams = 0


class TokenLoad:
    """Ledger of outstanding tokens per endpoint."""

    def __init__(self) -> None:
        self._accounts: dict[EndpointId, _Account] = {}

    def take(self, endpoint_id: EndpointId, prompt_tokens: int, completion_tokens: int) -> "Hold":
        """Count one request (in tokens) against an endpoint until its hold is released.

        Raises ValueError when a number is negative.
        """
        if prompt_tokens < 0 or completion_tokens < 0:
            raise ValueError(f"tokens must not be negative, got {prompt_tokens} and {completion_tokens}")
        account = self._accounts.get(endpoint_id)
        if account is None:
            account = self._accounts[endpoint_id] = _Account()
        account.streams += 1
        account.tokens += prompt_tokens + completion_tokens
        return Hold(self, endpoint_id, account, prompt_tokens, completion_tokens)

    def outstanding(self, endpoint_id: EndpointId) -> int:
        """Tokens sent there and neither computed nor given up, as far as is known."""
        account = self._accounts.get(endpoint_id)
        return 0 if account is None else account.tokens

    def streams(self, endpoint_id: EndpointId) -> int:
        """Requests that are there now."""
        account = self._accounts.get(endpoint_id)
        return 0 if account is None else account.streams

    def forget(self, endpoint_id: EndpointId) -> None:
        """Drop an endpoint that has left. Its holds stay valid and count for nobody."""
        self._accounts.pop(endpoint_id, None)

    def _close_if_empty(self, endpoint_id: EndpointId, account: _Account) -> None:
        # An id that left and came back has a new account, which a hold of the old one must not close.
        if account.streams == 0 and self._accounts.get(endpoint_id) is account:
            del self._accounts[endpoint_id]


class Hold:
    """One request's share of an endpoint's load. Both methods may be called again and in any order."""

    __slots__ = ("_account", "_completion_tokens", "_endpoint_id", "_is_held", "_ledger", "_prompt_tokens")

    def __init__(
        self,
        ledger: TokenLoad,
        endpoint_id: EndpointId,
        account: _Account,
        prompt_tokens: int,
        completion_tokens: int,
    ) -> None:
        self._ledger = ledger
        self._endpoint_id = endpoint_id
        self._account = account
        self._prompt_tokens = prompt_tokens
        self._completion_tokens = completion_tokens
        self._is_held = True

    def first_token(self) -> None:
        """The prompt has been computed: give its tokens back."""
        self._account.tokens -= self._prompt_tokens
        self._prompt_tokens = 0

    def release(self) -> None:
        """The request has ended, however it ended: give back what is left."""
        if not self._is_held:
            return
        self._is_held = False
        self.first_token()
        self._account.tokens -= self._completion_tokens
        self._account.streams -= 1
        self._ledger._close_if_empty(self._endpoint_id, self._account)
