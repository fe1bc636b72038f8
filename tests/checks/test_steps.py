"""The training steps: the checks' references, what is noted of a step, advice, and forms that a step may take."""

from __future__ import annotations

import copy
import random

import pytest
import torch
from torch import nn

from p2plib.checks import at_test, d_loss, d_step, g_loss, g_step, registry, schedule, step_faults
from p2plib.checks.engine import judge
from p2plib.checks.outcome import Status
from p2plib.checks.step_replay import all_near, grads, held, pairings, stepped, value_and_slopes
from p2plib.checks.step_witness import prepare, step_scene
from p2plib.checks.trial import Trial
from p2plib.checks.witness import near
from p2plib.losses import Objective
from p2plib.models import PatchDiscriminator, UNetGenerator
from p2plib.training import configure
from p2plib.training.translate import translate


@pytest.fixture
def trial():
    return Trial(registry.find("6.1"), (None,), seed=3)


def ours(id):
    (part,) = registry.find(id).parts
    return part.ours


# --- the references ----------------------------------------------------------------------------------


def test_our_steps_are_the_trainers():
    torch.manual_seed(0)
    input, target = torch.randn(2, 3, 32, 32), torch.randn(2, 3, 32, 32)
    nets = UNetGenerator(3, 3, base=4, depth=5), PatchDiscriminator(6, base=4)
    one, two = copy.deepcopy(nets), copy.deepcopy(nets)
    for net in one:
        net.train()
    adam = [torch.optim.Adam(net.parameters(), lr=2e-4, betas=(0.5, 0.999)) for net in one]
    torch.manual_seed(1)
    came_d = d_step.discriminator_step(*one, adam[1], input, target)
    torch.manual_seed(2)
    came_g = g_step.generator_step(*one, adam[0], input, target, 10.0)
    objective = Objective("L1+cGAN", 10.0)
    adam = [torch.optim.Adam(net.parameters(), lr=2e-4, betas=(0.5, 0.999)) for net in two]
    torch.manual_seed(1)
    loss = objective.discriminator_loss(two[1], input, target, two[0](input))
    loss.backward()
    adam[1].step()
    assert torch.equal(came_d, loss.detach())
    torch.manual_seed(2)
    two[0].zero_grad()
    loss = objective.generator_loss(two[1], input, target, two[0](input))["total"]
    loss.backward()
    adam[0].step()
    assert torch.equal(came_g, loss.detach())
    for a, b in zip(one, two, strict=True):
        assert all(torch.equal(p, q) for p, q in zip(a.parameters(), b.parameters(), strict=True))


def test_the_rate_is_that_of_a_run():
    config = configure("synthetic-maps", "laptop", learning_rate=3e-4, device="cpu")
    for steps in (1, 2, 7, 10, 401):
        for step in range(steps):
            assert schedule.learning_rate_at(step, steps, 3e-4) == config.learning_rate_at(step, steps)
    assert schedule.learning_rate_at(0, 1) == 2e-4
    assert ours("6.3") is translate


# --- the witness -------------------------------------------------------------------------------------


@pytest.mark.parametrize("adam", [False, True])
@pytest.mark.parametrize(("learns", "step"), [("discriminator", d_step), ("generator", g_step)])
def test_a_right_step_is_foretold(trial, learns, step, adam):
    s = step_scene(trial, learns, (3, 2), 2, adam=adam)
    seen = prepare(s)
    seen.value = (d_step.discriminator_step if step is d_step else g_step.generator_step)(*seen.arguments)
    (drawing,) = seen.drawings
    value, slopes = value_and_slopes(s, drawing, step.TASK.loss.ours)
    assert near(seen.value, value)
    assert all_near(seen.steps[0].slopes, slopes)
    assert not all_near(seen.steps[0].slopes, tuple(1.01 * slope for slope in slopes))
    for came, expected in zip(seen.learner().parameters(), stepped(s, slopes), strict=True):
        assert torch.allclose(came, expected, atol=1e-5)
    assert [kind for kind in seen.kinds() if kind != "judged"] == ["emptied", *["back"] * len(seen.calls), "step"]
    assert held(grads(seen.generator if learns == "discriminator" else prepare(s).generator))


def test_each_call_is_given_networks_of_its_own(trial):
    s = step_scene(trial, "generator", (3, 3), 2)
    seen = prepare(s)
    copied = copy.deepcopy(seen.generator)
    copied(s.pictures.input)
    assert len(seen.drawings) == 1  # a copy writes into the same notes
    assert not prepare(s).drawings
    assert not s.generator.drawings
    assert not s.pictures.discriminator.calls


def test_two_noises_make_two_outputs(trial):
    s = step_scene(trial, "generator", (3, 3), 2)
    seen = prepare(s)
    first, second = seen.generator(s.pictures.input), seen.generator(s.pictures.input)
    assert not torch.allclose(first, second)
    assert [(a is b) for a, b in pairings(seen.drawings)] == [True, True, False, False]


