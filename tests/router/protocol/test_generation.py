"""Ids of generations."""

import random
import re

from router.protocol.generation import generation_id


def test_an_id_carries_its_second_and_twenty_random_characters() -> None:
    name = generation_id(1767661749.9, random.Random(1))
    assert re.fullmatch(r"gen-1767661749-[A-Za-z0-9]{20}", name)


def test_ids_follow_from_time_and_chance_alone() -> None:
    assert generation_id(1.0, random.Random(7)) == generation_id(1.0, random.Random(7))
    assert generation_id(1.0, random.Random(7)) != generation_id(1.0, random.Random(8))
