"""Measuring outputs: how sharp, how colourful, how near to the target, how much of the input is in them."""

from p2plib.evaluation.histogram import lab_intersection
from p2plib.evaluation.metrics import lab, lab_spread, sharpness
from p2plib.evaluation.report import Report, evaluate_run, read_report
from p2plib.evaluation.segmenter import gap, labelled_pairs, train_segmenter

__all__ = [
    "Report",
    "evaluate_run",
    "gap",
    "lab",
    "lab_intersection",
    "lab_spread",
    "labelled_pairs",
    "read_report",
    "sharpness",
    "train_segmenter",
]
