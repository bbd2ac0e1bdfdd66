"""A conversation as Anthropic has it.

- System and developer messages, wherever they stand, become the one `system`.
- Calls of tools become `tool_use` blocks; their results `tool_result` blocks in a user message, before what the user
  says next. Neighbours of one role are merged: an assistant's calls must be followed by all their results at once.
- Reasoning goes back only where Anthropic has signed it; without the signature it would be refused.
- The first message must be the user's. A conversation that begins with the assistant gets a short one before it, and
  one that is nothing but system messages becomes one of the user.
- Ids of calls that Anthropic would refuse are hashed, call and result alike.
"""

import hashlib
import re
from dataclasses import dataclass, field

import msgspec

from router.protocol.dialects.anthropic_content import array, blocks
from router.protocol.dialects.source import Pieces, Source
from router.protocol.messages import ToolCall
from router.protocol.wire import read

_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_BEGIN: Pieces = [b'{"type":"text","text":"Go on."}']
_NOTHING = b"null"


class _Detail(msgspec.Struct):
    type: str = ""
    text: str | None = None
    signature: str | None = None
    data: str | None = None


class _Message(msgspec.Struct):
    role: str
    content: msgspec.Raw = msgspec.Raw(_NOTHING)
    tool_calls: list[ToolCall] | None = None
    tool_call_id: str | None = None
    reasoning_details: msgspec.Raw = msgspec.Raw(_NOTHING)


_messages = msgspec.json.Decoder(list[_Message])
_details = msgspec.json.Decoder(list[_Detail] | None)
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(slots=True)
class Conversation:
    """Blocks of the system's text, and messages as (role, blocks)."""

    system: list[Pieces] = field(default_factory=list)
    messages: list[tuple[str, list[Pieces]]] = field(default_factory=list)

    def add(self, role: str, said: list[Pieces]) -> None:
        """One more message; it joins the one before it if that has the same role."""
        if self.messages and self.messages[-1][0] == role:
            self.messages[-1][1].extend(said)
        elif said:
            self.messages.append((role, said))

    def written(self) -> Pieces:
        """The `messages` array."""
        return array([[b'{"role":"%b","content":' % role.encode(), *array(said), b"}"] for role, said in self.messages])


def converse(source: Source) -> Conversation:
    """The caller's messages, which were checked when they came."""
    told = Conversation()
    for message in read(_messages, source.messages()):
        said = blocks(bytes(message.content), source)
        match message.role:
            case "system" | "developer":
                told.system += said
            case "tool":
                told.add("user", [_result(message.tool_call_id or "", said)])
            case "assistant":
                calls = [_call(call) for call in message.tool_calls or ()]
                told.add("assistant", _thoughts(message.reasoning_details) + said + calls)
            case _:
                told.add("user", said)
    if not told.messages and told.system:
        told.messages, told.system = [("user", told.system)], []
    if told.messages and told.messages[0][0] == "assistant":
        told.messages.insert(0, ("user", [_BEGIN]))
    return told


def tool_id(given: str) -> str:
    """An id that Anthropic takes; always the same for the same."""
    if _ID.fullmatch(given):
        return given
    return "toolu_" + hashlib.blake2b(given.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def _call(call: ToolCall) -> Pieces:
    arguments = call.function.arguments.strip() or "{}"
    try:
        given: object = read(_object, arguments.encode("utf-8", "replace"))
    except ValueError:  # an earlier model wrote them wrongly; the block must hold an object
        given = {"arguments": arguments}
    block = {"type": "tool_use", "id": tool_id(call.id), "name": call.function.name, "input": given}
    return [msgspec.json.encode(block)]


def _result(call_id: str, said: list[Pieces]) -> Pieces:
    head = b'{"type":"tool_result","tool_use_id":"%b","content":' % tool_id(call_id).encode()
    return [head, *array(said), b"}"]


def _thoughts(raw: msgspec.Raw) -> list[Pieces]:
    """Reasoning of an earlier answer that Anthropic will know again."""
    try:
        details: list[_Detail] | None = read(_details, raw)
    except ValueError:
        return []
    found: list[Pieces] = []
    for detail in details or ():
        if detail.type == "reasoning.encrypted" and detail.data:
            found.append([msgspec.json.encode({"type": "redacted_thinking", "data": detail.data})])
        elif detail.type == "reasoning.text" and detail.text is not None and detail.signature:
            block = {"type": "thinking", "thinking": detail.text, "signature": detail.signature}
            found.append([msgspec.json.encode(block)])
    return found
