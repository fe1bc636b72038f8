"""Tiles that fit together: one statistics for all, edges that count for little."""

from __future__ import annotations

import itertools

import pytest
import torch
from PIL import Image
from torch import nn

from p2plib import zoo
from p2plib.data.augment import to_bytes, to_signed
from p2plib.data.pairs import to_tensor
from p2plib.data.synthetic import draw_maps
from p2plib.models import UNetGenerator
from p2plib.training import checkpoint, large, tiling
from p2plib.training.large import translate_tiles
from p2plib.training.tiling import sample_of, share_statistics, translate_large
from p2plib.training.translate import translate


@pytest.fixture(scope="module")
def drawn():
    """A trained network and a town of 256 px."""
    maps, _ = draw_maps(range(1), size=256, seed=9, scale=1.0)
    return zoo.load("map2aerial"), to_signed(torch.from_numpy(maps))


@pytest.fixture
def net():
    torch.manual_seed(0)
    return UNetGenerator(base=4, depth=3, reference="pytorch")


def test_pictures_that_share_their_own_statistics_come_out_as_in_one_batch(drawn):
    net, town = drawn
    batch = torch.cat([town[..., :128, :128], town[..., 128:, 64:192]])
    before = {name: value.clone() for name, value in net.state_dict().items()}
    shared = share_statistics(net, batch, dropout=False)
    whole = translate(net, batch, dropout=False)
    one_by_one = [translate(shared, one[None], dropout=False, batch_statistics=False) for one in batch]
    assert torch.allclose(torch.cat(one_by_one), whole, atol=1e-4)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert not [norm._forward_pre_hooks for norm in shared.modules() if norm._forward_pre_hooks]


def test_a_picture_of_one_tile_comes_out_as_in_one_piece(drawn):
    net, town = drawn
    whole = translate(net, town, dropout=False)
    assert torch.allclose(translate_large(net, town, 256, 64, dropout=False), whole, atol=1e-4)
    small = town[..., :200, :140]  # both sides shorter than the tile
    assert translate_large(net, small, 256, 64).shape == small.shape


def test_tiles_come_nearer_to_the_picture_in_one_piece_than_plain_ones(drawn):
    net, town = drawn
    whole = translate(net, town, dropout=False)

    def off(output):
        return (output - whole).abs().mean().item()

    plain = off(translate_tiles(net, town, 128, 32, dropout=False))
    soft = off(translate_tiles(net, town, 128, 32, soft=True, dropout=False))
    together = off(translate_large(net, town, 128, 32, dropout=False))
    assert together < 0.6 * plain
    assert soft < plain
    # What is left are the borders: without the statistics they alone tell soft tiles from hard ones.
    fixed = dict(dropout=False, batch_statistics=False)
    whole = translate(net, town, **fixed)
    assert off(translate_tiles(net, town, 128, 64, soft=True, **fixed)) < 0.5 * off(
        translate_tiles(net, town, 128, 64, **fixed)
    )


def test_the_weights_of_a_tile_fall_alike_to_all_sides():
    marked = torch.zeros(1, 1, 12, 12)
    marked[..., 2:10, 2:10] = 1.0

    class First(nn.Module):
        """Draws white for the tile in the middle, black for all others."""

        def forward(self, x):
            return x.amin((2, 3), keepdim=True).expand_as(x)

    came = translate_tiles(First(), marked, 8, 6, soft=True)[0, 0]
    assert torch.allclose(came, came.flip(0), atol=1e-6)
    assert torch.allclose(came, came.flip(1), atol=1e-6)
    assert came[6, 6] > 2 * came[2, 6] > 0


def test_half_precision_loses_no_corner():
    x = torch.rand(1, 3, 512, 512).half()
    assert torch.equal(translate_tiles(nn.Identity(), x, 512, 0, soft=True), x)


@pytest.mark.parametrize(("height", "width", "overlap"), [(17, 23, 2), (20, 14, 3), (16, 24, 0), (13, 9, 6)])
def test_weights_sum_to_one(height, width, overlap):
    net, x = nn.Identity(), torch.rand(1, 3, height, width)
    assert torch.allclose(translate_tiles(net, x, 8, overlap, soft=True), x, atol=1e-6)


def test_the_sample_is_spread_over_the_picture_and_fits_into_memory(net, monkeypatch):
    x = torch.arange(64.0).repeat_interleave(8).view(1, 1, 1, 512).expand(1, 3, 8, 512)  # 64 tiles, each its number
    numbers = sample_of(net, x, 8)[:, 0, 0, 0].tolist()
    assert len(numbers) == len(set(numbers)) == tiling.SAMPLE
    assert max(b - a for a, b in itertools.pairwise(numbers)) == 8
    monkeypatch.setattr(large, "_free_memory", lambda device: 6 * 64 * large.BYTES * net.base)
    assert len(sample_of(net, x, 8)) == 3
    monkeypatch.setattr(large, "_free_memory", lambda device: 1)
    assert len(sample_of(net, x, 8)) == 1
    assert len(sample_of(net, x[..., :16], 8)) == 1
    monkeypatch.setattr(large, "_free_memory", lambda device: None)
    assert len(sample_of(net, x, 8)) == tiling.SAMPLE
    assert len(sample_of(net, torch.zeros(1, 1, 1, 2**13), 1024)) == 2  # of eight


def test_a_seed_draws_the_noise_of_all_tiles_and_leaves_no_trace():
    torch.manual_seed(0)
    net, x = UNetGenerator(base=4, depth=3), torch.rand(1, 3, 16, 24)
    before = torch.get_rng_state()
    came = translate_large(net, x, 8, 2, seed=1)
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(came, translate_large(net, x, 8, 2, seed=1))
    assert not torch.equal(came, translate_large(net, x, 8, 2, seed=2))


def test_the_command_takes_them(p2p, tiny_run, picture, tmp_path):
    picture(1, 96, 64).save(tmp_path / "1.png")
    input = to_signed(to_tensor(Image.open(tmp_path / "1.png")))[None]
    net = checkpoint.load_generator(tiny_run)
    assert p2p("translate", tiny_run, tmp_path / "1.png", "--out", tmp_path / "out", "--tile", 32)[0] == 0
    came = to_tensor(Image.open(tmp_path / "out/1.png"))
    assert torch.equal(came, to_bytes(translate_large(net, input, 32, 8, seed=0))[0])
