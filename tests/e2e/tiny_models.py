"""Models without tokens to give: an embedder and a ranker with random weights, a megabyte each, and vLLM serving them.

What they say means nothing; that it is theirs, unchanged, is what tests look at.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from serving.cluster import free_port

ROOT = Path(__file__).resolve().parents[2]
START_S = 400.0  # 45 s on two idle cores
CONTEXT = 128  # tokens
TEXT = "the quick brown fox jumps over the lazy dog what is a capital paris berlin of france germany"
MAKE = """
import sys
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
from transformers import BertConfig, BertForSequenceClassification, BertModel, PreTrainedTokenizerFast

folder, kind, text, context = sys.argv[1:]
special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
tokenizer.train_from_iterator([text], trainers.WordPieceTrainer(vocab_size=300, special_tokens=special))
ends = [("[CLS]", 2), ("[SEP]", 3)]
pair = "[CLS] $A [SEP] $B:1 [SEP]:1"
tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", pair=pair, special_tokens=ends)
names = dict(zip(["pad_token", "unk_token", "cls_token", "sep_token", "mask_token"], special))
PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=int(context), **names).save_pretrained(folder)
torch.manual_seed(0)
config = BertConfig(
    vocab_size=tokenizer.get_vocab_size(), hidden_size=64, num_hidden_layers=2, num_attention_heads=2,
    intermediate_size=128, max_position_embeddings=int(context), num_labels=1, pad_token_id=0,
)
{"embeddings": BertModel, "rerank": BertForSequenceClassification}[kind](config).save_pretrained(folder)
"""


@dataclass(frozen=True, slots=True)
class Served:
    """A running engine."""

    url: str


@contextmanager
def served(folder: Path, *kinds: str) -> Iterator[list[Served]]:
    """An engine for each kind, started side by side: `embeddings`, `rerank`."""
    with ExitStack() as stack:
        starting = [_start(folder, kind, stack) for kind in kinds]
        deadline = time.monotonic() + START_S
        for process, log, engine in starting:
            while not _answers(engine.url):
                assert process.poll() is None, log.read_text()[-3000:]
                assert time.monotonic() < deadline
                time.sleep(0.2)
        yield [engine for _, _, engine in starting]


def _start(folder: Path, kind: str, stack: ExitStack) -> "tuple[subprocess.Popen[bytes], Path, Served]":
    model, log = folder / kind, folder / f"{kind}.log"
    subprocess.run([sys.executable, "-c", MAKE, str(model), kind, TEXT, str(CONTEXT)], check=True, timeout=START_S)
    port = free_port()
    arguments = ["--model", str(model), "--served-model-name", kind, "--runner", "pooling", "--dtype", "float32"]
    arguments += ["--max-model-len", str(CONTEXT), "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(
        [sys.executable, "-m", "vllm.entrypoints.openai.api_server", *arguments],
        cwd=ROOT,
        env={**os.environ, "VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_NO_USAGE_STATS": "1"},
        stdout=stack.enter_context(log.open("wb")),
        stderr=subprocess.STDOUT,
    )
    stack.callback(process.wait, 60)
    stack.callback(process.terminate)
    return process, log, Served(f"http://127.0.0.1:{port}")


def _answers(url: str) -> bool:
    try:
        return httpx.get(url + "/v1/models", timeout=5.0).status_code == 200
    except httpx.TransportError:
        return False
