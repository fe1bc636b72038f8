"""Trainings in two precisions: the same but for that, and a verdict that can go either way."""

import json

import pytest
import torch

from p2plib.errors import UserError
from p2plib.evaluation.precision import MEASURES, Precisions, compare_precisions

TINY = dict(preset="laptop", size=32, base=4, batch=4, images=40, limit=20, device="cpu")


def test_the_runs_differ_in_precision_and_seed_alone(tmp_path):
    lines = []
    found = compare_precisions("synthetic-maps", seeds=(0, 1), say=lines.append, **TINY)
    assert len(lines) == 4
    assert list(found.values) == ["f32", "bf16"]
    for measure in MEASURES:
        plain, other = found.values["f32"][measure], found.values["bf16"][measure]
        assert len(plain) == len(other) == 2
        assert plain[0] != plain[1]
        assert plain != other
        assert other[0] == pytest.approx(plain[0], abs=0.2)
    found.write(tmp_path / "reports/precision.json", "the command")
    kept = json.loads((tmp_path / "reports/precision.json").read_text())
    assert kept["values"] == found.values
    assert "seed" not in kept["settings"]
    assert "| l1 |" in (tmp_path / "reports/precision.md").read_text()
    assert found.table().count("\n") == len(MEASURES)


def test_the_verdict_can_be_no():
    values = {"f32": {m: [0.30, 0.32, 0.31] for m in MEASURES}, "bf16": {m: [0.31, 0.33, 0.32] for m in MEASURES}}
    found = Precisions({}, values, {}, {})
    assert found.within_noise("l1")
    values["bf16"]["l1"] = [0.36, 0.35, 0.34]
    assert not found.within_noise("l1")
    assert found.rows()[1][-1] == "no"


@pytest.mark.parametrize("seeds", [2, 3, 5, 6])
def test_the_noise_is_what_chance_gives(seeds):
    drawn = torch.randn(4000, 2, seeds, generator=torch.Generator().manual_seed(seeds), dtype=torch.float64).tolist()
    inside = [Precisions({}, {"f32": {"l1": a}, "bf16": {"l1": b}}, {}, {}).within_noise("l1") for a, b in drawn]
    assert sum(inside) / len(inside) == pytest.approx(0.95, abs=0.015)


def test_seeds_of_float32_that_lie_close_by_chance_do_not_make_a_verdict():
    found = Precisions({}, {"f32": {"l1": [0.739, 0.738, 0.739]}, "bf16": {"l1": [0.713, 0.746, 0.767]}}, {}, {})
    assert found.within_noise("l1")


def test_one_seed_shows_no_noise():
    with pytest.raises(UserError, match="two or more"):
        compare_precisions("synthetic-maps", seeds=(0,))
