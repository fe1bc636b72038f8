"""Pictures of any size, in one piece and in tiles, and how far the border reaches."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from p2plib.errors import UserError
from p2plib.models import UNetGenerator
from p2plib.training import large
from p2plib.training.large import border_profile, tile_starts, translate_any, translate_tiles
from p2plib.training.translate import translate


@pytest.fixture
def net():
    torch.manual_seed(0)
    made = UNetGenerator(base=4, depth=3, reference="pytorch")
    for parameter in made.parameters():
        parameter.data.normal_(0.0, 0.3)
    return made


class Marking(nn.Module):
    """Adds to each tile a mark of its own places, and notes its shape."""

    def __init__(self, tile):
        super().__init__()
        self.marks = nn.Parameter(torch.arange(tile * tile).view(tile, tile) / tile**2)
        self.shapes = []

    def forward(self, x):
        self.shapes.append(tuple(x.shape))
        return x + self.marks


# --- any size --------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (7, 8), (8, 8), (13, 22), (24, 17)])
def test_any_size_comes_back_in_its_size(net, size):
    x = torch.rand(2, 3, *size) * 2 - 1
    came = translate_any(net, x)
    rows, columns = (torch.arange(-(-n // 8) * 8).clamp(max=n - 1) for n in size)
    expected = translate(net, x[:, :, rows][..., columns])
    assert came.shape == x.shape
    assert torch.equal(came, expected[..., : size[0], : size[1]])
    assert not came.requires_grad


def test_a_picture_that_fits_is_not_continued(net):
    x = torch.rand(1, 3, 16, 24)
    assert large.continue_edges(x, 8) is x
    assert torch.equal(translate_any(net, x), translate(net, x))


def test_how_is_handed_on():
    torch.manual_seed(0)
    net, x = UNetGenerator(base=4, depth=3), torch.rand(1, 3, 10, 10)
    assert torch.equal(translate_any(net, x, seed=1), translate_any(net, x, seed=1))
    assert not torch.equal(translate_any(net, x, seed=1), translate_any(net, x, seed=2))
    still = translate_any(net, x, dropout=False, batch_statistics=False)
    assert torch.equal(still, translate(net.eval(), large.continue_edges(x, 8), dropout=False, batch_statistics=False)[
        ..., :10, :10
    ])  # fmt: skip


def test_a_picture_beyond_memory_is_a_sentence(net, monkeypatch):
    monkeypatch.setattr(large, "_free_memory", lambda device: 2**20)
    translate_any(net, torch.zeros(1, 3, 16, 16))
    with pytest.raises(
        UserError, match=r"40000 × 30000 px takes about 45 GiB in one piece, and 0 are free: .*in tiles"
    ):
        translate_any(net, torch.zeros(1, 1, 1, 1).expand(1, 3, 30_000, 40_000))  # 14 GB, if it were held


def test_free_memory_is_known_here():
    free = large._free_memory(torch.device("cpu"))
    assert free is None or free > 2**26


def test_a_network_without_depth_is_told():
    with pytest.raises(UserError, match="`depth`"):
        translate_any(nn.Identity(), torch.zeros(1, 3, 5, 5))


# --- tiles -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("side", "tile", "overlap", "starts"),
    [(8, 8, 3, [0]), (17, 8, 2, [0, 6, 9]), (20, 8, 2, [0, 6, 12]), (16, 8, 0, [0, 8]), (9, 8, 0, [0, 1])],
)
def test_where_tiles_begin(side, tile, overlap, starts):
    assert tile_starts(side, tile, overlap) == starts


@pytest.mark.parametrize(("height", "width", "overlap"), [(17, 23, 2), (20, 14, 2), (8, 8, 3), (16, 24, 0), (13, 9, 6)])
def test_tiles_are_averaged_where_they_overlap(height, width, overlap):
    net, x = Marking(8), torch.rand(2, 3, height, width)
    came = translate_tiles(net, x, 8, overlap)
    sums, counts = torch.zeros(2, 3, height, width), torch.zeros(height, width)
    for top in tile_starts(height, 8, overlap):
        for left in tile_starts(width, 8, overlap):
            sums[..., top : top + 8, left : left + 8] += x[..., top : top + 8, left : left + 8] + net.marks.detach()
            counts[top : top + 8, left : left + 8] += 1
    assert torch.allclose(came, sums / counts, atol=1e-6)
    assert set(net.shapes) == {(2, 3, 8, 8)}
    assert not came.requires_grad


def test_a_picture_smaller_than_a_tile(net):
    x = torch.rand(1, 3, 5, 20)
    came = translate_tiles(net, x, 16, 4)
    assert came.shape == x.shape
    left, right = (translate(net, large.continue_edges(x, 1, 16)[..., c : c + 16])[..., :5, :] for c in (0, 4))
    assert torch.allclose(came[..., :4], left[..., :4], atol=1e-6)
    assert torch.allclose(came[..., 16:], right[..., 12:], atol=1e-6)
    assert torch.allclose(came[..., 4:16], (left[..., 4:] + right[..., :12]) / 2, atol=1e-6)


def test_one_seed_for_all_tiles():
    torch.manual_seed(0)
    net, x = UNetGenerator(base=4, depth=3), torch.rand(1, 3, 8, 8).repeat(1, 1, 1, 2)
    before = torch.get_rng_state()
    came = translate_tiles(net, x, 8, seed=1)
    assert torch.equal(came, translate_tiles(net, x, 8, seed=1))
    assert not torch.equal(came, translate_tiles(net, x, 8, seed=2))
    assert not torch.equal(came[..., :8], came[..., 8:])  # each tile has noise of its own
    assert torch.equal(before, torch.get_rng_state())


def test_tiles_that_do_not_fit(net):
    x = torch.zeros(1, 3, 32, 32)
    for tile, words in ((12, "multiple of 8 px for this network, not 12: take 8 or 16"), (0, "take 8"), (-8, "take 8")):
        with pytest.raises(UserError, match=words):
            translate_tiles(net, x, tile)
    for overlap in (8, 9, -1):
        with pytest.raises(UserError, match=f"below the tile's 8 px, not {overlap}"):
            translate_tiles(net, x, 8, overlap)


# --- the border ------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(1, 3, 8, 12), (2, 1, 9, 7), (1, 1, 2, 5), (3, 2, 6, 6)])
def test_the_profile_is_the_mean_of_each_frame(shape):
    part, whole = torch.rand(shape), torch.rand(shape)
    frames = [[] for _ in range(min(shape[2:]) // 2)]
    for y, x in np.ndindex(*shape[2:]):
        distance = min(y, shape[2] - 1 - y, x, shape[3] - 1 - x, len(frames) - 1)
        frames[distance].append((part - whole)[..., y, x].abs().mean())
    assert torch.allclose(border_profile(part, whole), torch.stack([torch.stack(f).mean() for f in frames]))


def test_pictures_that_cannot_be_compared():
    for a, b in (((1, 3, 8, 8), (3, 8, 8)), ((1, 3, 8, 8), (1, 3, 8, 9)), ((1, 3, 1, 8), (1, 3, 1, 8))):
        with pytest.raises(UserError, match="one shape"):
            border_profile(torch.zeros(a), torch.zeros(b))


def test_the_border_of_a_cut_reaches_as_far_as_its_padding_is_seen(net):
    torch.manual_seed(1)
    whole = torch.rand(1, 3, 96, 96) * 2 - 1
    how = dict(dropout=False, batch_statistics=False)
    full = translate(net, whole, **how)[..., 16:80, 16:80]
    profile = border_profile(translate(net, whole[..., 16:80, 16:80], **how), full)
    assert profile[0] > 0
    assert profile[24:].max() <= 1e-5 < profile[0]


# --- the command -----------------------------------------------------------------------------------


def test_the_command_translates_in_tiles(p2p, tiny_run, picture, tmp_path):
    picture(1, 150, 70).save(tmp_path / "1.png")
    sides = {}
    for name, options in (("whole", ()), ("tiles", ("--tile", 64)), ("seams", ("--tile", 64, "--overlap", 0))):
        command = ("translate", tiny_run, tmp_path / "1.png", "--out", tmp_path / name, "--repeatable", *options)
        assert p2p(*command)[0] == 0
        sides[name] = np.asarray(Image.open(tmp_path / name / "1.png"))
        assert sides[name].shape == (70, 150, 3)
    assert len({side.tobytes() for side in sides.values()}) == 3


def test_the_note_on_edges_is_for_pictures_in_one_piece(p2p, tiny_run, picture, tmp_path):
    picture(1, 50, 40).save(tmp_path / "1.png")
    for options, noted in (((), True), (("--tile", 32), False)):
        _, _, err = p2p("translate", tiny_run, tmp_path / "1.png", "--out", tmp_path / "out", *options)
        assert ("continued at its edges" in err) == noted


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--tile", 48), "multiple of 32 px for this network, not 48: take 32 or 64"),
        (("--tile", 32, "--overlap", 32), "below the tile's 32 px, not 32"),
        (("--overlap", 8), "--overlap is that of tiles: give --tile N, too."),
    ],
)
def test_tiles_that_the_command_refuses(p2p, tiny_run, picture, tmp_path, options, words):
    picture(1, 64, 64).save(tmp_path / "1.png")
    code, _, err = p2p("translate", tiny_run, tmp_path / "1.png", "--out", tmp_path / "out", *options)
    assert code == 2
    assert words in err
    assert not (tmp_path / "out").exists()


def test_the_command_refuses_what_memory_does_not_hold(p2p, tiny_run, picture, tmp_path, monkeypatch):
    monkeypatch.setattr(large, "_free_memory", lambda device: 2**17)
    picture(1, 300, 200).save(tmp_path / "1.png")
    command = ("translate", tiny_run, tmp_path / "1.png", "--out", tmp_path / "out")
    code, _, err = p2p(*command)
    assert code == 2
    assert err.startswith("p2plib: A picture of 300 × 200 px takes about")
    assert not (tmp_path / "out").exists()
    assert p2p(*command, "--tile", 64)[0] == 0
