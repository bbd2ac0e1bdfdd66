"""How one simulated engine is to be: vLLM's own options by their names, and how fast its time passes."""

from dataclasses import dataclass, field
from pathlib import Path

from bench.physics.engine import Engine, EngineSettings
from bench.physics.hardware import hardware

MODEL = "mistral-small-3.1-24b"
KINDS = ("h100", "h200", "a100")


@dataclass(frozen=True, slots=True)
class SimulatorSettings:
    """Raises ValueError, beginning with the field's name, when a value is out of range."""

    model: str = MODEL  # the name it serves
    gpu: str = "h200"  # one of KINDS
    tensor_parallel_size: int = 1  # GPUs of one engine, 1 or 2
    engine: EngineSettings = field(default_factory=EngineSettings)
    max_model_len: int | None = None  # tokens; None: the model's 131,072, or what fits into the KV cache
    time_scale: float = 1.0  # seconds of ours for one of the engine's: 0.1 is ten times faster
    tokenizer: Path | None = None  # folder with a tekken.json; None: four bytes are a token
    answer_tokens: int = 150  # median length where a request sets none (ServeGen's chats: 100 to 200)
    seed: int = 0  # of the answers' words and lengths
    kv_events: bool = False  # publish them over ZMQ (needs pyzmq)
    replay_steps: int = 10_000  # batches of events kept for replay; vLLM's default

    def __post_init__(self) -> None:
        if self.gpu not in KINDS:
            raise ValueError(f"gpu must be one of {', '.join(KINDS)}, got {self.gpu}")
        if self.tensor_parallel_size not in (1, 2):
            raise ValueError(f"tensor_parallel_size must be 1 or 2, got {self.tensor_parallel_size}")
        if not 0 < self.time_scale <= 100:
            raise ValueError(f"time_scale must be above 0 and at most 100, got {self.time_scale}")
        for name in ("answer_tokens", "replay_steps"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.max_model_len is not None and not 2 <= self.max_model_len <= self.kv_tokens:
            raise ValueError(
                f"max_model_len must be from 2 to {self.kv_tokens} (the KV cache), got {self.max_model_len}"
            )

    @property
    def kv_tokens(self) -> int:
        """Room in the KV cache, in tokens."""
        blocks = self.new_engine().pool.count
        return blocks * self.engine.block_size

    @property
    def context(self) -> int:
        """Tokens of a prompt and its answer together, at most."""
        return self.max_model_len or min(131_072, self.kv_tokens)

    def new_engine(self) -> Engine:
        """An engine of this kind, with nothing in its cache."""
        return Engine(hardware(self.gpu, self.tensor_parallel_size), self.engine)
