"""Measuring outputs: how sharp, how colourful, how near to the target."""

from p2plib.evaluation.metrics import lab, lab_spread, sharpness

__all__ = ["lab", "lab_spread", "sharpness"]
