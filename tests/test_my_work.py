"""The learner's own folder: kept, versioned, never read or written in a test, never a reason to stop."""

from __future__ import annotations

import json

import numpy as np
import pytest

from p2plib import my_work
from p2plib.errors import UserError


@pytest.fixture
def learner(monkeypatch, tmp_path):
    """As if a learner were at work, in a folder of the test's."""
    monkeypatch.setenv("P2PLIB_BUDGET", "learner")
    monkeypatch.setenv("P2PLIB_MY_WORK", str(tmp_path / "mine"))
    return tmp_path / "mine"


def picture(value):
    return np.full((4, 4, 3), value, np.uint8)


def test_a_city_is_kept(learner):
    assert my_work.your_city() == my_work.DEFAULT_CITY
    my_work.keep_city(41)
    assert my_work.your_city() == 41
    assert json.loads((learner / "city.json").read_text()) == {"version": 1, "seed": 41}


@pytest.mark.parametrize("bad", [-1, 0, 100_000_000, 3.5, "7", True, None])
def test_what_is_no_seed_is_refused(learner, bad):
    with pytest.raises(UserError, match="whole number"):
        my_work.keep_city(bad)
    assert not learner.exists()


@pytest.mark.parametrize("spoilt", ["", "{", "[]", '{"seed": "x"}', '{"seed": -5}', "{}"])
def test_a_spoilt_note_gives_the_default_city(learner, spoilt):
    learner.mkdir()
    (learner / "city.json").write_text(spoilt)
    assert my_work.your_city() == my_work.DEFAULT_CITY


def test_the_filmstrip_grows_in_order_and_replaces_a_chapters_frame(learner):
    my_work.keep_frame("02", "U-Net", picture(2))
    my_work.keep_frame("00", "zoo", picture(0))
    frames = my_work.keep_frame("02", "U-Net again", picture(3))
    assert [(chapter, title) for chapter, title, _ in frames] == [("00", "zoo"), ("02", "U-Net again")]
    assert np.array_equal(frames[1][2], picture(3))
    (learner / "filmstrip" / "00.png").write_bytes(b"spoilt")
    assert [chapter for chapter, _, _ in my_work.frames()] == ["02"]


def test_a_test_neither_reads_nor_writes(monkeypatch, learner):
    my_work.keep_city(41)
    monkeypatch.setenv("P2PLIB_BUDGET", "test")
    assert my_work.your_city() == my_work.DEFAULT_CITY
    my_work.keep_city(5)
    frames = my_work.keep_frame("00", "zoo", picture(0))
    assert len(frames) == 1
    assert sorted(p.name for p in learner.iterdir()) == ["city.json"]
    assert json.loads((learner / "city.json").read_text())["seed"] == 41


def test_a_run_of_a_test_lies_in_a_new_empty_place(monkeypatch, tmp_path):
    first, second = (my_work.run_folder("facades") for _ in range(2))
    assert first != second
    assert first.name == "facades"
    assert not first.exists()
    monkeypatch.setenv("P2PLIB_BUDGET", "learner")
    monkeypatch.setenv("P2PLIB_MY_WORK", str(tmp_path))
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    assert my_work.run_folder("facades") == tmp_path / "runs/facades"
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")  # never a run that somebody left behind
    assert tmp_path not in my_work.run_folder("facades").parents
