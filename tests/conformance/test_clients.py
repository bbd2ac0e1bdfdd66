"""Official clients, unmodified, against a router with simulated engines. The same run in e2e with the pocket model."""

from tests.conformance.clients.anthropic_sdk import *  # noqa: F403
from tests.conformance.clients.node_sdk import *  # noqa: F403
from tests.conformance.clients.openai_responses import *  # noqa: F403
from tests.conformance.clients.openai_sdk import *  # noqa: F403
from tests.conformance.clients.openrouter_information import *  # noqa: F403
from tests.conformance.clients.openrouter_presets import *  # noqa: F403
from tests.conformance.clients.openrouter_sdk import *  # noqa: F403
from tests.conformance.clients.vectors import *  # noqa: F403
