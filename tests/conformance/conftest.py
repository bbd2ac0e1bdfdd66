"""One router for all tests of this folder: two simulated engines for texts and pictures, and an obedient one."""

from collections.abc import Iterator

import pytest

from tests.conformance import obedient
from tests.conformance.served import (
    EYES,
    KEY,
    MANAGEMENT,
    RANKS,
    TOOLS,
    VECTORS,
    Served,
    configuration,
    pool,
    router,
    simulators,
)


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Shared by tests that leave nothing behind that others could see, but keys and usage."""
    folder = tmp_path_factory.mktemp("served")
    with simulators(2) as (engines, _), obedient.obedient() as url:
        eyes = pool(engines[0], "m", discovery={"kind": "static", "endpoints": engines})
        modalities = {"context_length": 8192, "input_modalities": ["text", "image"]}
        models = [
            {"id": EYES, **modalities, "pools": [eyes]},
            {"id": TOOLS, **modalities, "pools": [pool(url, obedient.MODEL)]},
            *(
                {
                    "id": model,
                    "context_length": 512,
                    "output_modalities": [output],
                    "pools": [pool(url, obedient.MODEL, name=output)],
                }
                for model, output in ((VECTORS, "embeddings"), (RANKS, "rerank"))
            ),
        ]
        with router(folder, configuration(folder, models)) as root:
            yield Served(root, KEY, MANAGEMENT, EYES, TOOLS, VECTORS, RANKS)
