"""How much a cell may cost: the learner's minutes, or a test's seconds."""

from __future__ import annotations

import os
from typing import TypeVar

T = TypeVar("T")


def testing() -> bool:
    """Is this a test (P2PLIB_BUDGET=test), which makes a few steps and keeps nothing?"""
    return os.environ.get("P2PLIB_BUDGET", "learner") == "test"


def budget(learner: T, test: T) -> T:
    """The first for a learner, the second under P2PLIB_BUDGET=test."""
    return test if testing() else learner
