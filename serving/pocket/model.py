"""The architecture of Mistral Small 3.1 in PyTorch, with a batch dimension, at any size.

A Mistral decoder (RMS norm, grouped-query attention, rotary positions on adjacent pairs, SwiGLU) reads text and
pictures; a Pixtral tower (two-dimensional rotary positions, bidirectional attention) sees the pictures, whose
features are normed, merged two by two and projected by a two-layer adapter into the places of the [IMG] tokens.
Parameter names are those of Mistral's `consolidated.safetensors`, so that export is a cast and nothing else.
Sources: Mistral's published reference code and params format; Agrawal et al. 2024, "Pixtral 12B".
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

PATCH = 14  # pixels
MERGE = 2  # patches along each side that become one token
NORM_EPSILON = 1e-5


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a model. Widths and counts; `vocabulary` includes the special slots."""

    vocabulary: int
    dim: int = 192
    layers: int = 4
    heads: int = 6
    kv_heads: int = 2
    head_dim: int = 32
    hidden: int = 512
    rope_theta: float = 10_000.0
    vision_dim: int = 128
    vision_layers: int = 4
    vision_heads: int = 4
    vision_hidden: int = 320
    vision_rope_theta: float = 10_000.0


@dataclass(frozen=True, slots=True)
class Pictures:
    """Equal-sized pictures of a batch.

    `pixels`: (n, 3, height, width), normalized. `places`: for every [IMG] token of these pictures, row by row, its
    index into the batch's ids laid end to end, (n * tokens,).
    """

    pixels: Tensor
    places: Tensor


class RMSNorm(nn.Module):
    def __init__(self, dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x: Tensor) -> Tensor:
        return functional.rms_norm(x, self.weight.shape, self.weight.to(x.dtype), NORM_EPSILON)


