"""What makes a step cheaper changes nothing that it computes."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from p2plib.models import UNetGenerator
from p2plib.training import Trainer, configure
from p2plib.training.speed import SMALL, SmallMapsAsProducts, down_as_product, keep_freed_memory, up_as_product


@given(st.integers(1, 4), st.integers(1, 5), st.integers(1, 5), st.integers(1, 4), st.integers(1, 4), st.booleans())
@settings(deadline=None, max_examples=40)
def test_products_are_the_convolutions(batch, channels, out, height, width, bias):
    draw = torch.Generator().manual_seed(batch * 1000 + channels * 100 + out * 10 + height)
    more = torch.randn(out, generator=draw, dtype=torch.float64) if bias else None
    for own, theirs, shape, grow in (
        (down_as_product, F.conv2d, (out, channels), 2),
        (up_as_product, F.conv_transpose2d, (channels, out), 1),
    ):
        x = torch.randn(batch, channels, height * grow, width * grow, generator=draw, dtype=torch.float64)
        weight = torch.randn(*shape, 4, 4, generator=draw, dtype=torch.float64)
        results = []
        for function in (own, lambda x, w, b, theirs=theirs: theirs(x, w, b, 2, 1)):
            a, w = x.clone().requires_grad_(), weight.clone().requires_grad_()
            y = function(a, w, more)
            (y * y.detach().sin()).sum().backward()
            results.append((y.detach(), a.grad, w.grad))
        for ours, right in zip(*results, strict=True):
            assert ours.shape == right.shape
            assert torch.allclose(ours, right, rtol=1e-10, atol=1e-10)


def test_only_small_maps_of_the_right_kind_are_taken(monkeypatch):
    taken = []
    for function in (torch.conv2d, torch.conv_transpose2d):
        from p2plib.training import speed

        own = speed.OWN[function]
        monkeypatch.setitem(speed.OWN, function, lambda *a, own=own: (taken.append(tuple(a[0].shape)), own(*a))[1])
    side = int(SMALL**0.5)
    cases = {
        nn.Conv2d(2, 3, 4, 2, 1): [(1, 2, 2 * side, 2 * side), (4, 2, side, side)],
        nn.ConvTranspose2d(2, 3, 4, 2, 1): [(1, 2, side, side), (4, 2, side // 2, side // 2)],
        nn.Conv2d(2, 3, 4, 1, 1): [],
        nn.Conv2d(2, 3, 3, 2, 1): [],
        nn.Conv2d(2, 2, 4, 2, 1, groups=2): [],
        nn.ConvTranspose2d(2, 3, 4, 2, 1, output_padding=1): [],
    }
    for layer, small in cases.items():
        shapes = [*small, (1, 2, 4 * side, 4 * side), (5, 2, 2 * side, 2 * side), (1, 2, 7, 9)]
        for shape in shapes:
            taken.clear()
            x = torch.randn(shape)
            right = layer(x)
            with SmallMapsAsProducts():
                ours = layer(x)
            assert torch.allclose(ours, right, atol=1e-5)
            is_up = isinstance(layer, nn.ConvTranspose2d) and layer.output_padding == (0, 0)
            assert taken == ([shape] if shape in small or (is_up and shape[2:] == (7, 9)) else [])


def test_a_step_in_bf16_is_the_same_step_with_and_without_products(monkeypatch):
    outputs = []
    for products in (True, False):
        torch.manual_seed(0)
        net = UNetGenerator(base=4, depth=5, reference="pytorch")
        made = Trainer(
            configure("synthetic-maps", "laptop", size=32, base=4, precision="bf16", device="cpu", limit=4),
            generator=net,
        )
        assert made._products
        made._products = products
        input, target = made.held_out([0, 1])
        losses = made.step(input, target)
        outputs.append((losses, [p.detach().clone() for p in made.generator.parameters()]))
    (losses, weights), (right_losses, right_weights) = outputs
    assert torch.allclose(losses, right_losses, rtol=2e-2)
    moved = torch.cat([(a - b).flatten() for a, b in zip(weights, right_weights, strict=True)]).abs()
    assert moved.max() <= 2.1e-3  # Adam's first step is the rate, up or down
    assert (moved > 1e-4).float().mean() < 0.02  # and hardly a sign differs


def test_each_means_can_be_left_out(monkeypatch):
    settings = dict(size=32, base=4, precision="bf16", device="cpu", limit=4)
    assert Trainer(configure("synthetic-maps", "laptop", **settings))._products
    monkeypatch.setenv("P2PLIB_WITHOUT", "memory,products")
    assert not Trainer(configure("synthetic-maps", "laptop", **settings))._products


def test_float32_is_left_as_it_is():
    made = Trainer(configure("synthetic-maps", "laptop", size=32, base=4, precision="f32", device="cpu", limit=4))
    assert not made._products


def test_memory_is_kept_or_it_says_not():
    assert keep_freed_memory() in (True, False)
    blocks = [torch.ones(2**24) for _ in range(3)]  # 64 MiB each
    assert float(sum(block.sum() for block in blocks)) == 3 * 2**24


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
@pytest.mark.parametrize("precision", ["bf16", "f16", "f32"])
def test_a_gpu_trains_in_each_precision(precision):
    made = Trainer(configure("synthetic-maps", "laptop", device="cuda", precision=precision, images=200, limit=100))
    assert made.fit(progress=False).finished
    assert made.held_out_l1 is not None
    assert made.held_out_l1 < 1
