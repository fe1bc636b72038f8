"""The one exception for mistakes that a person can mend."""

from __future__ import annotations


class UserError(ValueError):
    """Bad input, said in one sentence: what was found, where, what was expected, how to mend it.

    The command line prints the sentence and exits with code 2; a notebook shows it without a traceback.
    """

    def _render_traceback_(self) -> list[str]:
        """What IPython shows: where in the library it was noticed does not help to mend it."""
        return [f"{type(self).__name__}: {self}"]
