"""The `provider` object of a request, and its older companion `route`, as policies know them.

Types and words are checked strictly: a preference that is misread sends somebody's prompt where it must not go. Keys
that nobody knows are let be, as OpenRouter does; nulls and empty lists count as absent.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from router.policy.preferences import NO_PREFERENCES, Cutoffs, MaxPrice, Preferences, Sort
from router.protocol.errors import invalid
from router.protocol.wire import read

_Figure: TypeAlias = Annotated[float, Meta(ge=0)]
_SortName: TypeAlias = Literal["price", "throughput", "latency", "exacto"]
_Quantization: TypeAlias = Literal[
    "int4", "int8", "fp4", "mxfp4", "nvfp4", "fp6", "fp8", "mxfp8", "fp16", "bf16", "fp32", "unknown"
]
_SUBTYPES: Mapping[str, Sequence[str]] = MappingProxyType({"fp4": ("mxfp4", "nvfp4"), "fp8": ("mxfp8",)})
_PATH = re.compile(r"(.*) - at `\$\.?([^`]*)`", re.DOTALL)  # how msgspec says where something is wrong
_DECIMAL = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,18})?(?:[eE]-?[0-9]{1,2})?")


@dataclass(frozen=True, slots=True)
class PreferenceLimits:
    """Bounds of one `provider` object; all of them inclusive.

    Raises ValueError when a field is out of its range; the message begins with the field's name.
    """

    names: int = 64  # entries of order, only, ignore and options each; every one is compared with every pool
    name_chars: int = 128  # of a slug or a display name

    def __post_init__(self) -> None:
        for name in ("names", "name_chars"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")


class _Cutoffs(msgspec.Struct):
    p50: _Figure | None = None
    p75: _Figure | None = None
    p90: _Figure | None = None
    p99: _Figure | None = None

    def cutoffs(self) -> Cutoffs:
        return Cutoffs(self.p50, self.p75, self.p90, self.p99)


class _Sort(msgspec.Struct):
    by: _SortName | None = None
    partition: Literal["model", "none"] | None = None


class _MaxPrice(msgspec.Struct):
    prompt: float | str | None = None
    completion: float | str | None = None
    image: float | str | None = None
    audio: float | str | None = None
    request: float | str | None = None


class _Provider(msgspec.Struct):
    order: list[str] | None = None
    allow_fallbacks: bool | None = None
    require_parameters: bool | None = None
    data_collection: Literal["allow", "deny"] | None = None
    zdr: bool | None = None
    enforce_distillable_text: bool | None = None
    only: list[str] | None = None
    ignore: list[str] | None = None
    quantizations: list[_Quantization] | None = None
    sort: _SortName | _Sort | None = None
    preferred_min_throughput: _Figure | _Cutoffs | None = None
    preferred_max_latency: _Figure | _Cutoffs | None = None
    max_price: _MaxPrice | None = None
    options: dict[str, msgspec.Raw] | None = None


_provider = msgspec.json.Decoder(_Provider)
_LIMITS = PreferenceLimits()
_ACROSS = Preferences(is_across_models=True)


def read_preferences(raw: bytes | None, route: bytes | None = None, limits: PreferenceLimits = _LIMITS) -> Preferences:
    """Read the raw JSON of both fields; None: absent.

    Raises:
        ApiError: 400, naming the field at fault as `provider.…`.
    """
    across = route == b'"sort"'  # the old way to say `sort.partition: none`; what else it may say changes nothing
    if raw is None:
        return _ACROSS if across else NO_PREFERENCES
    given = _read(raw)
    _check_options(given.options, limits)
    sort = given.sort if isinstance(given.sort, _Sort) else _Sort(given.sort)
    return Preferences(
        order=_names(given.order, "order", limits),
        allow_fallbacks=given.allow_fallbacks is not False,
        require_parameters=given.require_parameters is True,
        denies_training=given.data_collection == "deny",
        zdr=given.zdr is True,
        distillable=given.enforce_distillable_text is True,
        only=_names(given.only, "only", limits),
        ignore=_names(given.ignore, "ignore", limits),
        quantizations=_quantizations(given.quantizations),
        sort=None if sort.by is None else Sort(sort.by),
        is_across_models=across if sort.partition is None else sort.partition == "none",
        preferred_min_throughput=_cutoffs(given.preferred_min_throughput),
        preferred_max_latency=_cutoffs(given.preferred_max_latency),
        max_price=_max_price(given.max_price),
    )


def _read(raw: bytes) -> _Provider:
    try:
        provider: _Provider = read(_provider, raw)
    except ValueError as error:
        found = _PATH.fullmatch(str(error))
        if found is None:
            raise invalid("provider", str(error)) from None
        raise invalid(f"provider.{found[2]}", found[1]) from None
    return provider


def _names(given: list[str] | None, field: str, limits: PreferenceLimits) -> tuple[str, ...]:
    names = given or []
    if len(names) > limits.names:
        raise invalid(f"provider.{field}", f"at most {limits.names} names, got {len(names)}", limit="names")
    for index, name in enumerate(names):
        if not 0 < len(name) <= limits.name_chars:
            problem = f"a provider's name has 1 to {limits.name_chars} characters"
            raise invalid(f"provider.{field}[{index}]", problem, limit="name_chars")
    return tuple(dict.fromkeys(names))


def _quantizations(given: list[_Quantization] | None) -> frozenset[str] | None:
    if not given:
        return None
    return frozenset(given).union(*(_SUBTYPES.get(each, ()) for each in given))


def _cutoffs(given: float | _Cutoffs | None) -> Cutoffs | None:
    if given is None:
        return None
    return given.cutoffs() if isinstance(given, _Cutoffs) else Cutoffs(p50=given)


def _max_price(given: _MaxPrice | None) -> MaxPrice | None:
    if given is None:
        return None
    prices = {name: _price(getattr(given, name), f"provider.max_price.{name}") for name in given.__struct_fields__}
    return MaxPrice(prices["prompt"], prices["completion"], prices["request"])


def _price(given: float | str | None, field: str) -> float | None:
    if isinstance(given, str):
        if _DECIMAL.fullmatch(given) is None:
            raise invalid(field, "must be a number of USD, such as 0.5 or '0.5'")
        given = float(given)
    if given is not None and given < 0:
        raise invalid(field, "must not be negative")
    return given


def _check_options(given: dict[str, msgspec.Raw] | None, limits: PreferenceLimits) -> None:
    """They say nothing of where a request goes; who gets them reads them (see dialects)."""
    _names([*(given or ())], "options", limits)
    for slug, raw in (given or {}).items():
        if not bytes(raw).strip().startswith(b"{"):
            raise invalid("provider.options", f"{slug!r}: must be an object")
