"""The keywords of JSON Schema that say something about values, and those of them that a grammar keeps, by type.

All drafts' words: a schema for one draft is read by libraries for another.
"""

from collections.abc import Mapping
from types import MappingProxyType

KEYWORDS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "object": frozenset(
            "properties required additionalProperties unevaluatedProperties minProperties maxProperties".split()
        ),
        "array": frozenset({"items", "minItems", "maxItems", "uniqueItems"}),
        "string": frozenset({"minLength", "maxLength", "format"}),
        "integer": frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}),
        "number": frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}),
        "boolean": frozenset(),
        "null": frozenset(),
    }
)
CONSTRAINTS = frozenset().union(*KEYWORDS.values()) | frozenset(
    "type enum const $ref $dynamicRef $recursiveRef allOf anyOf oneOf not if then else multipleOf pattern prefixItems "
    "additionalItems unevaluatedItems contains minContains maxContains patternProperties propertyNames "
    "dependentRequired dependentSchemas dependencies".split()
)
