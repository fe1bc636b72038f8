"""The intersection of colour histograms, against what is known of simple sets of pictures."""

from __future__ import annotations

import pytest
import torch

from p2plib.errors import UserError
from p2plib.evaluation import lab_intersection
from p2plib.evaluation.histogram import BINS, SIDE, lab_counts, overlap
from p2plib.evaluation.intervals import Measure, bootstrap, mean, ratio, resamples


def flat(level, count=2, side=8):
    return torch.full((count, 3, side, side), level / 127.5 - 1)


def noise(seed, count=3, side=16):
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_equal_sets_are_alike_exactly():
    for pictures in (noise(0), flat(0), flat(97)):
        assert lab_intersection(pictures, pictures) == (1.0, 1.0, 1.0)


def test_what_is_where_does_not_matter_nor_how_many_there_are():
    pictures = noise(1)
    moved = pictures.flip(-1).roll(5, -2)[torch.tensor([2, 0, 1])]
    assert lab_intersection(moved, pictures) == (1.0, 1.0, 1.0)
    assert lab_intersection(torch.cat([pictures, pictures]), pictures) == (1.0, 1.0, 1.0)


def test_black_against_white_shares_no_lightness_and_all_of_grey():
    assert lab_intersection(flat(0), flat(255)) == (0.0, 1.0, 1.0)


def test_greys_fall_into_one_bin_of_a_and_b():
    greys = torch.cat([flat(level, count=1) for level in range(0, 256, 5)])
    counts = lab_counts(greys).sum(0)
    assert counts[1, SIDE] == counts[2, SIDE] == counts[0].sum() == 52 * 64
    assert lab_intersection(greys[:10], greys[40:])[1:] == (1.0, 1.0)


def test_half_and_half_is_a_half():
    both = torch.cat([flat(0, 1), flat(255, 1)])
    assert lab_intersection(both, flat(255)) == (0.5, 1.0, 1.0)
    assert lab_intersection(flat(255), both) == (0.5, 1.0, 1.0)


def test_the_corners_of_srgb_have_bins():
    corners = torch.tensor([[r, g, b] for r in (-1.0, 1) for g in (-1.0, 1) for b in (-1.0, 1)])[:, :, None, None]
    counts = lab_counts(corners)
    assert counts.shape == (8, 3, BINS)
    assert (counts.sum(-1) == 1).all()
    assert counts[:, :, [0, -1]].sum() == 0  # nothing had to be cut off


def test_overlap_of_counts():
    one, other = torch.tensor([[3, 1, 0], [0, 0, 4]]), torch.tensor([[1, 1, 2], [0, 0, 1]])
    assert overlap(one, other).tolist() == [0.5, 1.0]


def test_other_tensors_are_told():
    with pytest.raises(UserError, match="Expected were pictures"):
        lab_intersection(torch.zeros(3, 8, 8), torch.zeros(1, 3, 8, 8))
    with pytest.raises(UserError, match="needs pictures on both sides"):
        lab_intersection(noise(0)[:0], noise(0))


# --- intervals --------------------------------------------------------------------------------------


def test_an_interval_is_that_of_the_normal_law_where_there_are_many():
    values = torch.randn(400, generator=torch.Generator().manual_seed(0)).double()
    found = mean(values)
    assert found.value == pytest.approx(values.mean().item())
    half = 1.96 * values.std().item() / 20
    assert (found.low, found.high) == pytest.approx((found.value - half, found.value + half), abs=0.1 * half)
    assert found == mean(values)  # seeded


def test_draws_keep_the_number_of_pictures():
    times = resamples(7)
    assert times.shape == (1000, 7)
    assert (times.sum(1) == 7).all()


def test_one_picture_has_no_interval_and_equal_ones_have_one_of_no_width():
    assert mean(torch.tensor([0.25])) == Measure(0.25, None, None)
    assert str(mean(torch.tensor([0.25]))) == "0.250"
    assert mean(torch.full((5,), 0.25)) == Measure(0.25, 0.25, 0.25)
    assert ratio(torch.tensor([1.0, 3.0]), torch.tensor([2.0, 6.0])) == Measure(0.5, 0.5, 0.5)
    assert bootstrap(lambda times: times.amax(1), 1).low is None


def test_one_interval_lies_below_another():
    low, high, wide, none = Measure(1, 0, 2), Measure(4, 3, 5), Measure(3, 1, 5), Measure(1, None, None)
    assert low.below(high)
    assert not any((high.below(low), low.below(wide), wide.below(high), none.below(high), low.below(none)))
