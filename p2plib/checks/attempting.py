"""Running an exercise whose answer is what it leaves behind, such as a trained run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from p2plib.checks.compare import describe
from p2plib.errors import UserError


def attempt(answer: Callable[[], Any], values: int = 1) -> Any:
    """Call the function of an exercise, and hand on what it returns for `check`.

    Args:
        answer: a function without parameters.
        values: how many values it returns.

    Returns:
        Its value; where it is not written yet (it raises NotImplementedError, or returns ``...``) ``...``, or as many
        of them as values were asked for, which `check` takes for "not attempted".

    Raises:
        UserError: where several values are asked for, and not as many came.
    """
    try:
        value = answer()
    except NotImplementedError:
        value = ...
    if values == 1:
        return value
    if value is ...:
        return (...,) * values
    came = tuple(value) if isinstance(value, list | tuple | Iterator) else None
    if came is not None and len(came) == values:
        return came
    called = getattr(answer, "__name__", "the answer")
    if came is None:
        found = f"{describe(value)} came" + (". Did you forget `return`?" if value is None else ".")
    else:
        found = f"{len(came)} came."
    raise UserError(f"`{called}` is to return {values} values, and {found}")
