"""A row of the ledger: what one generation was, cost and came to. The wire format of the spool, and of the database."""

import msgspec


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One generation, written once. Ids are unique for ever, so writing it twice is the same as writing it once."""

    id: str  # gen-…
    created: float  # unix seconds: when the request arrived; decides into which day, week and month it counts
    router: str  # boot id of the router that served it, whose lease the cost is taken from
    key: str  # id of the key (see policy.key)
    workspace: str
    kind: str  # chat, completions
    streamed: bool = False
    requested: str = ""  # model the caller named
    model: str = ""  # model that answered
    provider: str = ""
    pool: str = ""
    status: str  # verdict of the end: ok, cancelled, broken, …; `interrupted`: the router died before it was over
    http_status: int | None = None  # of the error, where one was answered
    finish_reason: str | None = None
    native_finish_reason: str | None = None
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    image_tokens: int = 0  # of the prompt, as estimated from the images' sizes
    is_exact: bool = True  # the engine counted; False: the router counted chunks
    cost: int = 0  # nano-dollars charged
    attempts: int = 0
    latency_ms: int | None = None  # arrival to first byte
    duration_ms: int | None = None  # arrival to last byte
    generation_ms: int | None = None  # from sending the attempt that answered to the last byte
    external_user: str | None = None  # `user` of the request
    session_id: str | None = None
    referer: str | None = None  # see `told`
    title: str | None = None
    user_agent: str | None = None
    upstream_id: str | None = None  # the endpoint's own name for the answer
    preset_id: str | None = None
    service_tier: str | None = None  # that the endpoint said it served
    answers: str | None = None  # what each attempt came to; see `answered`
    media: int = 0  # pictures and other files of the prompt
    reasoning_tokens: int = 0  # of the completion
    cache_discount: int | None = None  # nano-dollars that cached tokens saved; None: there were none
    cached_from: str | None = None  # the generation whose answer was given again


class Opened(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Written before a request is sent: if the router dies, this much is known of it."""

    id: str
    created: float
    router: str
    key: str
    workspace: str
    kind: str
    streamed: bool = False
    requested: str = ""

    def interrupted(self) -> Entry:
        """The row of a generation whose end nobody wrote."""
        return Entry(
            id=self.id,
            created=self.created,
            router=self.router,
            key=self.key,
            workspace=self.workspace,
            kind=self.kind,
            streamed=self.streamed,
            requested=self.requested,
            status="interrupted",
            is_exact=False,
        )
