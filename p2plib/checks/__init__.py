"""Exercises: checked, hinted at, solved, kept.

In a notebook: ``check("1.1", split_pair)`` · ``hint("1.1")`` · ``solution("1.1")`` · ``progress()`` · ``mine("1.1")``.
``attempt(train)`` runs an answer that leaves something behind, for a check of that.
"""

from p2plib.checks.attempting import attempt
from p2plib.checks.engine import check
from p2plib.checks.hints import hint, solution
from p2plib.checks.mine import mine
from p2plib.checks.progress import progress

__all__ = ["attempt", "check", "hint", "mine", "progress", "solution"]
