"""A conversation as Mistral's tokenizers accept it, whatever order the caller brought it in.

mistral-common refuses some conversations that other models' templates take. So that no caller sees a template error:

- `developer` becomes `system`.
- A system message may not follow an assistant or tool message. It moves behind the user messages that follow it; where
  none follow, back behind the last user or system message before it; at the worst to the front. It stays a system
  message, keeps its order among others, and everything before its place keeps its cached prefix.
- Neighbours of one role (system, user, assistant) are merged, texts parted by an empty line.
- Assistant messages that say nothing go, and so does the reasoning in them. A conversation that begins with the
  assistant gets an empty user message first, as mistral-common itself does for older tokenizers.
- Ids of tool calls are mapped (see tool_ids). Every call needs its result right after it, every result its call.
"""

from router.protocol.contents import join
from router.protocol.errors import invalid
from router.protocol.messages import Message
from router.protocol.tool_ids import ToolIds
from router.protocol.tools import NAME_RULE, is_name


def normalise(messages: list[Message], ids: ToolIds) -> list[Message]:
    """The same conversation in an order that Mistral's templates accept; the same list if nothing had to change.

    Raises:
        ApiError: 400: a call without result, a result without call, or names that cannot be written.
    """
    if _is_plain(messages):
        return messages
    spoken = [message for message in messages if message.role != "assistant" or message.content or message.tool_calls]
    if not spoken:
        raise invalid("messages", "holds nothing but empty assistant messages")
    for message in spoken:
        if message.role == "developer":
            message.role = "system"
    merged = _merge(_place_system(spoken))
    if merged[0].role == "assistant":
        merged.insert(0, Message("user", "messages", b'""'))
    _pair_tools(merged, ids)
    return merged


def is_prefill(messages: list[Message]) -> bool:
    """Does the conversation end in an assistant message that the engine is to go on with?"""
    return messages[-1].role == "assistant"


def _is_plain(messages: list[Message]) -> bool:
    """Perhaps one system message, then user and assistant by turns, nothing of tools?"""
    rest = messages[1:] if messages[0].role == "system" else messages
    expected = "user"
    for message in rest:
        if message.role != expected or message.tool_calls or message.has_thoughts or message.content is None:
            return False
        expected = "assistant" if expected == "user" else "user"
    return True


def _place_system(messages: list[Message]) -> list[Message]:
    placed: list[Message] = []
    waiting: list[Message] = []  # system messages that came where they may not be
    for message in messages:
        if message.role == "system" and (waiting or (placed and placed[-1].role in ("assistant", "tool"))):
            waiting.append(message)
            continue
        if message.role in ("assistant", "tool"):
            _settle(waiting, placed)
        placed.append(message)
    _settle(waiting, placed)
    return placed


def _settle(waiting: list[Message], placed: list[Message]) -> None:
    """Put those that wait behind the last user or system message."""
    index = len(placed)
    while index and placed[index - 1].role in ("assistant", "tool"):
        index -= 1
    placed[index:index] = waiting
    waiting.clear()


def _merge(messages: list[Message]) -> list[Message]:
    merged: list[Message] = []
    for message in messages:
        last = merged[-1] if merged else None
        if last is None or last.role != message.role or message.role == "tool":
            merged.append(message)
            continue
        content = join(last.content, message.content)
        merged[-1] = Message(last.role, last.path, content, last.tool_calls + message.tool_calls)
    return merged


def _pair_tools(messages: list[Message], ids: ToolIds) -> None:
    waiting: dict[str, str] = {}  # ids of calls without a result yet, and where they are
    for message in messages:
        if message.role == "tool":
            _check_result(message, waiting)
            message.tool_call_id = ids.to_engine(message.tool_call_id or "")
            continue
        _all_answered(waiting)
        for index, call in enumerate(message.tool_calls):
            path = f"{message.path}.tool_calls[{index}]"
            if not is_name(call.function.name):
                raise invalid(f"{path}.function.name", NAME_RULE)
            if call.id in waiting:
                raise invalid(f"{path}.id", f"{call.id[:64]!r} is given twice")
            waiting[call.id] = path
            call.id = ids.to_engine(call.id)
    _all_answered(waiting)


def _check_result(message: Message, waiting: dict[str, str]) -> None:
    if message.name is not None and not is_name(message.name):
        raise invalid(f"{message.path}.name", NAME_RULE)
    if waiting.pop(message.tool_call_id or "", None) is None:
        problem = f"no assistant message right before it has a tool call {(message.tool_call_id or '')[:64]!r}"
        raise invalid(f"{message.path}.tool_call_id", problem)


def _all_answered(waiting: dict[str, str]) -> None:
    for call_id, path in waiting.items():
        raise invalid(path, f"no tool message answers the call {call_id[:64]!r}")