def rotated(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turns each adjacent pair of the last dimension of x (batch, heads, length, head_dim) by its angle."""
    even, odd = x.unflatten(-1, (-1, 2)).unbind(-1)
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), dim=-1).flatten(-2)


def attended(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    """Scaled dot-product attention written out: at these lengths and widths twice as fast on a CPU in bfloat16 as
    PyTorch's fused kernel (measured with PyTorch 2.13)."""
    scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
    if mask is not None:
        scores = scores + mask
    return scores.softmax(dim=-1) @ value


class Attention(nn.Module):
    def __init__(self, dim: int, heads: int, kv_heads: int, head_dim: int) -> None:
        super().__init__()
        self.heads, self.kv_heads, self.head_dim = heads, kv_heads, head_dim
        self.wq = nn.Linear(dim, heads * head_dim, bias=False)
        self.wk = nn.Linear(dim, kv_heads * head_dim, bias=False)
        self.wv = nn.Linear(dim, kv_heads * head_dim, bias=False)
        self.wo = nn.Linear(heads * head_dim, dim, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor | None = None) -> Tensor:
        batch, length, _ = x.shape
        query = rotated(self._split(self.wq(x), self.heads), cos, sin)
        key = rotated(self._split(self.wk(x), self.kv_heads), cos, sin)
        value = self._split(self.wv(x), self.kv_heads)
        groups = self.heads // self.kv_heads
        if groups > 1:
            key, value = key.repeat_interleave(groups, dim=1), value.repeat_interleave(groups, dim=1)
        with torch.autocast(x.device.type, enabled=False):  # a softmax rounds once, at its end, by itself
            mixed = attended(query, key, value, mask)
        return self.wo(mixed.transpose(1, 2).reshape(batch, length, -1))

    def _split(self, x: Tensor, heads: int) -> Tensor:
        return x.view(x.shape[0], x.shape[1], heads, self.head_dim).transpose(1, 2)


class FeedForward(nn.Module):
    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.w1 = nn.Linear(dim, hidden, bias=False)
        self.w2 = nn.Linear(hidden, dim, bias=False)
        self.w3 = nn.Linear(dim, hidden, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.w2(functional.silu(self.w1(x)) * self.w3(x))


class Block(nn.Module):
    def __init__(self, dim: int, heads: int, kv_heads: int, head_dim: int, hidden: int) -> None:
        super().__init__()
        self.attention = Attention(dim, heads, kv_heads, head_dim)
        self.feed_forward = FeedForward(dim, hidden)
        self.attention_norm = RMSNorm(dim)
        self.ffn_norm = RMSNorm(dim)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor | None = None) -> Tensor:
        x = x + self.attention(self.attention_norm(x), cos, sin, mask)
        return x + self.feed_forward(self.ffn_norm(x))


class Tower(nn.Module):
    """The blocks of the vision encoder, under the name that the checkpoint format gives them."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        head_dim = shape.vision_dim // shape.vision_heads
        self.layers = nn.ModuleList(
            Block(shape.vision_dim, shape.vision_heads, shape.vision_heads, head_dim, shape.vision_hidden)
            for _ in range(shape.vision_layers)
        )


class VisionEncoder(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.head_dim = shape.vision_dim // shape.vision_heads
        self.theta = shape.vision_rope_theta
        self.patch_conv = nn.Conv2d(3, shape.vision_dim, PATCH, stride=PATCH, bias=False)
        self.ln_pre = RMSNorm(shape.vision_dim)
        self.transformer = Tower(shape)

    def forward(self, pixels: Tensor) -> Tensor:
        """(n, 3, height, width) to (n, rows, columns, vision_dim), in patches."""
        count, _, height, width = pixels.shape
        rows, columns = height // PATCH, width // PATCH
        patches = pixels.view(count, 3, rows, PATCH, columns, PATCH).permute(0, 2, 4, 1, 3, 5)
        patches = patches.reshape(count, rows * columns, 3 * PATCH * PATCH)
        x = self.ln_pre(functional.linear(patches, self.patch_conv.weight.flatten(1)))
        cos, sin = (table.to(x.dtype) for table in self._angles(rows, columns, x.device))
        for layer in self.transformer.layers:
            x = layer(x, cos, sin)
        return x.view(count, rows, columns, -1)

    def _angles(self, rows: int, columns: int, device: torch.device) -> tuple[Tensor, Tensor]:
        """Half of the pairs turn with the row, half with the column; the frequencies alternate between them."""
        exponents = torch.arange(0, self.head_dim, 2, device=device).float() / self.head_dim
        frequencies = 1.0 / (self.theta**exponents)
        by_row = torch.outer(torch.arange(rows, device=device).float(), frequencies[0::2])
        by_column = torch.outer(torch.arange(columns, device=device).float(), frequencies[1::2])
        angles = torch.cat(
            (
                by_row[:, None, :].expand(rows, columns, -1),
                by_column[None, :, :].expand(rows, columns, -1),
            ),
            dim=-1,
        ).reshape(rows * columns, -1)
        return angles.cos(), angles.sin()


class PatchMerger(nn.Module):
    def __init__(self, dim: int) -> None:
        super().__init__()
        self.merging_layer = nn.Linear(dim * MERGE * MERGE, dim, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(n, rows, columns, dim) in patches to (n, tokens, dim); channels vary slowest within a merged token."""
        count, rows, columns, dim = x.shape
        x = x.view(count, rows // MERGE, MERGE, columns // MERGE, MERGE, dim).permute(0, 1, 3, 5, 2, 4)
        return self.merging_layer(x.reshape(count, rows * columns // (MERGE * MERGE), dim * MERGE * MERGE))


class Adapter(nn.Module):
    def __init__(self, vision_dim: int, dim: int) -> None:
        super().__init__()
        self.w_in = nn.Linear(vision_dim, dim, bias=False)
        self.w_out = nn.Linear(dim, dim, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.w_out(functional.gelu(self.w_in(x)))


class PocketModel(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.tok_embeddings = nn.Embedding(shape.vocabulary, shape.dim)
        self.layers = nn.ModuleList(
            Block(shape.dim, shape.heads, shape.kv_heads, shape.head_dim, shape.hidden) for _ in range(shape.layers)
        )
        self.norm = RMSNorm(shape.dim)
        self.output = nn.Linear(shape.dim, shape.vocabulary, bias=False)
        self.vision_encoder = VisionEncoder(shape)
        self.pre_mm_projector_norm = RMSNorm(shape.vision_dim)
        self.patch_merger = PatchMerger(shape.vision_dim)
        self.vision_language_adapter = Adapter(shape.vision_dim, shape.dim)
        self._start_small()

    def _start_small(self) -> None:
        """Normal weights of 0.02 or the width's own scale; what is added to the residual stream starts smaller."""
        depth = max(self.shape.layers, self.shape.vision_layers)
        for name, parameter in self.named_parameters():
            if parameter.dim() < 2:
                continue
            deviation = 0.02 if "tok_embeddings" in name else parameter[0].numel() ** -0.5
            if name.endswith(("wo.weight", "w2.weight")):
                deviation /= (2 * depth) ** 0.5
            if name.startswith("output"):
                deviation = 0.02
            nn.init.normal_(parameter, std=deviation)

    def working_type(self, device: torch.device) -> torch.dtype:
        """The type of the residual stream: that of the weights, or autocast's where that is on."""
        if torch.is_autocast_enabled(device.type):
            return torch.get_autocast_dtype(device.type)
        return self.tok_embeddings.weight.dtype

    def see(self, pixels: Tensor) -> Tensor:
        """Pictures (n, 3, height, width) to the vectors of their [IMG] tokens, (n, tokens, dim)."""
        features = self.pre_mm_projector_norm(self.vision_encoder(pixels))
        return self.vision_language_adapter(self.patch_merger(features))

    def forward(self, ids: Tensor, pictures: list[Pictures]) -> Tensor:
        """Last hidden vectors, normed: (batch, length, dim). `output` of them gives the logits.

        Batches are padded at the end: with causal attention nothing before the padding sees it.
        """
        x = self.tok_embeddings(ids).to(self.working_type(ids.device))
        batch, length, dim = x.shape
        for group in pictures:
            seen = self.see(group.pixels).reshape(-1, dim).to(x.dtype)
            x = x.reshape(-1, dim).index_copy(0, group.places, seen).view(batch, length, dim)
        half = self.shape.head_dim // 2
        frequencies = self.shape.rope_theta ** -(torch.arange(half, device=ids.device).float() / half)
        angles = torch.outer(torch.arange(length, device=ids.device).float(), frequencies)
        cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
        future = torch.full((length, length), float("-inf"), device=ids.device).triu(1).to(x.dtype)
        for layer in self.layers:
            x = layer(x, cos, sin, future)
        return self.norm(x)
