"""Bytes to [-1, 1] and back; jitter and mirror, the same for both halves."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from p2plib.data.augment import Augment, centre, to_bytes, to_signed


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def numbered(count: int, side: int) -> torch.Tensor:
    """Pictures in which every pixel says where it is: red its row, green its column, blue the picture."""
    place = torch.arange(side, dtype=torch.uint8)
    picture = torch.stack([place[:, None].expand(side, side), place.expand(side, side), torch.zeros(side, side).byte()])
    batch = picture.expand(count, 3, side, side).clone()
    batch[:, 2] = torch.arange(count, dtype=torch.uint8)[:, None, None]
    return batch


def corners(output: torch.Tensor) -> list[tuple[int, int, bool]]:
    """(top, left, flipped) of each crop of `numbered` pictures."""
    values = to_bytes(output).int()
    first, last = values[:, 1, 0, 0], values[:, 1, 0, -1]
    return [(int(top), int(min(a, b)), bool(a > b)) for top, a, b in zip(values[:, 0, 0, 0], first, last, strict=True)]


def test_all_256_values_there_and_back():
    values = torch.arange(256, dtype=torch.uint8)
    signed = to_signed(values)
    assert signed.dtype == torch.float32
    assert (signed[0], signed[255]) == (-1, 1)
    assert torch.allclose(signed.double(), values.double() / 127.5 - 1, atol=1e-7)
    assert torch.equal(to_bytes(signed), values)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_come_out_as_bytes(dtype):
    assert to_bytes(torch.tensor([-1, 0, 1], dtype=dtype)).tolist() == [0, 128, 255]


def test_values_outside_are_cut_off_not_wrapped():
    assert to_bytes(torch.tensor([-7.0, -1.001, 1.001, 300.0])).tolist() == [0, 0, 255, 255]


@settings(max_examples=50, deadline=None)
@given(
    seed=st.integers(0, 2**62),
    count=st.integers(1, 5),
    size=st.integers(1, 12),
    more=st.integers(0, 6),
    mirror=st.booleans(),
)
def test_both_halves_are_cut_and_mirrored_alike(seed, count, size, more, mirror):
    batch = numbered(count, size + more)
    input, target = Augment(size, mirror)(batch, batch.clone(), seeded(seed))
    assert torch.equal(input, target)
    assert input.shape == (count, 3, size, size)
    assert input.dtype == torch.float32
    for index, (top, left, flipped) in enumerate(corners(input)):
        cut = batch[index, :, top : top + size, left : left + size]
        assert torch.equal(to_bytes(input[index]), cut.flip(-1) if flipped else cut)
        assert mirror or not flipped


def test_half_are_mirrored_and_all_corners_are_met():
    found = corners(Augment(14)(numbered(200, 16), numbered(200, 16), seeded(0))[0]) + corners(
        Augment(14)(numbered(200, 16), numbered(200, 16), seeded(1))[0]
    )
    flipped = sum(flip for *_, flip in found)
    assert 140 < flipped < 260  # 6 standard deviations about 200
    places = {(top, left) for top, left, _ in found}
    assert places == {(top, left) for top in range(3) for left in range(3)}
    counts = [sum((top, left) == place for top, left, _ in found) for place in places]
    assert min(counts) > 15  # of 44 on average


def test_mirroring_does_not_hang_on_the_place():
    found = corners(Augment(14)(numbered(250, 16), numbered(250, 16), seeded(2))[0])
    for side in (True, False):
        assert len({(top, left) for top, left, flip in found if flip is side}) == 9


def test_the_seed_decides():
    batch = numbered(8, 20)
    one, same, other = (Augment(16)(batch, batch, seeded(seed))[0] for seed in (5, 5, 6))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_without_mirror_nothing_is_flipped_and_the_crops_stay_the_same():
    batch = numbered(64, 20)
    with_mirror, without = (corners(Augment(16, mirror)(batch, batch, seeded(3))[0]) for mirror in (True, False))
    assert any(flip for *_, flip in with_mirror)
    assert not any(flip for *_, flip in without)
    assert [place[:2] for place in with_mirror] == [place[:2] for place in without]


def test_pictures_of_the_size_itself_stay_whole():
    batch = numbered(4, 16)
    input, _ = Augment(16, mirror=False)(batch, batch, seeded(0))
    assert torch.equal(to_bytes(input), batch)


def test_the_batch_itself_is_left_alone():
    batch = numbered(4, 16)
    before = batch.clone()
    Augment(12)(batch, batch, seeded(0))
    assert torch.equal(batch, before)


@pytest.mark.parametrize(("side", "size", "start"), [(16, 16, 0), (18, 16, 1), (19, 16, 1), (286, 256, 15)])
def test_the_centre(side, size, start):
    batch = torch.arange(side, dtype=torch.float32).clamp(max=255).byte().expand(1, 3, side, side)
    cut = centre(batch, size)
    assert cut.shape == (1, 3, size, size)
    assert torch.equal(to_bytes(cut), batch[..., start : start + size, start : start + size])
