"""Running an exercise whose answer is what it leaves behind, such as a trained run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def attempt(answer: Callable[[], Any], values: int = 1) -> Any:
    """Call the function of an exercise, and hand on what it returns for `check`.

    Args:
        answer: a function without parameters.
        values: how many values it returns.

    Returns:
        Its value; where it is not written yet (it raises NotImplementedError) ``...``, or as many of them as values
        were asked for, which `check` takes for "not attempted".
    """
    try:
        return answer()
    except NotImplementedError:
        return ... if values == 1 else (...,) * values
