"""An answer that leaves something behind is called once, and is told from one that is not written yet."""

import re

import pytest

from p2plib.checks import attempt
from p2plib.errors import UserError


def unwritten():
    raise NotImplementedError


def test_what_it_returns_is_handed_on():
    assert attempt(lambda: "runs/first") == "runs/first"
    assert attempt(lambda: ("runs/second", ["a claim"]), values=2) == ("runs/second", ["a claim"])


def test_what_is_not_written_is_not_attempted():
    assert attempt(unwritten) is ...
    assert attempt(unwritten, values=3) == (..., ..., ...)
    assert attempt(lambda: ..., values=3) == (..., ..., ...)
    assert attempt(lambda: (..., "runs/back"), values=2) == (..., "runs/back")


def test_another_mistake_is_shown():
    with pytest.raises(ZeroDivisionError):
        attempt(lambda: 1 / 0)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (("there", "back"), "2 came."),
        (["a", "b", "c", "d"], "4 came."),
        (None, "`None` came. Did you forget `return`?"),
        ("abc", '"abc" came.'),
        (3, "`3` came."),
    ],
)
def test_more_or_fewer_values_than_asked_are_a_sentence(value, found):
    def answer():
        return value

    with pytest.raises(UserError, match=f"^{re.escape(f'`answer` is to return 3 values, and {found}')}$"):
        attempt(answer, values=3)


def test_values_may_come_one_by_one():
    assert attempt(lambda: iter([1, 2]), values=2) == (1, 2)
    assert attempt(lambda: None) is None
