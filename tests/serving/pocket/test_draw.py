"""Pictures show what their scene says, and the same seed draws the same picture."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from PIL import Image

from serving.pocket.draw import SIZES, Scene, draw, random_scene
from serving.pocket.words import COLOURS, SHAPES, SPOTS

INK_DISTANCE = 90  # sum over the channels: noise and tint stay well below, the next colour well above


def blobs(picture: Image.Image, colour: str) -> list[set[tuple[int, int]]]:
    """The connected areas of about this colour, each of at least 40 pixels."""
    red, green, blue = COLOURS[colour]
    raw = picture.tobytes()
    inked = {
        (at // 3 % picture.width, at // 3 // picture.width)
        for at in range(0, len(raw), 3)
        if abs(raw[at] - red) + abs(raw[at + 1] - green) + abs(raw[at + 2] - blue) < INK_DISTANCE
    }
    found = []
    while inked:
        edge, area = [inked.pop()], set()
        while edge:
            x, y = edge.pop()
            area.add((x, y))
            near = {(x + dx, y + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)} & inked
            inked -= near
            edge.extend(near)
        if len(area) >= 40:
            found.append(area)
    return found


@pytest.mark.parametrize("colour", COLOURS)
def test_as_many_separate_shapes_are_drawn_as_the_scene_counts(colour: str) -> None:
    rng = Random(f"count {colour}")
    for _ in range(6):
        scene = replace(random_scene(rng), colour=colour)
        assert scene.count == len(blobs(_without_noise(scene, rng), colour)), scene


@pytest.mark.parametrize("spot", SPOTS)
@pytest.mark.parametrize("size", SIZES)
def test_a_single_shape_lies_where_its_scene_says(spot: str, size: tuple[int, int]) -> None:
    scene = Scene("blue", "square", 1, spot, *size)
    (area,) = blobs(_without_noise(scene, Random(2)), "blue")
    x = sum(x for x, _ in area) / len(area) / scene.width
    y = sum(y for _, y in area) / len(area) / scene.height
    across = "left" if x < 0.42 else "right" if x > 0.58 else "center"
    down = "top" if y < 0.42 else "bottom" if y > 0.58 else "center"
    assert spot in (f"{down} {across}", across if across == down else None)


def test_the_same_seed_draws_the_same_picture() -> None:
    for seed in range(20):
        scene = random_scene(Random(seed))
        assert draw(scene, Random(seed)).tobytes() == draw(scene, Random(seed)).tobytes()
        assert draw(scene, Random(seed)).tobytes() != draw(scene, Random(seed + 1)).tobytes()


def test_scenes_cover_every_colour_shape_number_and_spot() -> None:
    rng = Random(3)
    scenes = [random_scene(rng) for _ in range(2000)]
    assert set(COLOURS) == {scene.colour for scene in scenes}
    assert set(SHAPES) == {scene.shape for scene in scenes}
    assert {1, 2, 3, 4} == {scene.count for scene in scenes}
    assert {*SPOTS, ""} == {scene.spot for scene in scenes}


def test_an_unknown_shape_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="shape: 'blob' is none of circle"):
        draw(Scene("red", "blob", 1, "center", 112, 112), Random(1))


class _Quiet(Random):
    """Chance that never asks for noise, so that areas can be told by their colour."""

    def choice(self, options):  # type: ignore[no-untyped-def]
        return 0.0 if 0.0 in options else super().choice(options)


def _without_noise(scene: Scene, rng: Random) -> Image.Image:
    return draw(scene, _Quiet(rng.random()))
