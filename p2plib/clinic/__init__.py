"""The clinic of chapter 07: recorded runs that went wrong, one healthy run, and what shows them.

`recipes` says what is wrong with each: look there after the exercises.
"""

from p2plib.clinic.show import LETTERS, MEASURES, read_run, show_run, table

__all__ = ["LETTERS", "MEASURES", "read_run", "show_run", "table"]
