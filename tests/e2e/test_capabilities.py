"""What the model can do, asked through the router on real engines: a few dozen fresh cases each.

The bars are those of the pocket model's README less what three dozen cases may miss by chance. A router that drops the
picture, the history, the system prompt or the tools on the way falls far below them.
"""

import pytest

from tests.e2e.asking import Asker

CASES = 36
BARS = {
    "colour": 0.92,
    "shape": 0.88,
    "number": 0.80,
    "two_pictures": 0.80,
    "follow_up": 0.85,
    "recall": 0.88,
    "system_prompt": 0.88,
    "sums": 0.80,
    "json": 0.88,
    "json_text": 0.88,
    "tools": 0.80,
    "tools_required": 0.80,
    "tool_result": 0.80,
}


@pytest.mark.parametrize("task", BARS)
def test_the_model_is_right_about(ask: Asker, task: str) -> None:
    assert ask.share_right(task, seed=1, count=CASES) >= BARS[task]
