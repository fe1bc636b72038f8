"""Parts that a learner wrote, in the library's Trainer: the same losses from the same weights."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from p2plib.data.catalogue import open_source
from p2plib.errors import UserError
from p2plib.losses import Objective, OwnObjective
from p2plib.models import PatchDiscriminator, UNetGenerator, copy_weights
from p2plib.training import Trainer, configure

SIZE, BASE, DEPTH = 64, 8, 6


# --- as a learner might write them: other names, another order, recursion in place of lists --------------


class Level(nn.Module):
    """A step down, what lies below it, and the step up again."""

    def __init__(self, outside, inside, made, below=None, first=False, drop=False):
        super().__init__()
        last_norm = [] if first else [nn.BatchNorm2d(made)]
        doubled = inside if below is None else 2 * inside
        self.rise = nn.Sequential(
            nn.ReLU(),
            nn.ConvTranspose2d(doubled, made, 4, 2, 1, bias=first),
            *last_norm,
            *([nn.Dropout(0.5)] if drop else []),
        )
        self.below = below
        norm = [] if first or below is None else [nn.BatchNorm2d(inside)]
        act = [] if first else [nn.LeakyReLU(0.2)]
        self.sink = nn.Sequential(*act, nn.Conv2d(outside, inside, 4, 2, 1, bias=False), *norm)

    def forward(self, x):
        seen = self.sink(x)
        if self.below is None:
            return self.rise(seen)
        return self.rise(torch.cat([self.below(seen), seen], dim=1))


class MyNet(nn.Module):
    """The U-Net, one level inside of the other."""

    def __init__(self, in_channels=3, out_channels=3, base=64, depth=8):
        super().__init__()
        width = [in_channels] + [base * min(2**i, 8) for i in range(depth)]
        level = None
        for i in reversed(range(depth)):
            made = out_channels if i == 0 else width[i]
            level = Level(width[i], width[i + 1], made, level, first=i == 0, drop=depth - 4 < i)
        self.outermost = level

    def forward(self, x):
        return torch.tanh(self.outermost(x))


class MyJudge(nn.Module):
    """The 70-px discriminator."""

    def __init__(self, in_channels=6, base=64):
        super().__init__()
        self.logit = nn.Conv2d(8 * base, 1, 4, 1, 1)
        self.start = nn.Conv2d(in_channels, base, 4, 2, 1)
        self.convs = nn.ModuleList(
            nn.Conv2d(base * 2**i, base * 2 ** (i + 1), 4, 1 if i == 2 else 2, 1, bias=False) for i in range(3)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(base * 2 ** (i + 1)) for i in range(3))

    def forward(self, x):
        x = F.leaky_relu(self.start(x), 0.2)
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = F.leaky_relu(norm(conv(x)), 0.2)
        return self.logit(x)


def my_d_loss(discriminator, input, target, output):
    bce = nn.BCEWithLogitsLoss()
    real = discriminator(torch.cat([input, target], dim=1))
    made = discriminator(torch.cat([input, output.detach()], dim=1))
    return 0.5 * (bce(real, torch.ones_like(real)) + bce(made, torch.zeros_like(made)))


def my_g_loss(D, x, y, fake, lambda_l1=100.0):
    logits = D(torch.cat([x, fake], dim=1))
    return nn.BCEWithLogitsLoss()(logits, torch.ones_like(logits)) + lambda_l1 * (fake - y).abs().mean()


# --- the tests ------------------------------------------------------------------------------------------


@pytest.fixture
def config():
    return configure(
        "synthetic-maps", "laptop", size=SIZE, base=BASE, depth=DEPTH, patch=70, batch=4, images=400, limit=40,
        device="cpu", precision="f32",
    )  # fmt: skip


def ten_losses(trainer):
    """D's loss and both parts of the generator's, in ten steps on the same pairs with the same noise."""
    torch.manual_seed(5)
    pairs = open_source("synthetic-maps", SIZE, SIZE, limit=40).train
    rows = []
    for step in range(10):
        input, target = (p.float() / 127.5 - 1 for p in pairs.batch(range(4 * step, 4 * step + 4)))
        rows.append(trainer.step(input, target).tolist())
    return rows


def test_own_parts_give_the_first_ten_losses_of_the_library(config):
    net, judge = UNetGenerator(3, 3, BASE, DEPTH), PatchDiscriminator(6, BASE, 70)
    own_net, own_judge = MyNet(3, 3, base=BASE, depth=DEPTH), MyJudge(6, base=BASE)
    copy_weights(net, own_net, torch.zeros(1, 3, SIZE, SIZE))
    copy_weights(judge, own_judge, torch.zeros(1, 6, SIZE, SIZE))
    theirs = ten_losses(Trainer(config, generator=net, discriminator=judge))
    own = Trainer(config, generator=own_net, discriminator=own_judge, objective=OwnObjective(my_d_loss, my_g_loss))
    for mine, expected in zip(ten_losses(own), theirs, strict=True):
        assert mine == pytest.approx(expected, rel=1e-5)
    assert theirs[0] != pytest.approx(theirs[9], rel=1e-2)


def test_a_run_of_own_parts(config):
    own = OwnObjective(my_d_loss, my_g_loss)
    made = Trainer(config, generator=MyNet(base=BASE, depth=DEPTH), discriminator=MyJudge(6, BASE), objective=own).fit(
        progress=False, turns=1
    )
    row = made.rows[-1]
    assert all(math.isfinite(row[name]) for name in ("loss_d", "loss_gan", "loss_pixel", "d_accuracy", "held_out_l1"))


def networks_and_pictures():
    torch.manual_seed(0)
    input, target, output = torch.randn(2, 3, 32, 32), torch.randn(2, 3, 32, 32), torch.randn(2, 3, 32, 32)
    return PatchDiscriminator(6, base=4), input, target, output.requires_grad_()


def test_the_parts_are_those_of_the_objective():
    of = networks_and_pictures()
    for lambda_l1 in (100.0, 0.0, 3.5):
        own, theirs = OwnObjective(my_d_loss, my_g_loss, lambda_l1), Objective("L1+cGAN", lambda_l1)
        parts, expected = own.generator_loss(*of), theirs.generator_loss(*of)
        assert parts.keys() == expected.keys()
        for name in parts:
            assert parts[name].item() == pytest.approx(expected[name].item(), abs=1e-4)
        assert parts["total"].requires_grad
        assert not parts["gan"].requires_grad
        assert own.discriminator_loss(*of).item() == pytest.approx(theirs.discriminator_loss(*of).item())


def test_it_is_an_objective_with_its_own_lambda():
    own = OwnObjective(my_d_loss, my_g_loss, 10)
    assert (own.adversarial, own.conditional, own.pixel, own.lambda_l1) == (True, True, "L1", 10)
    assert own.discriminator_channels() == 6
    with pytest.raises(UserError, match="λ"):
        OwnObjective(my_d_loss, my_g_loss, -1)