def test_gradients_are_near_only_where_they_are():
    a = torch.ones(3)
    assert all_near((a, None), (a, torch.zeros(2)))
    assert all_near((None, None), (None, torch.zeros(2)))
    assert not all_near((a, None), (a, a))
    assert not all_near((None,), (a,))


# --- known mistakes of the losses, as steps ----------------------------------------------------------


def as_step(task, like):
    """A step on this form of a loss."""

    def step(generator, discriminator, optimizer, input, target, *more):
        output = generator(input)
        output = output.detach() if task is d_step.TASK else output
        loss = like(discriminator, input, target, output, *more)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step


def forms():
    for id, task, mistakes in (("6.1", d_step.TASK, d_loss.MISTAKES), ("6.2", g_step.TASK, g_loss.MISTAKES)):
        yield from ((id, task, m.cause, like) for m in mistakes for like in m.like)
    yield from (("6.2", g_step.TASK, m.cause, like) for m in g_loss.UNEVEN for like in m.like)


@pytest.mark.parametrize(("id", "task", "cause", "like"), list(forms()))
def test_mistakes_of_a_loss_are_told_in_its_step(id, task, cause, like, seeds):
    for seed in seeds(id, cause):
        outcome = judge(id, as_step(task, like), seed=seed)
        assert outcome.status in (Status.WRONG, Status.CRASHED)
        if "scalar outputs" in outcome.message:
            cause = step_faults.CRASHES["grad can be implicitly created only for scalar outputs"]
        assert outcome.cause == cause, outcome


# --- advice ------------------------------------------------------------------------------------------


def twelfth(generator, discriminator, optimizer, input, target, lambda_l1=100.0):
    gan = g_loss.generator_loss(discriminator, input, target, generator(input), 0.0)
    loss = gan + lambda_l1 * (generator(input) - target).abs().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss


def test_a_second_pass_and_a_kept_graph_get_advice():
    outcome = judge("6.2", twelfth, seed=1)
    assert outcome.status is Status.PASSED
    assert [note[:22] for note in outcome.notes] == ["The loss that is retur", "The generator draws tw"]
    for id in ("6.1", "6.2", "6.3", "6.4"):
        assert judge(id, ours(id), seed=1).notes == ()


def test_a_loss_that_overflows_gets_advice():
    def naive(discriminator, input, target, output):
        real, made = (torch.sigmoid(discriminator(torch.cat([input, p], 1))) for p in (target, output.detach()))
        return -(real.log().mean() + (1 - made).log().mean()) / 2

    outcome = judge("6.1", as_step(d_step.TASK, naive), seed=1)
    assert outcome.status is Status.PASSED
    assert any("far from 0" in note for note in outcome.notes)


def test_a_second_look_of_d_gets_advice():
    def twice(discriminator, input, target, output):
        discriminator(torch.cat([input, target], 1))
        return d_loss.discriminator_loss(discriminator, input, target, output)

    outcome = judge("6.1", as_step(d_step.TASK, twice), seed=1)
    assert outcome.status is Status.PASSED
    assert any("D makes 3 passes where 2 would do" in note for note in outcome.notes)


def test_autograd_switched_off_before_does_not_matter():
    with torch.no_grad():
        for id in ("6.1", "6.2", "6.3", "6.4"):
            assert judge(id, ours(id), seed=1).status is Status.PASSED


# --- at test time ------------------------------------------------------------------------------------


def test_the_ways_to_draw_differ(trial):
    net = at_test.WatchedGenerator(trial, (3, 2))
    x = trial.uniform(2, 3, 8, 12, dtype=torch.float32)
    with torch.no_grad():
        out = copy.deepcopy(net).train()(x)
    (mask,) = net.masks
    assert torch.allclose(out, net.replayed(x, mask, averages=False))
    ways = [net.replayed(x, m, averages) for m in (mask, None) for averages in (False, True)]
    for i, a in enumerate(ways):
        assert all(float((a - b).abs().max()) > 1e-2 for b in ways[:i])
    assert torch.allclose(net.eval()(x), ways[3], atol=1e-6)


def test_answers_in_any_order_of_noise_are_right():
    def its_own_noise(generator, input):
        random.random()
        torch.rand(7)
        return at_test_answer(generator, input)

    def at_test_answer(generator, input):
        with torch.no_grad():
            return copy.deepcopy(generator).train()(input)

    for seed in range(4):
        assert judge("6.3", its_own_noise, seed=seed).status is Status.PASSED


def test_a_frozen_part_stays_frozen():
    def thaws(generator, input):
        for p in generator.parameters():
            p.requires_grad_(True)
        return translate(generator, input)

    outcome = judge("6.3", thaws, seed=1)
    assert outcome.status is Status.WRONG
    assert "`requires_grad` of the generator's parameters" in outcome.message


def test_networks_that_an_answer_puts_together_are_told_apart():
    class Wrapped(nn.Module):
        def __init__(self, net):
            super().__init__()
            self.net = net

        def forward(self, x):
            return self.net(x)

    def wrapped(generator, input):
        with torch.no_grad():
            return copy.deepcopy(Wrapped(generator)).train()(input)

    assert judge("6.3", wrapped, seed=1).status is Status.PASSED
