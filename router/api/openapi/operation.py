"""One way to ask, as the document tells it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from router.api.openapi import failures
from router.api.openapi.shape import Json, ref

_LET_IN: Mapping[str, Sequence[Json]] = {
    "none": (),
    "key": ({"bearer": []}, {"apiKey": []}),
    "management": ({"bearer": []}, {"apiKey": []}),
}


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path.

    `answer` is the name of a schema, or the schema itself; `events` the name of the schema of a stream's data.
    """

    summary: str
    answer: str | Json
    tag: str
    key: str = "key"  # none, key, management
    status: int = 200
    media: str = "application/json"
    body: str | Json | None = None
    example: Json | None = None  # of a body
    form: Json | None = None  # a body of parts instead
    events: str | None = None
    feed: str | None = None  # the media type of the same as a text
    parameters: Sequence[Json] = ()
    errors: Sequence[int] = failures.INFORMATION
    failure: str = "Error"
    headers: Sequence[str] = ()  # of the answer, beside those of all
    more: Mapping[str, Json] = field(default_factory=dict)  # further answers by status

    def written(self, name: str) -> Json:
        """In the words of OpenAPI 3.1. `name`: the operation's id."""
        content: dict[str, Json] = {self.media: {"schema": _schema(self.answer)}}
        if self.events is not None:
            content["text/event-stream"] = {"schema": _event(self.events)}
        if self.feed is not None:
            content[self.feed] = {"schema": {"type": "string"}}
        good: dict[str, object] = {"description": "As asked.", "content": content}
        if self.headers:
            good["headers"] = {each: {"schema": {"type": "string"}} for each in self.headers}
        told: dict[str, object] = {
            "operationId": name,
            "summary": self.summary,
            "tags": [self.tag],
            "security": list(_LET_IN[self.key]),
            "responses": {str(self.status): good, **self.more, **failures.responses(self.errors, self.failure)},
        }
        if self.key == "management":
            told["description"] = "Needs a management key."
        if self.parameters:
            told["parameters"] = list(self.parameters)
        if self.body is not None:
            form: dict[str, object] = {"schema": _schema(self.body)}
            if self.example is not None:
                form["examples"] = {"small": {"value": self.example}}
            told["requestBody"] = {"required": True, "content": {"application/json": form}}
        if self.form is not None:
            told["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": self.form}}}
        return told


def query(name: str, schema: Json, description: str = "") -> Json:
    """A parameter of the query."""
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": description}


def needed(name: str, schema: Json, description: str = "") -> Json:
    """One without which there is no answer."""
    return {"name": name, "in": "query", "required": True, "schema": schema, "description": description}


def in_path(name: str, description: str) -> Json:
    """A part of the path."""
    return {
        "name": name,
        "in": "path",
        "required": True,
        "schema": {"type": "string", "minLength": 1},
        "description": description,
    }


def _schema(given: str | Json) -> Json:
    return ref(given) if isinstance(given, str) else given


def _event(name: str) -> Json:
    """One event of a stream, whose data is JSON; of a chat's or a text's the last one is `[DONE]`."""
    data = {"type": "string", "contentMediaType": "application/json", "contentSchema": ref(name)}
    choices: Json = {"anyOf": [{"const": "[DONE]"}, data]}
    return {"type": "object", "properties": {"event": {"type": "string"}, "data": choices}, "required": ["data"]}
