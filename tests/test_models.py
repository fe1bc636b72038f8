"""The networks, against the paper's exact counts, shapes and fields."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from p2plib.errors import UserError
from p2plib.models import (
    PATCHES,
    PatchDiscriminator,
    UNetGenerator,
    UpBlock,
    copy_weights,
    dropout_blocks,
    parameter_count,
    receptive_field,
    smallest_side,
)

PATCH_FACTS = {  # patch: (parameters at base 64, map side at 256 px, at 512 px)
    1: (9_025, 256, 512),
    16: (139_585, 126, 254),
    34: (666_433, 62, 126),
    70: (2_768_705, 30, 62),
    142: (6_964_033, 14, 30),
    286: (11_159_361, 6, 14),
}


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ({}, 54_413_955),
        ({"skips": False}, 39_075_459),
        ({"depth": 7}, 41_828_995),
        ({"reference": "pytorch"}, 54_413_955),
    ],
)
def test_generator_counts(options, count):
    assert parameter_count(UNetGenerator(**options)) == count


def test_generator_layers_are_the_papers():
    net = UNetGenerator()
    down = [(b.conv.in_channels, b.conv.out_channels, isinstance(b.norm, nn.BatchNorm2d)) for b in net.down]
    assert down == [
        (3, 64, False), (64, 128, True), (128, 256, True), (256, 512, True),
        (512, 512, True), (512, 512, True), (512, 512, True), (512, 512, False),
    ]  # fmt: skip
    up = [
        (b.conv.in_channels, b.conv.out_channels, isinstance(b.norm, nn.BatchNorm2d), isinstance(b.dropout, nn.Dropout))
        for b in net.up
    ]
    assert up == [
        (512, 512, True, True), (1024, 512, True, True), (1024, 512, True, True), (1024, 512, True, False),
        (1024, 256, True, False), (512, 128, True, False), (256, 64, True, False), (128, 3, False, False),
    ]  # fmt: skip
    assert isinstance(net.down[0].activation, nn.Identity)
    assert [b.conv.bias is not None for b in (*net.down, *net.up)] == [False] * 15 + [True]
    assert all(b.activation.negative_slope == 0.2 for b in net.down[1:])


@pytest.mark.parametrize(("reference", "sides"), [("paper", [2, 4, 8]), ("pytorch", [4, 8, 16])])
def test_dropout_sits_where_each_code_has_it(reference, sides):
    net = UNetGenerator(base=1, reference=reference)
    seen = []
    for block in net.up:
        block.register_forward_hook(
            lambda m, _, out: seen.append(out.shape[-1]) if isinstance(m.dropout, nn.Dropout) else None
        )
    net(torch.zeros(1, 3, 256, 256))
    assert seen == sides


@pytest.mark.parametrize("depth", range(2, 9))
def test_the_last_block_never_drops_out(depth):
    for reference in ("paper", "pytorch"):
        assert depth - 1 not in dropout_blocks(depth, reference)
        assert all(0 <= j < depth for j in dropout_blocks(depth, reference))


@settings(max_examples=40, deadline=None)
@given(
    depth=st.integers(2, 8), height=st.integers(1, 3), width=st.integers(1, 3),
    skips=st.booleans(), channels=st.tuples(st.integers(1, 4), st.integers(1, 4)),
)  # fmt: skip
def test_any_depth_and_any_side_that_fits(depth, height, width, skips, channels):
    net = UNetGenerator(*channels, base=2, depth=depth, skips=skips)
    x = torch.zeros(1, channels[0], height * 2**depth, width * 2**depth)
    y = net(x)
    assert y.shape == (1, channels[1], *x.shape[2:])
    assert y.abs().max() <= 1


@settings(max_examples=60, deadline=None)
@given(depth=st.integers(2, 8), height=st.integers(1, 600), width=st.integers(1, 600))
def test_a_side_that_does_not_fit_gets_the_nearest_that_do(depth, height, width):
    net = UNetGenerator(base=1, depth=depth)
    step = 2**depth
    x = torch.empty(1, 3, height, width, device="meta")
    wrong = [side for side in (height, width) if side % step]
    if not wrong:
        net.check_size(x)
        return
    with pytest.raises(UserError) as caught:
        net.check_size(x)
    text = str(caught.value)
    for side in wrong:
        assert str((side // step + 1) * step) in text
        assert side < step or str(side // step * step) in text
    assert "\n" not in text


def test_without_skips_the_input_reaches_the_output_only_through_the_bottleneck():
    x = torch.randn(1, 3, 32, 32)
    for skips in (True, False):
        net = UNetGenerator(base=4, depth=5, skips=skips).eval()
        net.down[-1].conv.weight.data.zero_()  # close the bottleneck
        changed = not torch.equal(net(x), net(x.flip(-1)))
        assert changed is skips


def test_concatenation_orders_differ_by_a_channel_swap():
    paper, other = (UpBlock(6, 5, skip_first=first).eval() for first in (False, True))
    other.load_state_dict(paper.state_dict())
    other.conv.weight.data = torch.cat([paper.conv.weight[4:], paper.conv.weight[:4]])  # 4 from below, 2 skipped
    x, skip = torch.randn(2, 4, 3, 3), torch.randn(2, 2, 3, 3)
    torch.testing.assert_close(paper(x, skip), other(x, skip))


@pytest.mark.parametrize("net", [UNetGenerator(base=32, depth=6), PatchDiscriminator(base=32)])
def test_networks_come_initialised(net):
    weights = torch.cat([p.flatten() for n, p in net.named_parameters() if p.dim() == 4])
    assert weights.std().item() == pytest.approx(0.02, rel=0.02)
    assert weights.mean().item() == pytest.approx(0, abs=1e-3)
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    scales = torch.cat([m.weight.detach() for m in norms])
    assert scales.mean().item() == pytest.approx(1, abs=0.01)
    assert scales.std().item() == pytest.approx(0.02, rel=0.2)
    assert all((m.bias == 0).all() for m in norms)
    biases = [m.bias for m in net.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d) and m.bias is not None]
    assert biases
    assert all((b == 0).all() for b in biases)


@pytest.mark.parametrize("patch", PATCHES)
def test_discriminator_facts(patch):
    net = PatchDiscriminator(patch=patch)
    count, at_256, at_512 = PATCH_FACTS[patch]
    assert parameter_count(net) == count
    assert receptive_field(net) == patch
    small = PatchDiscriminator(base=2, patch=patch)
    assert small(torch.zeros(1, 6, 256, 256)).shape == (1, 1, at_256, at_256)
    assert small(torch.zeros(1, 6, 512, 512)).shape == (1, 1, at_512, at_512)


@pytest.mark.parametrize("patch", PATCHES)
def test_gradient_footprint_is_the_receptive_field(patch):
    # Eval mode, since batch norm in training ties all pixels together; float64, so that no gradient underflows.
    torch.manual_seed(0)
    net = PatchDiscriminator(in_channels=2, base=2, patch=patch).double().eval()
    side = 2 * patch + 64
    x = torch.randn(1, 2, side, side, dtype=torch.float64, requires_grad=True)
    logits = net(x)
    logits[0, 0, logits.shape[2] // 2, logits.shape[3] // 2].backward()
    touched = (x.grad.abs().sum((0, 1)) > 0).nonzero()
    assert (touched.max(0).values - touched.min(0).values + 1).tolist() == [patch, patch]


@pytest.mark.parametrize("patch", PATCHES)
def test_the_smallest_side_is_the_smallest(patch):
    net = PatchDiscriminator(base=1, patch=patch).eval()
    side = smallest_side(patch)
    assert net(torch.zeros(1, 6, side, side)).shape == (1, 1, 1, 1)
    if side > 1:
        with pytest.raises(UserError, match=f"{side} px or more"):
            net(torch.zeros(1, 6, side - 1, side))


def test_receptive_field_of_other_stacks():
    assert receptive_field([]) == 1
    assert receptive_field([(3, 1), (3, 1)]) == 5
    assert receptive_field([(4, 2)] * 3 + [(4, 1)] * 2) == 70
    net = nn.Sequential(nn.Conv2d(1, 1, 3, dilation=2), nn.MaxPool2d(2), nn.ReLU(), nn.Conv2d(1, 1, 3))
    assert receptive_field(net) == 10
    with pytest.raises(UserError, match="goes up"):
        receptive_field(UNetGenerator(base=1, depth=2))


@pytest.mark.parametrize(
    "make",
    [
        lambda: UNetGenerator(depth=1),
        lambda: UNetGenerator(depth=9),
        lambda: UNetGenerator(reference="tensorflow"),
        lambda: UNetGenerator(base=0),
        lambda: PatchDiscriminator(patch=71),
        lambda: PatchDiscriminator(base=1)(torch.zeros(1, 3, 64, 64)),
        lambda: UNetGenerator(base=1)(torch.zeros(3, 256, 256)),
    ],
)
def test_what_does_not_fit_is_said_in_one_sentence(make):
    with pytest.raises(UserError) as caught:
        make()
    assert "\n" not in str(caught.value)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
def test_the_gpu_agrees_with_the_cpu():
    net = UNetGenerator(base=8, depth=6).eval()
    x = torch.randn(2, 3, 64, 64)
    torch.testing.assert_close(net(x), net.cuda()(x.cuda()).cpu(), atol=2e-3, rtol=0)


class Renamed(nn.Module):
    """A small chain whose layers are made in another order than they are met."""

    def __init__(self):
        super().__init__()
        self.last = nn.Conv2d(4, 1, 3)
        self.norm = nn.BatchNorm2d(4)
        self.first = nn.Conv2d(3, 4, 3)

    def forward(self, x):
        return self.last(self.norm(self.first(x)))


def test_weights_are_copied_in_the_order_in_which_a_picture_meets_the_layers():
    source, target = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 1, 3)), Renamed()
    x = torch.randn(2, 3, 9, 9)
    source(x)  # moves the running averages, which are copied, too
    before = {name: value.clone() for name, value in source.state_dict().items()}
    copy_weights(source, target, x)
    assert torch.equal(source.eval()(x), target.eval()(x))
    assert all(torch.equal(value, before[name]) for name, value in source.state_dict().items())


def test_weights_of_another_network_are_refused():
    with pytest.raises(UserError, match="cannot be copied"):
        copy_weights(nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 1, 3)), Renamed(), torch.randn(2, 3, 9, 9))


class SkipFirst(UpBlock):
    """As `UpBlock`, with the skip in front."""

    def forward(self, x, skip=None):
        return super().forward(x) if skip is None else super().forward(skip, x)


def test_weights_are_copied_into_a_net_that_joins_skips_the_other_way():
    source, target = UNetGenerator(base=4, depth=4), UNetGenerator(base=4, depth=4)
    for block in target.up:
        block.__class__ = SkipFirst
    copy_weights(source, target, torch.zeros(2, 3, 32, 32))
    x = torch.randn(2, 3, 32, 32)
    assert torch.allclose(source.eval()(x), target.eval()(x), atol=1e-7)


def test_a_net_built_otherwise_is_refused_after_copying():
    source = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 1, 3))
    target = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 1, 3))
    with pytest.raises(UserError, match="still give different outputs"):
        copy_weights(source, target, torch.randn(2, 3, 9, 9))
