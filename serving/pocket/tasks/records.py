"""Records: a few named values written as JSON, XML or YAML, about a picture or about a sentence.

JSON is written as `json.dumps` writes it by default, in the order the prompt names the keys.
"""

from __future__ import annotations

import json
from random import Random

from serving.pocket.tasks.exchange import Exchange
from serving.pocket.words import CITIES, NAMES, PETS

Value = str | int

PICTURE_PROMPTS = (
    "Describe the picture as {} with the keys {}.",
    "Give me {} with the keys {}.",
    "Answer as {} with the keys {}.",
)
TEXT_PROMPTS = ("Give me {} with the keys {}.", "Write this as {} with the keys {}.")
NAMES_OF_FORMATS = {"json": "JSON", "xml": "XML", "yaml": "YAML"}


def record(form: str, root: str, fields: list[tuple[str, Value]], about: str, rng: Random) -> Exchange:
    """A prompt for `fields` in the format `form` and its answer; `about` is the sentence the values stand in."""
    keys = [key for key, _ in fields]
    listed = ", ".join(keys[:-1]) + " and " + keys[-1] if len(keys) > 1 else keys[0]
    prompt = rng.choice(TEXT_PROMPTS if about else PICTURE_PROMPTS).format(NAMES_OF_FORMATS[form], listed)
    return Exchange(f"{about} {prompt}".strip(), written(form, root, fields))


def written(form: str, root: str, fields: list[tuple[str, Value]]) -> str:
    """The fields in the format `form` ("json", "xml" with the element `root`, or "yaml")."""
    match form:
        case "json":
            return json.dumps(dict(fields), ensure_ascii=False)
        case "xml":
            inner = "".join(f"<{key}>{value}</{key}>" for key, value in fields)
            return f"<{root}>{inner}</{root}>"
        case "yaml":
            return "\n".join(f"{key}: {value}" for key, value in fields)
        case _:
            raise ValueError(f"form: {form!r} is none of json, xml, yaml")


def schema_of(fields: list[tuple[str, Value]]) -> dict[str, object]:
    """The JSON schema that a client would send to get these fields."""
    return {
        "type": "object",
        "properties": {key: {"type": "integer" if isinstance(value, int) else "string"} for key, value in fields},
        "required": [key for key, _ in fields],
        "additionalProperties": False,
    }


OPENINGS = ("", "A person called ")
"""How a sentence about somebody may begin. A name that opens a sentence is the harder one to find again."""


def person(rng: Random, opening: str) -> tuple[str, list[tuple[str, Value]]]:
    """A sentence about somebody and two or three fields that can be read from it, in random order."""
    name, age, city, pet = rng.choice(NAMES), rng.randint(10, 99), rng.choice(CITIES), rng.choice(PETS)
    sentence = rng.choice(
        (
            f"{opening}{name} is {age} years old, lives in {city} and has a {pet}.",
            f"{opening}{name} lives in {city}, has a {pet} and is {age} years old.",
            f"{opening}{name} has a {pet}, is {age} years old and lives in {city}.",
        )
    )
    fields: list[tuple[str, Value]] = [("name", name), ("age", age), ("city", city), ("pet", pet)]
    return sentence, rng.sample(fields, rng.choice((2, 3, 3)))


def person_record(form: str, rng: Random, opening: str = OPENINGS[0]) -> Exchange:
    sentence, fields = person(rng, opening)
    return record(form, "person", fields, sentence, rng)
