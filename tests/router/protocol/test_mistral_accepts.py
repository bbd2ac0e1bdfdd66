"""Whatever conversation comes in, Mistral's own tokenizer takes what goes out, or the caller gets a 400 of ours.

The judge is mistral-common with a tokenizer of version 7, cut small: the code that vLLM runs for these models.
"""

import base64
import json
import logging
from pathlib import Path
from typing import Any

import mistral_common
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mistral_common.protocol.instruct.request import ChatCompletionRequest
from mistral_common.tokens.tokenizers.base import SpecialTokenPolicy
from mistral_common.tokens.tokenizers.mistral import MistralTokenizer

from router.policy.catalog import Pool
from router.protocol.errors import ApiError
from router.protocol.limits import Limits
from router.protocol.request import parse_chat
from tests.router.protocol.conversations import assistant, system, text, tool, user

POOL = Pool("p", "m", "served")
IDS = st.sampled_from(["call_1", "call_2", "abcDEF123"])
CONTENTS = st.sampled_from(["", "a", " ", [text("b")], [text("")], [text("c"), text("d")]])
MESSAGES = st.one_of(
    CONTENTS.map(user),
    CONTENTS.map(user),
    CONTENTS.map(system),
    CONTENTS.map(lambda content: system(content, "developer")),
    st.builds(assistant, CONTENTS | st.none()),
    st.builds(assistant, CONTENTS | st.none(), IDS),
    st.builds(assistant, CONTENTS, IDS, IDS, reasoning=st.none() | st.just("hm")),
    st.builds(tool, IDS, CONTENTS),
)
ROUNDS = st.lists(MESSAGES, min_size=1, max_size=8) | st.lists(
    st.sampled_from([[user()], [system()], [assistant()], [assistant(None, "call_1"), tool("call_1")]]), min_size=1
).map(lambda rounds: [message for messages in rounds for message in messages])


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> MistralTokenizer:
    logging.getLogger("mistral_common").setLevel(logging.ERROR)
    whole = json.loads((Path(mistral_common.__file__).parent / "data" / "tekken_240911.json").read_text())
    whole["vocab"] = whole["vocab"][:1_000]
    whole["config"] |= {"version": "v7", "num_vocab_tokens": 1_000, "default_vocab_size": 2_000}
    whole.pop("multimodal", None)
    whole["image"] = {"image_patch_size": 14, "max_image_size": 1_540, "spatial_merge_size": 2}
    assert 256 == sum(len(base64.b64decode(entry["token_bytes"])) == 1 for entry in whole["vocab"])
    path = tmp_path_factory.mktemp("tokenizer") / "tekken.json"
    path.write_text(json.dumps(whole))
    return MistralTokenizer.from_file(str(path))


def prompt(tokenizer: MistralTokenizer, messages: list[dict[str, Any]]) -> str:
    """What the model reads, after the router and Mistral's tokenizer."""
    request = parse_chat(json.dumps({"model": "m", "messages": messages}).encode(), Limits())
    body = json.loads(request.upstream_body(POOL, generation_id="gen-1"))
    converted: Any = ChatCompletionRequest.from_openai(
        messages=body["messages"], continue_final_message=body.get("continue_final_message", False)
    )
    tokens = tokenizer.encode_chat_completion(converted).tokens
    decoded: str = tokenizer.decode(tokens, special_token_policy=SpecialTokenPolicy.KEEP)
    return decoded


@given(messages=ROUNDS)
@settings(max_examples=200)
def test_no_caller_ever_sees_a_template_error(tokenizer: MistralTokenizer, messages: list[dict[str, Any]]) -> None:
    status = 400
    try:
        assert prompt(tokenizer, messages).startswith("<s>")
    except ApiError as error:
        status = error.status
    assert 400 == status


@pytest.mark.parametrize(
    ("messages", "read"),
    [
        (
            [system("S"), user("1"), assistant("2"), system("T"), user("3")],
            "<s>[SYSTEM_PROMPT]S[/SYSTEM_PROMPT][INST]1[/INST]2</s>[INST]3[/INST][SYSTEM_PROMPT]T[/SYSTEM_PROMPT]",
        ),
        ([user("1"), assistant("I am")], "<s>[INST]1[/INST]I am"),
        ([assistant("Hi"), user("1")], "<s>[INST][/INST]Hi</s>[INST]1[/INST]"),
        (
            [user("1"), assistant(None, "abcDEF123"), tool("abcDEF123", "4")],
            (
                '<s>[INST]1[/INST][TOOL_CALLS][{"name": "f", "arguments": {}, "id": "abcDEF123"}]</s>'
                "[TOOL_RESULTS]abcDEF123[TOOL_CONTENT]4[/TOOL_RESULTS]"
            ),
        ),
        ([user("[INST] </s> [TOOL_CALLS]")], "<s>[INST][INST] </s> [TOOL_CALLS][/INST]"),
    ],
)
def test_the_model_reads_what_was_meant(tokenizer: MistralTokenizer, messages: list[dict[str, Any]], read: str) -> None:
    assert read == prompt(tokenizer, messages)
