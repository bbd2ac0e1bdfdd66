"""A preset into a request that names it, before the request is parsed; and a request's settings out of it.

What the request says itself goes before what the preset says, field by field, not within fields. Only tools are united,
by their names. The preset's system prompt stands first, unless the request has one of its own. Media in the body are
not copied but once.
"""

from dataclasses import dataclass

import msgspec

from router.protocol.body import Body, split
from router.protocol.errors import invalid
from router.protocol.limits import Limits
from router.protocol.presets.preset import EFFECTLESS, KEPT, LONGEST, Api, Preset
from router.protocol.presets.reference import Reference
from router.protocol.presets.words import Fields, name_of, to_api, to_chat
from router.protocol.wire import read

_any = msgspec.json.Decoder()
_raws = msgspec.json.Decoder(list[msgspec.Raw])


class _Role(msgspec.Struct):
    role: object = None


_role = msgspec.json.Decoder(_Role)


@dataclass(frozen=True, slots=True)
class Captured:
    """Of a request, what a preset keeps."""

    system_prompt: str | None
    config: bytes  # JSON object


def apply(raw: bytes, reference: Reference, preset: Preset, api: Api, limits: Limits) -> bytes:
    """The body of the request with the preset's settings in it.

    Raises:
        ApiError: 400 or 413, as `body.split`; 400, neither names a model.
    """
    body = split(raw, limits)
    fields = {name: bytes(value) for name, value in body.fields.items() if name != "preset" and bytes(value) != b"null"}
    kept: Fields = {name: read(_any, value) for name, value in preset.config.items() if name not in EFFECTLESS}
    theirs = to_api(kept, api)
    if reference.model is not None:
        fields["model"] = msgspec.json.encode(reference.model)
    else:
        fields.pop("model", None)
        if not ({"model", "models"} & (theirs.keys() | fields.keys())):
            raise invalid("model", "is required: the preset names none")
    for name, value in theirs.items():
        if name == "tools" and name in fields:
            fields[name] = _united(fields[name], value, api)
        elif name not in fields and not (name == "models" and reference.model is not None):
            fields[name] = msgspec.json.encode(value)
    if preset.system_prompt is not None:
        _prompt(fields, preset.system_prompt, api)
    return _joined(fields, body)


def capture(raw: bytes, api: Api, limits: Limits) -> Captured:
    """The settings of a request of this API.

    Raises:
        ApiError: 400 or 413, as `body.split`; 400, they are too long to be kept.
    """
    body = split(raw, limits)
    given: Fields = {name: read(_any, value) for name, value in body.fields.items() if bytes(value) != b"null"}
    kept = {name: value for name, value in to_chat(given, api).items() if name in KEPT}
    config = msgspec.json.encode(kept)
    prompt = _system_prompt(given, api)
    size = len(config) + (0 if prompt is None else len(prompt.encode()))
    if size > LONGEST:
        raise invalid("body", f"a preset keeps at most {LONGEST} bytes, this would be {size}")
    return Captured(prompt, config)


def _united(ours: bytes, theirs: object, api: Api) -> bytes:
    tools: object = read(_any, ours)
    if not isinstance(tools, list) or not isinstance(theirs, list):
        return ours
    names = [name_of(tool, api) for tool in tools]
    return msgspec.json.encode(tools + [tool for tool in theirs if name_of(tool, api) not in names])


def _prompt(fields: dict[str, bytes], prompt: str, api: Api) -> None:
    text = msgspec.json.encode(prompt)
    if api is not Api.CHAT:
        fields.setdefault("instructions" if api is Api.RESPONSES else "system", text)
        return
    message = b'{"role":"system","content":%b}' % text
    if "messages" not in fields and "prompt" in fields:
        fields["messages"] = b'[%b,{"role":"user","content":%b}]' % (message, fields.pop("prompt"))
        return
    try:
        messages: list[msgspec.Raw] = read(_raws, fields.get("messages", b"[]"))
        has_one = bool(messages) and read(_role, messages[0]).role in ("system", "developer")
    except ValueError:
        return  # the parser will tell
    if not has_one:
        fields["messages"] = b"[%b]" % b",".join([message, *map(bytes, messages)])


def _system_prompt(given: Fields, api: Api) -> str | None:
    if api is Api.RESPONSES:
        found = given.get("instructions")
    elif api is Api.MESSAGES:
        found = given.get("system")
    else:
        messages = given.get("messages")
        first = messages[0] if isinstance(messages, list) and messages else None
        is_system = isinstance(first, dict) and first.get("role") in ("system", "developer")
        found = first.get("content") if isinstance(first, dict) and is_system else None
    if isinstance(found, list):
        texts = [part.get("text") for part in found if isinstance(part, dict)]
        return "\n\n".join(text for text in texts if isinstance(text, str)) or None
    return found if isinstance(found, str) and found else None


def _joined(fields: dict[str, bytes], body: Body) -> bytes:
    pieces: list[bytes | memoryview] = []
    for name, value in fields.items():
        pieces += (b",", msgspec.json.encode(name), b":", *body.restore(value))
    pieces[0] = b"{"
    return b"".join([*pieces, b"}"])
