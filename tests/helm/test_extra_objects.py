"""Objects of yours, as templates."""

from tests.helm.render import one
from tests.helm.router_pod import made


def test_objects_and_texts_are_templates() -> None:
    objects = made(
        {
            "extraObjects": [
                {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "{{ .Release.Name }}-a"}},
                'apiVersion: v1\nkind: Secret\nmetadata:\n  name: {{ include "tramontane.name" (list . "b") }}\n',
            ]
        }
    )
    assert one(objects, "Secret", "tramontane-a")
    assert one(objects, "Secret", "tramontane-b")
