"""What was done to a request or its answer besides routing it: the entries of `openrouter_metadata.pipeline`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

StepType = Literal["guardrail", "plugin", "response_healing", "context_compression"]


@dataclass(frozen=True, slots=True)
class Step:
    """One entry."""

    type: StepType
    name: str
    summary: str  # for people
    data: Mapping[str, object] = field(default_factory=dict)
    guardrail_id: str | None = None
    guardrail_scope: str | None = None  # workspace, api-key or member: to what the guardrail is assigned

    def fields(self) -> dict[str, object]:
        """As the API shows it."""
        shown: dict[str, object] = {"type": self.type, "name": self.name, "summary": self.summary}
        if self.guardrail_id is not None:
            shown |= {"guardrail_id": self.guardrail_id, "guardrail_scope": self.guardrail_scope}
        return {**shown, "cost_usd": 0, "data": dict(self.data)}


def with_pipeline(metadata: Mapping[str, object], steps: Sequence[Step]) -> dict[str, object]:
    """Router metadata with the steps behind those that are in it already."""
    before = metadata.get("pipeline")
    entries = list(before) if isinstance(before, list) else []
    return {**metadata, "pipeline": entries + [step.fields() for step in steps]} if steps else dict(metadata)
