"""An answer that leaves something behind is called once, and is told from one that is not written yet."""

import pytest

from p2plib.checks import attempt


def unwritten():
    raise NotImplementedError


def test_what_it_returns_is_handed_on():
    assert attempt(lambda: "runs/first") == "runs/first"
    assert attempt(lambda: ("runs/second", ["a claim"]), values=2) == ("runs/second", ["a claim"])


def test_what_is_not_written_is_not_attempted():
    assert attempt(unwritten) is ...
    assert attempt(unwritten, values=3) == (..., ..., ...)


def test_another_mistake_is_shown():
    with pytest.raises(ZeroDivisionError):
        attempt(lambda: 1 / 0)
