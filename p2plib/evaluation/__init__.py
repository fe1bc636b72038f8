"""Measuring outputs: how sharp, how colourful, how near to the target, how much of the input is in them."""

from p2plib.evaluation.metrics import lab, lab_spread, sharpness
from p2plib.evaluation.segmenter import gap, labelled_pairs, train_segmenter

__all__ = ["gap", "lab", "lab_spread", "labelled_pairs", "sharpness", "train_segmenter"]
