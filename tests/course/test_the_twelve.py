"""Twelve generator losses and four heads of D, of which a widely used test accepts five and three wrong ones.

The twelve are steps of exercise 6.2, the heads discriminators of 5.3.  Eleven of the twelve are wrong and are told what
they are; the second pass of the generator is right on average, and passes with advice.
"""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from p2plib.checks.engine import judge
from p2plib.checks.outcome import Status

# --- the twelve: (generator, discriminator, input, target, lambda) → loss --------------------------------


def bce(logits, answer=1.0):
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, answer))


def pair(a, b):
    return torch.cat([a, b], dim=1)


def pixel(fake, y):
    return (fake - y).abs().mean()


def right(G, D, x, y, lam):
    fake = G(x)
    return bce(D(pair(x, fake))) + lam * pixel(fake, y)


def swapped(G, D, x, y, lam):
    fake = G(x)
    return bce(D(pair(fake, x))) + lam * pixel(fake, y)


def no_condition(G, D, x, y, lam):
    fake = G(x)
    return bce(D(fake)) + lam * pixel(fake, y)


def detached(G, D, x, y, lam):
    fake = G(x)
    return bce(D(pair(x, fake.detach()))) + lam * pixel(fake, y)


def under_no_grad(G, D, x, y, lam):
    with torch.no_grad():
        fake = G(x)
    return bce(D(pair(x, fake))) + lam * pixel(fake, y)


def second_pass(G, D, x, y, lam):
    return bce(D(pair(x, G(x)))) + lam * pixel(G(x), y)


def labels_zero(G, D, x, y, lam):
    fake = G(x)
    return bce(D(pair(x, fake)), 0.0) + lam * pixel(fake, y)


def lambda_on_d(G, D, x, y, lam):
    fake = G(x)
    return lam * bce(D(pair(x, fake))) + pixel(fake, y)


def no_lambda(G, D, x, y, lam):
    fake = G(x)
    return bce(D(pair(x, fake))) + pixel(fake, y)


def no_l1(G, D, x, y, lam):
    return bce(D(pair(x, G(x))))


def no_adversary(G, D, x, y, lam):
    return lam * pixel(G(x), y)


def against_the_condition(G, D, x, y, lam):
    fake = G(x)
    return bce(D(pair(x, fake))) + lam * pixel(fake, x)


def no_sign(G, D, x, y, lam):
    fake = G(x)
    return bce(D(pair(x, fake))) + lam * (fake - y).mean()


#: What is wrong, the loss, and words of the cause that is named.
ELEVEN = (
    ("D's arguments are swapped", swapped, "Which of the two comes first along the channels"),
    ("D never sees the condition", no_condition, "D sees the picture without the input"),
    ("the fake is detached", detached, "D judged a picture that is cut off from the generator"),
    ("the generator is under no_grad", under_no_grad, "The generator drew under `torch.no_grad()`"),
    ("the labels are zero", labels_zero, "would learn to be found out"),
    ("λ stands on the adversarial term", lambda_on_d, "λ weighs D's term"),
    ("there is no λ", no_lambda, "L1 has no weight"),
    ("L1 is left out", no_l1, "L1 adds nothing to the loss"),
    ("the adversarial term is left out", no_adversary, "Where does `discriminator` come in"),
    ("L1 is taken against the condition", against_the_condition, "L1 compares the output with the input"),
    ("the mean of differences, without abs", no_sign, "Is `abs` missing"),
)


def step_on(loss_of):
    """Exercise 6.2 with this loss, and nothing else wrong."""

    def generator_step(generator, discriminator, optimizer, input, target, lambda_l1=100.0):
        loss = loss_of(generator, discriminator, input, target, lambda_l1)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.detach()

    return generator_step


@pytest.mark.parametrize(("loss_of", "cause"), [row[1:] for row in ELEVEN], ids=[row[0] for row in ELEVEN])
def test_eleven_are_rejected_by_name(loss_of, cause):
    for seed in range(4):
        outcome = judge("6.2", step_on(loss_of), seed=seed)
        assert outcome.status in (Status.WRONG, Status.CRASHED)
        assert cause in outcome.cause


def test_the_twelfth_passes_with_advice():
    for seed in range(4):
        outcome = judge("6.2", step_on(second_pass), seed=seed)
        assert outcome.status is Status.PASSED
        (advice,) = outcome.notes
        assert "The generator draws twice" in advice


def test_the_right_one_passes_without():
    for seed in range(4):
        outcome = judge("6.2", step_on(right), seed=seed)
        assert (outcome.status, outcome.notes) == (Status.PASSED, ())


# --- the heads of D ----------------------------------------------------------------------------------------


class Judge(nn.Module):
    """The 70-px discriminator, and ways to spoil it."""

    def __init__(self, in_channels=6, base=64, end=None, seen=None, kernel=4):
        super().__init__()
        layers, width = [], in_channels - (seen or 0)
        for i, stride in enumerate((2, 2, 2, 1)):
            layers.append(nn.Conv2d(width, base * 2**i, kernel, stride, 1, bias=i == 0))
            layers += [nn.BatchNorm2d(base * 2**i)] * (i > 0) + [nn.LeakyReLU(0.2)]
            width = base * 2**i
        self.layers = nn.Sequential(*layers, nn.Conv2d(width, 1, kernel, 1, 1), *([end] if end else []))
        self.unseen = seen or 0

    def forward(self, x):
        return self.layers(x[:, self.unseen :])


def judged_with(**spoilt):
    return lambda in_channels=6, base=64: Judge(in_channels, base, **spoilt)


def without_a_layer(in_channels=6, base=64):
    """One convolution of stride 2 less: a field of 34 px."""
    net = Judge(in_channels, base)
    layers = list(net.layers)
    layers[5:8] = []  # the third convolution with its norm and activation
    layers[5] = nn.Conv2d(2 * base, 8 * base, 4, 1, 1, bias=False)
    net.layers = nn.Sequential(*layers)
    return net


HEADS = (
    ("a sigmoid head", judged_with(end=nn.Sigmoid()), "There is a sigmoid at the end"),
    ("a ReLU head", judged_with(end=nn.ReLU()), "There is a ReLU at the end"),
    ("the condition is ignored", judged_with(seen=2), "The pair is the input and, after it, the picture"),
    ("a wrong field, 34 px", without_a_layer, "which is too many or missing"),
)


@pytest.mark.parametrize(("net", "cause"), [row[1:] for row in HEADS], ids=[row[0] for row in HEADS])
def test_wrong_discriminators_are_rejected_by_name(net, cause):
    for seed in range(3):
        outcome = judge("5.3", net, seed=seed)
        assert outcome.status in (Status.WRONG, Status.CRASHED)
        assert cause in (outcome.cause or ""), outcome


def test_the_right_discriminator_passes():
    assert judge("5.3", Judge, seed=1).status is Status.PASSED
