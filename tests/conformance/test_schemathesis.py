"""Schemathesis against our own document: whatever it makes up, no 5xx, and every answer as the document says.

A bounded run: the same cases each time, EXAMPLES of each operation beside those of the document. Its checks: no server
error, and status, content type and body as they are written down. No operation is left out.

What it makes up for inference nearly never names a model, and would be refused for that alone: the names of models are
put right, and answers kept short, before a case is sent.
"""

import json
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from router.api.openapi.document import BASE, operations, write
from router.protocol.limits import Limits
from tests.conformance.served import EYES, RANKS, VECTORS, Served

EXAMPLES = 40
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
SETTINGS = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
document = schemathesis.openapi.from_dict(json.loads(write(Limits(), version="0", model=EYES)))
MANAGED = {place for place, operation in operations().items() if operation.key == "management"}
MODELS = {f"{BASE}/embeddings": VECTORS, f"{BASE}/rerank": RANKS}
LONGEST = 64  # tokens of an answer


@document.parametrize()
@SETTINGS
def test_whatever_is_asked_is_answered_as_the_document_says(case: Any, served: Served) -> None:
    key = served.management_key if f"{case.method} {case.operation.path}" in MANAGED else served.api_key
    if isinstance(case.body, dict) and "model" in case.body:
        put_right(case.body, case.operation.path)
    case.call_and_validate(
        base_url=served.root_url,
        headers={"Authorization": f"Bearer {key}"},
        checks=CHECKS,
        timeout=60,
    )


def put_right(body: dict[str, Any], path: str) -> None:
    """A model that is there, and no long answers."""
    body["model"] = MODELS.get(path, EYES)
    for name in ("max_tokens", "max_completion_tokens", "max_output_tokens", "min_tokens"):
        if isinstance(body.get(name), int) and body[name] > LONGEST:
            body[name] = LONGEST


def test_nothing_is_left_out() -> None:
    """Every operation of the document is asked."""
    asked = {f"{each.ok().method.upper()} {each.ok().path}" for each in document.get_all_operations()}
    assert asked == set(operations())


pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
