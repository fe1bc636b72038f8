"""The losses of D and G: the checks' references against the library's, what is noted, and the four graphs measured."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from p2plib.checks import g_loss, registry, shown
from p2plib.checks.ch04_adversary import GRAPHS
from p2plib.checks.engine import judge
from p2plib.checks.outcome import Status
from p2plib.checks.trial import Trial
from p2plib.checks.witness import HELD, alike, look, matters, prepare, scene
from p2plib.losses import Objective
from p2plib.models import PatchDiscriminator, UNetGenerator


@pytest.fixture
def trial():
    return Trial(registry.find("4.1"), (None,), seed=3)


def ours(id):
    (part,) = registry.find(id).parts
    return part.ours


# --- the references ----------------------------------------------------------------------------------


def networks_and_pictures():
    torch.manual_seed(0)
    input, target, output = torch.randn(2, 3, 32, 32), torch.randn(2, 2, 32, 32), torch.randn(2, 2, 32, 32)
    return PatchDiscriminator(5, base=4), input, target, output


def test_the_references_are_the_librarys_objective():
    of = networks_and_pictures()
    for lambda_l1 in (100.0, 0.0, 3.5):
        expected = Objective("L1+cGAN", lambda_l1).generator_loss(*of)["total"]
        assert torch.equal(ours("4.2")(*of, lambda_l1), expected)
    assert torch.equal(ours("4.2")(*of), Objective().generator_loss(*of)["total"])
    assert torch.equal(ours("4.1")(*of), Objective("cGAN").discriminator_loss(*of))
    assert torch.equal(ours("4.3")(of[1], of[2], True), torch.cat([of[1], of[2]], dim=1))
    assert torch.equal(ours("4.3")(of[1], of[2], False), of[2])


# --- the witness -------------------------------------------------------------------------------------


def test_the_discriminator_takes_any_channels_and_notes_its_passes(trial):
    seen = prepare(scene(trial, (3, 2), 2))
    discriminator, input, _target, output = seen.arguments
    assert discriminator(input).shape == discriminator(torch.cat([input, output], 1)).shape
    with torch.no_grad():
        discriminator.eval()(output.detach())
    assert [c.shown.shape[1] for c in seen.calls] == [3, 5, 2]
    assert [(c.joined, c.recorded, c.training) for c in seen.calls] == [
        (False, True, True),
        (True, True, True),
        (False, False, False),
    ]
    assert all((p.grad == HELD).all() for p in discriminator.parameters())


def test_each_call_is_given_a_copy(trial):
    s = scene(trial, (3, 3), 2)
    first = prepare(s)
    with torch.no_grad():
        for p in first.discriminator.parameters():
            p.zero_()
    assert all(p.any() for p in s.discriminator.norm.parameters() if p is s.discriminator.norm.weight)
    assert s.discriminator.weight.any()
    assert not s.discriminator.calls
    assert prepare(s).discriminator.calls == []


def test_batch_norm_makes_one_batch_of_both_another_loss(trial):
    s = scene(trial, (3, 3), 2)

    def fused(discriminator, input, target, output):
        pairs = torch.cat([torch.cat([input, p], 1) for p in (target, output.detach())])
        real, made = discriminator(pairs).chunk(2)
        return (F.softplus(-real).mean() + F.softplus(made).mean()) / 2

    seen = look(s, fused)
    assert not alike(seen, look(s, ours("4.1")))
    assert shown.names(s, seen) == ["[input, target] and [input, output] in one batch"]


def test_a_pass_that_the_loss_does_not_use_does_not_matter(trial):
    s = scene(trial, (3, 2), 2)

    def idle(discriminator, input, target, output):
        discriminator(torch.cat([input, target], 1))
        return discriminator(torch.cat([input, output], 1)).mean()

    seen = look(s, idle)
    assert [matters(seen, call) for call in seen.calls] == [False, True]
    assert shown.names(s, seen) == [shown.REAL, shown.MADE]


def test_every_stack_has_a_name_of_its_own(trial):
    s = scene(trial, (2, 2), 3)
    stacks = list(shown._stacks(s))
    assert len({name for name, _, _ in stacks}) == len(stacks)
    for name, x, question in stacks:
        alone = [other for other, y, _ in stacks if y.shape == x.shape and torch.equal(x, y)]
        assert alone == [name]
        assert question or name in (shown.REAL, shown.MADE)


# --- messages ----------------------------------------------------------------------------------------


def test_a_wrong_stack_is_told_with_the_learners_line():
    def along_the_batch(discriminator, input, target, output, lambda_l1=100.0):
        pair = torch.cat([output, input], dim=0)
        return discriminator(pair).mean()

    outcome = judge("4.2", along_the_batch, seed=1)
    assert outcome.status is Status.CRASHED
    assert outcome.cause == shown.STACKED
    assert outcome.line is not None
    assert outcome.line[1] == "pair = torch.cat([output, input], dim=0)"


def test_a_second_pass_is_right_and_gets_advice():
    def twice(discriminator, input, target, output, lambda_l1=100.0):
        discriminator(torch.cat([input, output], dim=1))
        return g_loss.generator_loss(discriminator, input, target, output, lambda_l1)

    outcome = judge("4.2", twice, seed=1)
    assert outcome.status is Status.PASSED
    assert any("2 passes where 1 would do" in note for note in outcome.notes)
    assert judge("4.2", g_loss.generator_loss, seed=1).notes == ()


def test_a_loss_that_overflows_is_right_and_gets_advice():
    def naive(discriminator, input, target, output, lambda_l1=100.0):
        d = torch.sigmoid(discriminator(torch.cat([input, output], dim=1)))
        return -d.log().mean() + lambda_l1 * (output - target).abs().mean()

    for seed in range(3):
        outcome = judge("4.2", naive, seed=seed)
        assert outcome.status is Status.PASSED
        assert any("far from 0" in note for note in outcome.notes)


def test_causes_that_ask_for_equal_channels_are_found_after_the_crash():
    for mistake in g_loss.UNEVEN:
        for like in mistake.like:
            outcome = judge("4.2", like, seed=2)
            assert outcome.status is Status.CRASHED
            assert outcome.cause == mistake.cause


def test_autograd_switched_off_before_does_not_matter():
    with torch.no_grad():
        for id in ("4.1", "4.2", "4.3"):
            assert judge(id, ours(id), seed=1).status is Status.PASSED


# --- the four graphs ---------------------------------------------------------------------------------


def measured(graph):
    """Is there a gradient in the generator's parameters, in D's, and do D's ask for one afterwards?"""
    torch.manual_seed(0)
    generator, discriminator = UNetGenerator(3, 2, base=4, depth=3), PatchDiscriminator(5, base=4)
    assert graph(generator, discriminator, torch.randn(2, 3, 32, 32), torch.randn(2, 2, 32, 32)) is None
    reached = [
        [p.grad is not None and bool(p.grad.any()) for p in net.parameters()] for net in (generator, discriminator)
    ]
    for net in reached:
        assert all(net) or not any(net)
    return any(reached[0]), any(reached[1]), all(p.requires_grad for p in discriminator.parameters())


def test_only_c_lets_the_discriminators_loss_reach_the_generator():
    found = {letter: measured(graph) for letter, graph in zip("abcd", GRAPHS, strict=True)}
    assert found == {
        "a": (False, True, True),
        "b": (False, True, True),
        "c": (True, True, True),  # D's loss: the leak
        "d": (True, False, True),  # G's loss, through a D that is left as it is
    }


def test_the_graphs_run_with_any_networks():
    for graph in GRAPHS:
        graph(nn.Conv2d(1, 2, 1), nn.Conv2d(3, 1, 2), torch.randn(1, 1, 4, 6), torch.randn(1, 2, 4, 6))
