"""Where a request names presets: `@preset/slug` as its model, `model@preset/slug`, or the field `preset`."""

import re
from dataclasses import dataclass

import msgspec

from router.protocol.errors import invalid
from router.protocol.presets.preset import LONGEST_SLUG
from router.protocol.wire import read

_HINT = b"preset"
_MARK = "@preset/"
_SLUG = re.compile(rf"[A-Za-z0-9_-]{{1,{LONGEST_SLUG}}}")


class _Named(msgspec.Struct):
    model: object = None
    preset: object = None


_named = msgspec.json.Decoder(_Named)


@dataclass(frozen=True, slots=True)
class Reference:
    """What a request says of presets."""

    slug: str
    model: str | None  # that is named beside it; None: the preset's own


def reference_in(raw: bytes) -> Reference | None:
    """Of a request's body; None: it names none, or is no JSON, which its parser will tell.

    Raises:
        ApiError: 400, naming the field, whose preset cannot have such a slug, or which names a second one.
    """
    if raw.find(_HINT) < 0:
        return None
    try:
        named: _Named = read(_named, raw)
    except ValueError:
        return None
    model, field = named.model, named.preset
    by_model: Reference | None = None
    if isinstance(model, str) and _MARK in model:
        before, _, slug = model.partition(_MARK)
        by_model = Reference(_checked(slug, "model"), before or None)
    if field is None or field == "":
        return by_model
    slug = _checked(field, "preset")
    if by_model is None:
        return Reference(slug, model if isinstance(model, str) and model else None)
    if by_model.slug != slug:
        raise invalid("preset", "the model names another preset")
    return by_model


def is_slug(text: str) -> bool:
    """Can a preset have this slug?"""
    return _SLUG.fullmatch(text) is not None


def _checked(slug: object, field: str) -> str:
    if not isinstance(slug, str) or not is_slug(slug):
        raise invalid(field, f"a preset's slug has 1 to {LONGEST_SLUG} letters, digits, hyphens and underscores")
    return slug
