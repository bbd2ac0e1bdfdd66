"""The output of an answer: items one after the other, at most the last of which is still written.

A chat says text, refusals, reasoning and calls in the fields of one message. Here each is an item of its own, in the
order in which they begin; text and refusal are parts of one. A piece for another item ends the last one.
"""

from router.protocol.responses.annotations import annotation
from router.protocol.responses.chat import Call, Choice, Said, inside, is_there
from router.protocol.responses.events import Events
from router.protocol.responses.item import Called, Item, Spoken
from router.protocol.responses.logprobs import NO_LOGPROBS, read_logprobs
from router.protocol.responses.part import REASONING, REFUSAL, TEXT, PartKind

COMPLETED = b"completed"
INCOMPLETE = b"incomplete"


class Output:
    """Takes what a chat says. `name`: what is common to all ids of the answer."""

    def __init__(self, name: str, events: Events) -> None:
        self._name = name
        self._events = events
        self._done: list[bytes] = []
        self._open: Item | None = None
        self._call_index = 0  # the chat's, of the call that is open
        self._annotations: list[bytes] = []  # that came before the text they belong to

    def say(self, choice: Choice, said: Said) -> None:
        """A delta, or a whole message.

        Raises:
            ValueError: something in it is not a chat's, or a call goes on after another has begun.
        """
        if text := inside(said.reasoning):
            self._spoken(REASONING).part(REASONING).add(text)
        told = read_logprobs(choice.logprobs) if is_there(choice.logprobs) else NO_LOGPROBS
        if (text := inside(said.content)) or told != NO_LOGPROBS:
            self._spoken(TEXT).part(TEXT).add(text, *told)
        if text := inside(said.refusal):
            self._spoken(REFUSAL).part(REFUSAL).add(text)
        if said.annotations:
            self._annotations += [each for each in map(annotation, said.annotations) if each is not None]
        for call in said.tool_calls or ():
            self._call(call)
        self._annotate()

    def finish(self, status: bytes) -> None:
        """Nothing more comes. An answer that says nothing is an empty message."""
        if self._open is None:
            self._spoken(TEXT).part(TEXT)
        self._annotate()
        self._close(status)

    def json(self) -> bytes:
        """The array, an open item as incomplete."""
        rest = [] if self._open is None else [self._open.json(INCOMPLETE)]
        return b"[" + b",".join([*self._done, *rest]) + b"]"

    def _spoken(self, kind: PartKind) -> Spoken:
        is_reasoning = kind is REASONING
        item = self._open
        if not isinstance(item, Spoken) or item.is_reasoning is not is_reasoning:
            self._close(COMPLETED)
            item = Spoken(is_reasoning=is_reasoning, name=self._name, index=len(self._done), events=self._events)
            self._open = item
        return item

    def _call(self, piece: Call) -> None:
        item, function = self._open, piece.function
        goes_on = isinstance(item, Called) and piece.index == self._call_index and piece.id in (None, "", item.call_id)
        if not goes_on:
            if not function.name:
                raise ValueError("a piece of a call that is not open")
            self._close(COMPLETED)
            self._call_index = piece.index
            item = Called(piece.id, function.name, name=self._name, index=len(self._done), events=self._events)
            self._open = item
        assert isinstance(item, Called)
        if arguments := inside(function.arguments):
            item.add(arguments)

    def _annotate(self) -> None:
        if self._annotations and isinstance(self._open, Spoken) and not self._open.is_reasoning:
            part = self._open.part(TEXT)
            for each in self._annotations:
                part.annotate(each)
            self._annotations = []

    def _close(self, status: bytes) -> None:
        if self._open is not None:
            self._open.close(status)
            self._done.append(self._open.json(status))
            self._open = None
