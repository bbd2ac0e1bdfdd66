"""An answer of `/chat/completions` in the words of `/responses`: the events of a stream, or the whole object.

A stream's events are OpenAI's, each numbered; it ends with `response.completed`, `response.incomplete` (the bound on
tokens was reached, or a filter stepped in) or `response.failed`, and then `[DONE]`, as OpenRouter's document says.
"""

import msgspec

from router.protocol.errors import ApiError
from router.protocol.responses.chat import NULL, Answer, Choice, is_there, read_answer
from router.protocol.responses.events import Events
from router.protocol.responses.failure import Failure, read_failure
from router.protocol.responses.memory import Keeping
from router.protocol.responses.output import COMPLETED, INCOMPLETE, Output
from router.protocol.responses.usage import usage_json
from router.protocol.sse import MAX_EVENT_BYTES, Framer, data_of

_DONE = b"[DONE]"
FAILED = b"failed"
_CUT_OFF = {"length": "max_output_tokens", "content_filter": "content_filter"}
_MAX_EVENT_BYTES = 8 * MAX_EVENT_BYTES  # of the router's own chunks: an engine's largest, and how it was routed


class ResponsesSkin:
    """Writes one answer.

    Args:
        echo: the JSON object of what it repeats of its request (see echo).
        keeping: takes the answer when it is complete; one that fails or breaks off is not kept.
    """

    def __init__(self, echo: bytes, keeping: Keeping | None = None) -> None:
        self._keeping = keeping
        self._echo = echo[1:-1]
        self._framer = Framer(_MAX_EVENT_BYTES)
        self._events = Events()
        self._head: Answer | None = None  # of the first chunk: what the answer is called
        self._output = Output("", self._events)
        self._reason: str | None = None
        self._failure: Failure | None = None
        self._usage = b"null"
        self._metadata = NULL
        self._is_over = False

    def feed(self, data: bytes) -> bytes:
        for event in self._framer.feed(data):
            chunk = data_of(event)
            if chunk is not None:
                self._take(chunk)
            elif event.strip(b"\n"):
                self._events.add_raw(event + b"\n\n")
        return self._events.take()

    def whole(self, body: bytes) -> bytes:
        try:
            answer = read_answer(body)
            self._begin(answer)
            self._read(answer)
        except ValueError:
            raise ApiError("provider_unavailable", "Provider returned an answer that cannot be read.") from None
        return self._end()

    def _take(self, data: bytes) -> None:
        if self._is_over:
            return
        if data != _DONE:
            try:
                chunk = read_answer(data)
                if self._head is None:
                    self._begin(chunk)
                self._read(chunk)
                return
            except ValueError:
                self._failure = Failure()  # what was written so far is not to be taken for an answer
        if self._head is None:
            self._events.add(b"error", Failure().event)
        else:
            response = self._end()
            self._events.add(b"response." + self._status, b'"response":' + response)
        self._events.add_raw(b"data: [DONE]\n\n")
        self._is_over = True

    def _begin(self, first: Answer) -> None:
        self._head = first
        self._output = Output(self._name, self._events)
        begun = b'"response":' + self._response(b"in_progress", b"[]")
        self._events.add(b"response.created", begun)
        self._events.add(b"response.in_progress", begun)

    def _read(self, answer: Answer) -> None:
        """A chunk, or a whole answer. Raises ValueError: it is not a chat's."""
        for choice in answer.choices:
            said = choice.delta or choice.message
            if said is not None and choice.index == 0:
                self._output.say(choice, said)
                self._finished(choice)
        if is_there(answer.error):
            self._failure = read_failure(answer.error)
        if is_there(answer.usage):
            self._usage = usage_json(answer.usage)
        if is_there(answer.openrouter_metadata):
            self._metadata = answer.openrouter_metadata

    def _finished(self, choice: Choice) -> None:
        self._reason = choice.finish_reason or self._reason
        if choice.finish_reason == "error":
            self._failure = read_failure(choice.error)

    @property
    def _name(self) -> str:
        """What all ids of the answer have in common: the generation's, by which it can be asked for."""
        assert self._head is not None
        return self._head.id.removeprefix("gen-")

    @property
    def _status(self) -> bytes:
        if self._failure is not None and not self._failure.is_incomplete:
            return FAILED
        return INCOMPLETE if self._failure is not None or self._reason in _CUT_OFF else COMPLETED

    def _end(self) -> bytes:
        """The object of the answer as it came to be."""
        status = self._status
        if status != FAILED:
            self._output.finish(status)
        output = self._output.json()
        response = self._response(status, output)
        keeping, self._keeping = self._keeping, None
        if keeping is None or (status != FAILED and self._is_kept(keeping, status, response)):
            return response
        return self._response(status, output)  # which says now that it is not stored

    def _is_kept(self, keeping: Keeping, status: bytes, response: bytes) -> bool:
        assert self._head is not None
        return keeping.keep(f"resp_{self._name}", self._head.created, self._head.model, status.decode(), response)

    def _response(self, status: bytes, output: bytes) -> bytes:
        assert self._head is not None
        failure = self._failure
        cut_off = b"null"
        if status == INCOMPLETE:
            reason = _CUT_OFF.get(self._reason or "", "max_output_tokens")
            cut_off = msgspec.json.encode({"reason": reason})
        more = b""
        if failure is not None:
            more += b',"error_type":' + msgspec.json.encode(failure.error_type)
        if is_there(self._metadata):
            more += b',"openrouter_metadata":' + bytes(self._metadata)
        return b'{"id":%b,"object":"response","created_at":%d,"completed_at":null,"status":"%b","error":%b,' % (
            msgspec.json.encode(f"resp_{self._name}"),
            self._head.created,
            status,
            b"null" if failure is None or failure.is_incomplete else failure.error,
        ) + b'"incomplete_details":%b,"model":%b,"output":%b,"usage":%b,"store":%b,%b%b}' % (
            cut_off,
            msgspec.json.encode(self._head.model),
            output,
            self._usage,
            b"false" if self._keeping is None else b"true",
            self._echo,
            more,
        )
