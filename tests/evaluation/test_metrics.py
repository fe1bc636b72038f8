"""Sharpness and colour, against what is known of simple pictures."""

from __future__ import annotations

import pytest
import torch

from p2plib.errors import UserError
from p2plib.evaluation import lab, lab_spread, sharpness


def flat(*colour):
    return torch.tensor(colour, dtype=torch.float32)[None, :, None, None].expand(2, 3, 8, 12) / 127.5 - 1


def test_sharpness_of_known_pictures():
    assert sharpness(flat(10, 20, 30)) == 0
    board = (torch.arange(8)[:, None] + torch.arange(12)) % 2 * 2.0 - 1
    assert sharpness(board.expand(2, 3, 8, 12)) == 2
    columns = (torch.arange(12) % 2 * 2.0 - 1).expand(2, 3, 8, 12)
    assert sharpness(columns) == 1  # steps to the right alone


def test_blurring_takes_sharpness_away():
    noise = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    assert sharpness(torch.nn.functional.avg_pool2d(noise, 3, 1)) < 0.5 * sharpness(noise)


@pytest.mark.parametrize(
    ("colour", "expected"),
    [  # known values under D65
        ((255, 255, 255), (100.0, 0.0, 0.0)),
        ((0, 0, 0), (0.0, 0.0, 0.0)),
        ((255, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 0, 255), (32.30, 79.19, -107.86)),
    ],
)
def test_lab_of_known_colours(colour, expected):
    assert lab(flat(*colour))[1, :, 3, 5].tolist() == pytest.approx(expected, abs=0.1)


def test_grey_pictures_spread_in_lightness_alone():
    grey = torch.linspace(-1, 1, 96).view(1, 1, 8, 12).expand(2, 3, 8, 12)
    lightness, a, b = lab_spread(grey)
    assert lightness > 20
    assert max(a, b) < 0.01


@pytest.mark.parametrize("bad", [torch.zeros(3, 8, 8), torch.zeros(1, 1, 8, 8), torch.zeros(1, 3, 8, 8).byte()])
def test_other_tensors_are_told(bad):
    for metric in (sharpness, lab, lab_spread):
        with pytest.raises(UserError, match="Expected were pictures"):
            metric(bad)
