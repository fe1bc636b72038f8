"""Trainings in turns: all come to their end, the bar counts all, a stop ends all."""

from __future__ import annotations

import pytest
import torch

from p2plib import plots
from p2plib.data.catalogue import Source
from p2plib.data.pairs import MemoryPairs
from p2plib.data.synthetic import draw_facades
from p2plib.errors import UserError
from p2plib.training import Trainer, configure, race


@pytest.fixture(scope="module")
def source():
    inputs, targets = (torch.from_numpy(both) for both in draw_facades(range(20), size=32))
    return Source("small", "BtoA", MemoryPairs(inputs[:16], targets[:16]), MemoryPairs(inputs[16:], targets[16:]), "")


def trainer(source, images, objective="L1"):
    return Trainer(configure("x", "laptop", size=32, base=2, images=images, objective=objective), source=source)


def test_each_comes_to_its_end(source):
    runners = {"short": trainer(source, 24), "long": trainer(source, 64, "L1+cGAN")}
    seen = []
    race(runners, on_turn=lambda all_: seen.append([t.step_number for t in all_.values()]), progress=False)
    assert [t.finished for t in runners.values()] == [True, True]
    assert seen == [[2, 2], [3, 4], [3, 6], [3, 8]]


def test_turns_are_whole_epochs_and_fit_goes_on(source):
    t = trainer(source, 64)
    assert t.images_to_go == 64
    t.fit(progress=False, turns=1)
    assert (t.step_number, t.images_to_go) == (2, 48)
    t.fit(progress=False)
    assert t.finished


def test_turns_change_nothing_in_the_outcome(source):
    whole, parts = trainer(source, 48), trainer(source, 48)
    torch.manual_seed(3)
    whole.fit(progress=False)
    torch.manual_seed(3)
    while not parts.finished:
        parts.fit(progress=False, turns=1)
    a, b = whole.generator.state_dict(), parts.generator.state_dict()
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_a_stop_ends_the_race(source, monkeypatch):
    runners = {"a": trainer(source, 64), "b": trainer(source, 64)}

    def stopped(**_):
        runners["a"].stopped_by = "Ctrl-C"

    monkeypatch.setattr(runners["a"], "fit", stopped)
    race(runners, progress=False)
    assert runners["b"].step_number == 0


def test_the_figure_shows_all_of_them(source):
    runners = {"one": trainer(source, 16), "other": trainer(source, 16)}
    race(runners, progress=False)
    live = plots.LiveRace(count=3)
    figure = live.draw(runners)
    names = [axis.get_ylabel() for part in figure.subfigs for axis in part.axes]
    assert {"input", "one", "other", "target"} <= set(names)
    assert f"one {runners['one'].held_out_l1:.3f}" in live.text(runners)
    plots.png(figure)


def test_pairs_in_memory_must_fit():
    good = torch.zeros(2, 3, 8, 8, dtype=torch.uint8)
    assert len(MemoryPairs(good, good)) == 2
    for bad in (good[:1], good[..., :4], good.float()):
        with pytest.raises(UserError, match="Inputs and targets must"):
            MemoryPairs(good, bad)
