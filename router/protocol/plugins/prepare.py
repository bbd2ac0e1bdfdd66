"""What plugins make of a conversation before it is rendered, and of its answer: all of them, in their order.

    documents read (by the reader) → filtered → made to fit   …   answer → mended → annotated → another API's

Filters come first, so that nothing they look for is cut in two.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from router.protocol.content_class import classify
from router.protocol.messages import Message
from router.protocol.plugins.annotations import Annotating
from router.protocol.plugins.builtin_filters import MODERATION
from router.protocol.plugins.compression import Scale, compress, is_wanted, room_for_prompt
from router.protocol.plugins.filter_messages import AnyFilter, apply_filters
from router.protocol.plugins.healing_skin import healing_of
from router.protocol.plugins.pipeline import Step
from router.protocol.plugins.read_plugins import Plugins, read_plugins
from router.protocol.read_messages import Messages
from router.protocol.skin import Skin
from router.protocol.tokens import Lengths, text_tokens

ContextOf = Callable[[str], int | None]  # a model's slug to the longest context of its pools, in tokens


@dataclass(frozen=True, slots=True)
class Prepared:
    """A conversation after the plugins, and what is left for them to do."""

    messages: list[Message]  # the very list that came, if nothing was changed
    plugins: Plugins
    steps: tuple[Step, ...]
    annotations: tuple[bytes, ...]  # raw JSON
    response_format: Mapping[str, Any] | None

    def dress(self, skin: Skin | None, *, stream: bool) -> Skin | None:
        """The skin for the answer, over that of another API."""
        if self.plugins.response_healing and not stream:
            skin = healing_of(self.response_format, skin) or skin
        return Annotating(self.annotations, skin) if self.annotations else skin


def prepare(
    messages: Messages,
    values: Mapping[str, Any],
    *,
    lengths: Lengths,
    context_of: ContextOf,
    filters: Sequence[AnyFilter] = (),
    tools_bytes: int = 0,
) -> Prepared:
    """Let the plugins that a request asks for, or that are on without being asked for, do their part.

    Args:
        messages: as they were read.
        values: the request's fields, decoded.
        lengths: what is known of tokens' lengths.
        context_of: how long a prompt may be.
        filters: of the caller's guardrails.
        tools_bytes: that the tools take in the prompt.

    Raises:
        ApiError: 400, a plugin that is not offered, or broken settings; 403, a filter blocks the request.
    """
    plugins = read_plugins(values.get("plugins"), values.get("transforms"))
    items, steps = messages.items, []
    looked_for = [*filters, *(MODERATION if plugins.moderation else ())]
    if looked_for:
        filtered = apply_filters(items, looked_for, messages.media.body)
        items = filtered.messages if filtered.is_changed else items
        steps += filtered.steps()
    models = [*([values["model"]] if "model" in values else []), *values.get("models", [])]
    context = max((context_of(model) or 0 for model in models), default=0)
    if context and is_wanted(plugins.context_compression, context):
        content = classify(b"".join([message.content or b"" for message in items]))
        scale = Scale(messages.media, lengths.bytes_per_token(models[0], content))
        answer = values.get("max_completion_tokens", values.get("max_tokens"))
        room = room_for_prompt(context, answer) - text_tokens(tools_bytes, scale.bytes_per_token)
        compressed = compress(items, room, scale)
        if compressed.dropped or compressed.cut:
            items = compressed.messages
            steps.append(compressed.step())
    annotations = tuple(messages.media.files.annotations)
    return Prepared(items, plugins, tuple(steps), annotations, values.get("response_format"))
