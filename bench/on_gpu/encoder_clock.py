"""Times a model's vision encoder inside an engine's worker: vLLM's `--worker-extension-cls`.

Over HTTP a picture's first token takes the encoder's time and that of decoding, resizing and moving pixels; here it is
the encoder's alone. Part of `bench.engine_on_gpu`.
"""

import time
from typing import Any

import torch


class EncoderClock:
    """Mixed into vLLM's worker; its methods can be called through `collective_rpc`, whose arguments are strings."""

    def encoder_seconds(self: Any, pixels: str, rounds: str) -> list[float]:
        """Seconds for each of `rounds` random square pictures of so many pixels on a side, after one unmeasured."""
        model = self.get_model()
        at = next(model.parameters())
        took = []
        with torch.inference_mode():
            for _ in range(int(rounds) + 1):
                image = torch.rand(3, int(pixels), int(pixels), device=at.device, dtype=at.dtype)
                torch.accelerator.synchronize() if at.is_cuda else None
                began = time.perf_counter()
                model.embed_multimodal(images=[image])
                torch.accelerator.synchronize() if at.is_cuda else None
                took.append(time.perf_counter() - began)
        return took[1:]
