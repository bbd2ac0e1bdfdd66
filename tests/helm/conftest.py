"""The chart's tests: rendering is in render.py, and handed on from here."""

from tests.helm.render import CHART, Refused, one, render

__all__ = ["CHART", "Refused", "one", "render"]
