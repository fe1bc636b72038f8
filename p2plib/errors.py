"""The one exception for mistakes that a person can mend."""

from __future__ import annotations


class UserError(ValueError):
    """Bad input, said in one sentence: what was found, where, what was expected, how to mend it.

    The command line prints the sentence and exits with code 2; in a notebook it is the last line of
    the traceback.
    """
