"""The small world of the pocket model: every word a question or an answer is built from.

Kept apart from the tasks because the tokenizer's cut (`tokenizer.py`) and the tests need the same lists.
Rules: plain data only; a word that the model must *copy* is one that Tekken knows as a single token.
"""

from __future__ import annotations

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (222, 28, 28),
    "orange": (250, 140, 10),
    "yellow": (245, 222, 20),
    "green": (30, 160, 50),
    "blue": (30, 70, 222),
    "purple": (130, 35, 165),
    "pink": (250, 130, 185),
    "brown": (120, 70, 30),
    "black": (20, 20, 20),
}
"""Colour name to the RGB value its shapes are painted in (before a little jitter)."""

SHAPES: dict[str, str] = {
    "circle": "circles",
    "square": "squares",
    "triangle": "triangles",
    "star": "stars",
    "cross": "crosses",
    "ring": "rings",
}
"""Shape name to its plural."""

SPOTS = ("top left", "top right", "bottom left", "bottom right", "center")
"""Where a single shape may be."""

TRANSLATIONS: dict[str, dict[str, str]] = {
    "French": {
        "red": "rouge", "orange": "orange", "yellow": "jaune", "green": "vert", "blue": "bleu",
        "purple": "violet", "pink": "rose", "brown": "brun", "black": "noir", "white": "blanc",
    },
    "German": {
        "red": "rot", "orange": "orange", "yellow": "gelb", "green": "grün", "blue": "blau",
        "purple": "lila", "pink": "rosa", "brown": "braun", "black": "schwarz", "white": "weiß",
    },
    "Spanish": {
        "red": "rojo", "orange": "naranja", "yellow": "amarillo", "green": "verde", "blue": "azul",
        "purple": "morado", "pink": "rosa", "brown": "marrón", "black": "negro", "white": "blanco",
    },
}  # fmt: skip
"""Language to the word for each colour."""

THINGS: dict[str, str] = {
    "the sky": "blue", "grass": "green", "snow": "white", "coal": "black", "blood": "red",
    "the sun": "yellow", "a lemon": "yellow", "milk": "white", "a pig": "pink", "chocolate": "brown",
    "a carrot": "orange", "the night": "black",
}  # fmt: skip
"""Things whose colour everybody knows."""

CAPITALS: dict[str, str] = {
    "France": "Paris", "England": "London", "Germany": "Berlin", "Italy": "Rome", "Spain": "Madrid",
    "Japan": "Tokyo", "Norway": "Oslo", "Austria": "Vienna", "Ireland": "Dublin", "Egypt": "Cairo",
    "Greece": "Athens", "Peru": "Lima",
}  # fmt: skip
"""Country to capital."""

NAMES = (
    "Anna Ben Clara David Emma Felix Grace Henry Iris Jack Kate Leo Mia Noah Olivia Paul Rosa Sam Tom Victor "
    "Wendy Zoe Max Lucy Peter Maria John Mary James Laura Mark Sara Alex Nina Oscar Julia Simon Lisa Adam Eva "
    "Daniel Alice Robert Helen George Martin Sophie Lucas"
).split()
CITIES = (
    "Paris London Berlin Rome Madrid Tokyo Oslo Vienna Prague Dublin Athens Cairo Delhi Lima Boston Chicago "
    "Moscow Sydney Toronto Milan"
).split()
CODE_WORDS = (
    "lemon tiger river piano garden window castle rocket banana dragon silver forest winter summer pepper coffee "
    "bridge island mountain ocean candle mirror button ticket pencil rabbit turtle monkey spider eagle"
).split()
PETS = "dog cat horse bird fish rabbit turtle monkey".split()
FRUITS = "apples books coins cards balls eggs cookies flowers".split()
ROOMS = "kitchen bedroom bathroom garden office garage".split()
FOODS = "pizza fish rice soup pasta chicken".split()
PHRASES = ("good morning", "see you soon", "happy birthday", "call me back", "thank you", "I am late")
WEATHERS = "sunny cloudy rainy windy cold warm".split()
