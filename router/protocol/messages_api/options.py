"""All other fields of a body to the chat's: what is called otherwise there, what means nothing here, what is refused.

Fields that both APIs have, and those that nobody knows, are passed on as they came and judged by the chat's reader.

    stop_sequences                        stop
    fallbacks                             models
    metadata.user_id                      user
    thinking                              reasoning
    output_config.effort                  verbosity
    output_config.format, output_format   response_format
    speed: fast                           service_tier: fast
    service_tier: standard_only           service_tier: default

`context_management` is accepted and does nothing: thinking is dropped from the history anyhow, and what a caller would
have cleared or compacted is still understood, only longer. `cache_control` likewise: engines here cache by themselves.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import msgspec

from router.protocol.errors import invalid
from router.protocol.messages_api.source import Pieces, Source
from router.protocol.messages_api.values import SHOWN, Object, a_string, an_object, given, objects, text
from router.protocol.wire import read

MOST_FALLBACKS = 3  # OpenRouter's bound
_EFFORTS = ("low", "medium", "high", "xhigh", "max")
_THINKING: Mapping[str, bytes] = MappingProxyType({"adaptive": b'{"enabled":true}', "disabled": b'{"enabled":false}'})
# A schema must have a name there.
_FORMAT = b'{"type":"json_schema","json_schema":{"name":"answer","strict":true,"schema":'
_NONE = msgspec.Raw(b"[]")
_ONE = msgspec.Raw(b"1")
_STANDARD_ONLY = msgspec.Raw(b'"standard_only"')
_count = msgspec.json.Decoder(int)


class Options:
    """The chat's fields that are no messages and no tools.

    Attributes:
        fields: their values by name.
        renamed: the caller's name of each that is called otherwise, by its name here.
    """

    def __init__(self, source: Source) -> None:
        """Raises ApiError 400, naming the caller's field."""
        self._source = source
        self.fields: dict[str, Pieces] = {}
        self.renamed: dict[str, str] = {}
        for name in source.fields:
            reader = _READERS.get(name)
            if name in _ELSEWHERE:
                continue
            if reader is None:
                self.fields[name] = source.field(name)
            elif (raw := given(source.fields, name)) is not None:
                reader(self, raw)

    def put(self, name: str, pieces: Pieces, own: str) -> None:
        """Set a field of the chat that the caller calls `own`. Raises ApiError 400: it is given in another way too."""
        other = self.renamed.get(name) or (name if given(self._source.fields, name) is not None else None)
        if other is not None:
            raise invalid(own, f"cannot be given together with {other}")
        self.fields[name] = pieces
        self.renamed[name] = own

    def stop_sequences(self, raw: msgspec.Raw) -> None:
        if raw != _NONE:
            self.put("stop", self._source.pieces(raw), "stop_sequences")

    def fallbacks(self, raw: msgspec.Raw) -> None:
        models = []
        for index, fallback in enumerate(objects(raw, "fallbacks")):
            path = f"fallbacks[{index}]"
            for name in fallback:
                if name != "model":
                    raise invalid(f"{path}.{name[:SHOWN]}", "only `model` is supported in a fallback")
            models.append(text(fallback, "model", path))
        if len(models) > MOST_FALLBACKS:
            raise invalid("fallbacks", f"at most {MOST_FALLBACKS} entries, got {len(models)}")
        self.put("models", [msgspec.json.encode(models)], "fallbacks")

    def metadata(self, raw: msgspec.Raw) -> None:
        user_id = given(an_object(raw, "metadata"), "user_id")
        if user_id is not None and given(self._source.fields, "user") is None:
            self.fields["user"] = self._source.pieces(a_string(user_id, "metadata.user_id"))
            self.renamed["user"] = "metadata.user_id"

    def thinking(self, raw: msgspec.Raw) -> None:
        fields = an_object(raw, "thinking")
        kind = text(fields, "type", "thinking")
        if kind == "enabled":
            reasoning = b'{"max_tokens":%d}' % _budget(fields)
        elif kind in _THINKING:
            reasoning = _THINKING[kind]
        else:
            raise invalid("thinking.type", f"must be enabled, disabled or adaptive, got {kind[:SHOWN]!r}")
        self.put("reasoning", [reasoning], "thinking")

    def output_config(self, raw: msgspec.Raw) -> None:
        fields = an_object(raw, "output_config")
        if given(fields, "effort") is not None:
            effort = text(fields, "effort", "output_config")
            if effort not in _EFFORTS:
                problem = f"must be one of {', '.join(_EFFORTS)}, got {effort[:SHOWN]!r}"
                raise invalid("output_config.effort", problem)
            self.put("verbosity", [b'"%b"' % effort.encode()], "output_config.effort")
        if (wanted := given(fields, "format")) is not None:
            self._format(wanted, "output_config.format")

    def output_format(self, raw: msgspec.Raw) -> None:
        self._format(raw, "output_format")

    def speed(self, raw: msgspec.Raw) -> None:
        if raw not in _SPEEDS:
            raise invalid("speed", "must be fast or standard")
        if raw == _FAST and given(self._source.fields, "service_tier") is None:
            self.fields["service_tier"] = [b'"fast"']

    def service_tier(self, raw: msgspec.Raw) -> None:
        self.fields["service_tier"] = [b'"default"' if raw == _STANDARD_ONLY else bytes(raw)]

    def n(self, raw: msgspec.Raw) -> None:
        if raw != _ONE:
            raise invalid("n", "messages come one at a time")

    def container(self, raw: msgspec.Raw) -> None:
        raise invalid("container", "is not supported: nothing runs code here")

    def mcp_servers(self, raw: msgspec.Raw) -> None:
        if raw != _NONE:
            raise invalid("mcp_servers", "is not supported: tools are called by the caller")

    def inference_geo(self, raw: msgspec.Raw) -> None:
        raise invalid("inference_geo", "is not supported: name providers in provider.only instead")

    def _format(self, raw: msgspec.Raw, path: str) -> None:
        fields = an_object(raw, path)
        kind = text(fields, "type", path)
        if kind != "json_schema":
            raise invalid(f"{path}.type", f"must be json_schema, got {kind[:SHOWN]!r}")
        an_object(fields.get("schema"), f"{path}.schema")
        self.put("response_format", [_FORMAT, *self._source.pieces(fields["schema"]), b"}}"], path)


_FAST = msgspec.Raw(b'"fast"')
_SPEEDS = (_FAST, msgspec.Raw(b'"standard"'))
# Read elsewhere in this package, or without a meaning for engines.
_ELSEWHERE = frozenset(
    {"messages", "system", "tools", "tool_choice", "context_management", "diagnostics", "betas", "safeguards"}
)
_READERS: Mapping[str, Callable[[Options, msgspec.Raw], None]] = MappingProxyType(
    {
        "stop_sequences": Options.stop_sequences,
        "fallbacks": Options.fallbacks,
        "metadata": Options.metadata,
        "thinking": Options.thinking,
        "output_config": Options.output_config,
        "output_format": Options.output_format,
        "speed": Options.speed,
        "service_tier": Options.service_tier,
        "n": Options.n,
        "container": Options.container,
        "mcp_servers": Options.mcp_servers,
        "inference_geo": Options.inference_geo,
    }
)


def _budget(fields: Object) -> int:
    path = "thinking.budget_tokens"
    try:
        budget: int = read(_count, fields.get("budget_tokens", msgspec.Raw(b"null")))
    except ValueError:
        raise invalid(path, "must be an integer") from None
    if budget < 1:
        raise invalid(path, "must be at least 1")
    return budget
