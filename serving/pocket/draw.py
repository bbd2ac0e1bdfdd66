"""Draws the pictures the pocket model is asked about.

One picture shows 1 to 4 equal shapes of one colour, never touching, on a pale, slightly noisy ground.
Rules: Pillow only (so that cases need no other package), and the same seed always gives the same bytes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

from PIL import Image, ImageDraw

from serving.pocket.words import COLOURS, SHAPES, SPOTS

SIZES: tuple[tuple[int, int], ...] = (
    (112, 112), (112, 112), (84, 84), (112, 84), (84, 112), (140, 112), (112, 140), (140, 140),
    (168, 112), (112, 168), (168, 168), (196, 112), (100, 120), (130, 90), (110, 150),
)  # fmt: skip
"""Widths and heights in pixels; the last three are no multiples of 28 and get resized on the way in."""

_GROUNDS = ((255, 255, 255), (228, 228, 228), (250, 243, 222), (222, 234, 250), (226, 246, 226))
_SMALLEST_CELL = 36  # pixels: a shape below about 11 pixels in radius is hard to tell from another
_LARGEST_CELL = 62


@dataclass(frozen=True, slots=True)
class Scene:
    """What a picture shows. `spot` is set only when a single shape sits in a named place."""

    colour: str
    shape: str
    count: int
    spot: str
    width: int
    height: int

    @property
    def noun(self) -> str:
        return self.shape if self.count == 1 else SHAPES[self.shape]


def random_scene(rng: Random, *, count: int | None = None, size: tuple[int, int] | None = None) -> Scene:
    """A scene with every property drawn evenly, `count` and `size` (width, height in pixels) if not given."""
    number = count if count is not None else rng.randint(1, 4)
    width, height = size if size is not None else rng.choice(SIZES)
    return Scene(
        colour=rng.choice(list(COLOURS)),
        shape=rng.choice(list(SHAPES)),
        count=number,
        spot=rng.choice(SPOTS) if number == 1 else "",
        width=width,
        height=height,
    )


def draw(scene: Scene, rng: Random) -> Image.Image:
    """The scene as an RGB picture; places, sizes, tints and noise come from `rng`."""
    ground = tuple(channel - rng.randint(0, 10) for channel in rng.choice(_GROUNDS))
    picture = Image.new("RGB", (scene.width, scene.height), ground)
    ink = tuple(min(255, max(0, channel + rng.randint(-14, 14))) for channel in COLOURS[scene.colour])
    pencil = ImageDraw.Draw(picture)
    for x, y, radius in _places(scene, rng):
        _stamp(pencil, scene.shape, x, y, radius, ink)
    strength = rng.choice((0.0, 0.04, 0.08, 0.12))
    if strength:
        grain = Image.frombytes("RGB", picture.size, rng.randbytes(3 * scene.width * scene.height))
        picture = Image.blend(picture, grain, strength)
    return picture


def _places(scene: Scene, rng: Random) -> list[tuple[float, float, float]]:
    if scene.spot:
        cell = min(scene.width, scene.height) / 2
        radius = cell * rng.uniform(0.34, 0.46) if cell < 50 else rng.uniform(14, min(26.0, cell * 0.45))
        left, right = cell / 2, scene.width - cell / 2
        top, bottom = cell / 2, scene.height - cell / 2
        x, y = {
            "top left": (left, top),
            "top right": (right, top),
            "bottom left": (left, bottom),
            "bottom right": (right, bottom),
            "center": (scene.width / 2, scene.height / 2),
        }[scene.spot]
        slack = max(0.0, min(cell / 2 - radius - 1, 6.0))
        return [(x + rng.uniform(-slack, slack), y + rng.uniform(-slack, slack), radius)]
    cell = rng.uniform(_SMALLEST_CELL, _LARGEST_CELL)
    while (scene.width // cell) * (scene.height // cell) < scene.count:
        cell *= 0.9
    columns, rows = int(scene.width // cell), int(scene.height // cell)
    across, down = scene.width / columns, scene.height / rows
    room = min(across, down)
    radius = room * rng.uniform(0.33, 0.42)
    chosen = rng.sample([(column, row) for column in range(columns) for row in range(rows)], scene.count)
    places = []
    for column, row in chosen:
        slack_x, slack_y = across / 2 - radius - 1, down / 2 - radius - 1
        x = (column + 0.5) * across + rng.uniform(-slack_x, slack_x)
        y = (row + 0.5) * down + rng.uniform(-slack_y, slack_y)
        places.append((x, y, radius))
    return places


def _stamp(pencil: ImageDraw.ImageDraw, shape: str, x: float, y: float, radius: float, ink: tuple[int, ...]) -> None:
    box = (x - radius, y - radius, x + radius, y + radius)
    match shape:
        case "circle":
            pencil.ellipse(box, fill=ink)
        case "ring":
            pencil.ellipse(box, outline=ink, width=max(3, round(radius * 0.36)))
        case "square":
            side = radius * 0.88
            pencil.rectangle((x - side, y - side, x + side, y + side), fill=ink)
        case "triangle":
            pencil.polygon([(x, y - radius), (x + radius, y + radius * 0.8), (x - radius, y + radius * 0.8)], fill=ink)
        case "cross":
            arm = radius * 0.3
            pencil.rectangle((x - radius, y - arm, x + radius, y + arm), fill=ink)
            pencil.rectangle((x - arm, y - radius, x + arm, y + radius), fill=ink)
        case "star":
            points = []
            for corner in range(10):
                reach = radius * (1.08 if corner % 2 == 0 else 0.42)
                angle = math.pi * (corner / 5 - 0.5)
                points.append((x + reach * math.cos(angle), y + reach * math.sin(angle)))
            pencil.polygon(points, fill=ink)
        case _:
            raise ValueError(f"shape: {shape!r} is none of {', '.join(SHAPES)}")
