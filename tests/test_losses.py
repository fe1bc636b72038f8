"""The objectives: values, gradients, and who is cut off from whom."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from p2plib.errors import UserError
from p2plib.losses import GANLoss, Objective


@pytest.fixture
def scene():
    """A small asymmetric world in float64: D, G, input, target and output."""
    torch.manual_seed(3)
    generator = nn.Conv2d(2, 3, 3, padding=1).double()
    x, y = torch.randn(2, 2, 5, 7, dtype=torch.float64), torch.randn(2, 3, 5, 7, dtype=torch.float64)
    return generator, x, y, generator(x)


@pytest.mark.parametrize(
    ("given", "name", "adversarial", "conditional", "pixel"),
    [
        ("L1", "L1", False, False, "L1"),
        ("l2", "L2", False, False, "L2"),
        ("GAN", "GAN", True, False, None),
        ("cgan", "cGAN", True, True, None),
        ("L1 + GAN", "L1+GAN", True, False, "L1"),
        ("L1+cGAN", "L1+cGAN", True, True, "L1"),
        ("cGAN+L1", "L1+cGAN", True, True, "L1"),
    ],
)
def test_names(given, name, adversarial, conditional, pixel):
    objective = Objective(given)
    assert (objective.name, objective.adversarial, objective.conditional, objective.pixel) == (
        name, adversarial, conditional, pixel,
    )  # fmt: skip
    assert objective.discriminator_channels(2, 3) == (5 if conditional else 3)
    assert objective.lambda_l1 == 100


@pytest.mark.parametrize("bad", [("LSGAN", 100), ("", 100), ("L1+cGAN", -1), ("L1", math.nan), ("L1", math.inf)])
def test_bad_objectives(bad):
    with pytest.raises(UserError):
        Objective(*bad)


def test_gan_loss_is_cross_entropy_of_logits():
    logits = torch.tensor([[-2.0, 0.0, 3.0]])
    assert GANLoss()(logits, True).item() == pytest.approx(-torch.sigmoid(logits).log().mean().item(), rel=1e-6)
    assert GANLoss()(logits, False).item() == pytest.approx(-(1 - torch.sigmoid(logits)).log().mean().item(), rel=1e-6)
    extreme = torch.tensor([200.0], requires_grad=True)
    loss = GANLoss()(extreme, False)
    loss.backward()
    assert loss.item() == 200  # log(1 − sigmoid(200)) computed apart would be −inf
    assert extreme.grad.item() == 1


def test_discriminator_loss_is_halved_and_leaves_the_generator_alone(scene):
    generator, x, y, output = scene
    d = nn.Conv2d(5, 1, 3).double()
    loss = Objective("cGAN").discriminator_loss(d, x, y, output)
    real, fake = d(torch.cat([x, y], 1)).float(), d(torch.cat([x, output], 1)).float()
    expected = (F.softplus(-real).mean() + F.softplus(fake).mean()) / 2
    assert loss.item() == pytest.approx(expected.item(), rel=1e-6)
    loss.backward()
    assert d.weight.grad.abs().sum() > 0
    assert generator.weight.grad is None


def test_real_and_fake_pass_apart(scene):
    _, x, y, output = scene
    sizes = []

    def d(pair):
        sizes.append(len(pair))
        return pair.mean((1, 2, 3))

    Objective("cGAN").discriminator_loss(d, x, y, output)
    assert sizes == [2, 2]


@pytest.mark.parametrize("name", ["GAN", "cGAN"])
def test_only_the_conditional_discriminator_sees_the_input(scene, name):
    _, x, y, output = scene
    seen = []
    Objective(name).discriminator_loss(lambda p: seen.append(p) or p.mean((1, 2, 3)), x, y, output)
    for looked_at, picture in zip(seen, (y, output), strict=True):
        expected = torch.cat([x, picture], 1) if name == "cGAN" else picture
        assert torch.equal(looked_at, expected)


def test_generator_loss_maximises_log_d_and_reaches_the_generator(scene):
    generator, x, y, output = scene
    d = nn.Conv2d(5, 1, 3).double()
    parts = Objective("L1+cGAN", 10).generator_loss(d, x, y, output)
    logits = d(torch.cat([x, output], 1)).float()
    assert parts["gan"].item() == pytest.approx(-torch.sigmoid(logits).log().mean().item(), rel=1e-6)
    assert parts["pixel"].item() == pytest.approx((output - y).abs().mean().item(), rel=1e-6)
    assert parts["total"].item() == pytest.approx((parts["gan"] + 10 * parts["pixel"]).item(), rel=1e-6)
    parts["total"].backward()
    assert generator.weight.grad.abs().sum() > 0


@pytest.mark.parametrize(("name", "power"), [("L1", 1), ("L2", 2)])
def test_pixel_objectives_need_no_discriminator(scene, name, power):
    _, x, y, output = scene
    parts = Objective(name, 7).generator_loss(None, x, y, output)
    assert set(parts) == {"total", "pixel"}
    assert parts["total"].item() == pytest.approx(7 * (output - y).abs().pow(power).mean().item(), rel=1e-6)


def test_an_adversarial_objective_without_discriminator_says_so(scene):
    _, x, y, output = scene
    with pytest.raises(UserError, match="discriminator"):
        Objective("GAN").generator_loss(None, x, y, output)
