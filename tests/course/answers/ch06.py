"""Right and wrong answers to the exercises of chapter 06."""

from __future__ import annotations

import copy
import math
import pickle

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from p2plib.checks.outcome import Status
from p2plib.checks.table import right, wrong


def bce(logits, label):
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


def pair(input, picture):
    return torch.cat([input, picture], dim=1)


def d_loss(discriminator, input, target, output):
    real, made = discriminator(pair(input, target)), discriminator(pair(input, output.detach()))
    return (bce(real, 1.0) + bce(made, 0.0)) / 2


def g_loss(discriminator, input, target, output, lambda_l1=100.0):
    return bce(discriminator(pair(input, output)), 1.0) + lambda_l1 * F.l1_loss(output, target)


def one_step(optimizer, loss):
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


# --- 6.1 one step of the discriminator -------------------------------------------------------------


@right("6.1")
def drawn_under_no_grad(generator, discriminator, optimizer, input, target):
    with torch.no_grad():
        output = generator(input)
    loss = d_loss(discriminator, input, target, output)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.detach()


@right("6.1")
def detached_and_a_number(G, D, optimizer, x, y):
    optimizer.zero_grad(set_to_none=False)
    loss = d_loss(D, x, y, G(x).detach())
    loss.backward()
    optimizer.step()
    return loss.item()


@right("6.1")
def emptied_before_and_after(generator, discriminator, optimizer, input, target):
    discriminator.zero_grad()
    loss = d_loss(discriminator, input, target, generator(input))
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return loss.detach()


@right("6.1")
def two_backwards(generator, discriminator, optimizer, input, target):
    output = generator(input).detach()
    optimizer.zero_grad()
    made = bce(discriminator(pair(input, output)), 0.0) / 2
    made.backward()
    real = bce(discriminator(pair(input, target)), 1.0) / 2
    real.backward()
    optimizer.step()
    return (real + made).detach()


@right("6.1")
def by_autograd(generator, discriminator, optimizer, input, target):
    loss = d_loss(discriminator, input, target, generator(input))
    parameters = list(discriminator.parameters())
    for p, slope in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
        p.grad = slope
    optimizer.step()
    return float(loss)


@right("6.1")
def by_closure(generator, discriminator, optimizer, input, target):
    output = generator(input).detach()

    def closure():
        optimizer.zero_grad()
        loss = d_loss(discriminator, input, target, output)
        loss.backward()
        return loss

    return optimizer.step(closure).detach()


@right("6.1")
def generator_switched_off(generator, discriminator, optimizer, input, target):
    generator.train().requires_grad_(False)
    discriminator.train()
    output = generator(input)
    generator.requires_grad_(True)
    loss = d_loss(discriminator, input, target, output)
    for p in discriminator.parameters():
        p.grad = None
    loss.backward()
    optimizer.step()
    return np.float32(loss.detach().numpy())


@right("6.1")
def returns_its_graph(generator, discriminator, optimizer, input, target):
    loss = d_loss(discriminator, input, target, generator(input).detach())
    one_step(optimizer, loss)
    return loss


@right("6.1")
def drawn_in_inference_mode(generator, discriminator, optimizer, input, target):
    with torch.inference_mode():
        output = generator(input)
    loss = (bce(discriminator(pair(input, target)), 1.0) + bce(discriminator(pair(input, output)), 0.0)) / 2
    one_step(optimizer, loss)
    return loss.detach()


@right("6.1")
def looks_how_right_d_is(generator, discriminator, optimizer, input, target):
    output = generator(input).detach()
    loss = d_loss(discriminator, input, target, output)
    one_step(optimizer, loss)
    with torch.no_grad():
        (discriminator(pair(input, target)) > 0).float().mean()
    return loss.detach()


@wrong("6.1", status=Status.NOT_ATTEMPTED)
def stub_d_step(generator, discriminator, optimizer, input, target):
    raise NotImplementedError


@wrong("6.1", cause="What was in `.grad` before", found="the loss that is returned is right; the gradients of the step")
def no_zero_grad(generator, discriminator, optimizer, input, target):
    loss = d_loss(discriminator, input, target, generator(input).detach())
    loss.backward()
    optimizer.step()
    return loss.detach()


@wrong("6.1", cause="emptied after the step only", found="there is more in them")
def emptied_at_the_end(generator, discriminator, optimizer, input, target):
    loss = d_loss(discriminator, input, target, generator(input).detach())
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return loss.detach()


@wrong("6.1", cause="The other network's gradients are emptied", found="there is more in them")
def empties_the_generators(generator, discriminator, optimizer, input, target):
    generator.zero_grad()
    loss = d_loss(discriminator, input, target, generator(input).detach())
    loss.backward()
    optimizer.step()
    return loss.detach()


@wrong("6.1", cause="comes between `backward()` and `step()`", found="no gradient any more")
def emptied_between(generator, discriminator, optimizer, input, target):
    loss = d_loss(discriminator, input, target, generator(input).detach())
    loss.backward()
    optimizer.zero_grad()
    optimizer.step()
    return loss.detach()


@wrong("6.1", cause="Where is `optimizer.step()`", found="D's weights are what they were: the optimizer took no step")
def no_step(generator, discriminator, optimizer, input, target):
    loss = d_loss(discriminator, input, target, generator(input).detach())
    optimizer.zero_grad()
    loss.backward()
    return loss.detach()


@wrong("6.1", cause="Where is `backward()`", found="no gradient of this loss was there")
def no_backward(generator, discriminator, optimizer, input, target):
    loss = d_loss(discriminator, input, target, generator(input).detach())
    optimizer.zero_grad()
    optimizer.step()
    return loss.detach()


@wrong("6.1", cause="Where is `backward()`", found="no gradient of this loss was there")
def only_step(generator, discriminator, optimizer, input, target):
    loss = d_loss(discriminator, input, target, generator(input).detach())
    optimizer.step()
    return loss.detach()


@wrong("6.1", cause="Where are `backward()` and", found="the optimizer took no step")
def only_the_loss(generator, discriminator, optimizer, input, target):
    return d_loss(discriminator, input, target, generator(input).detach())


@wrong("6.1", cause="`step()` comes before `backward()`", found="no gradient of this loss was there")
def step_before_backward(generator, discriminator, optimizer, input, target):
    loss = d_loss(discriminator, input, target, generator(input).detach())
    optimizer.zero_grad()
    optimizer.step()
    loss.backward()
    return loss.detach()


@wrong("6.1", cause="`step()` comes before `backward()`", found="inplace", status=Status.CRASHED)
def step_before_all(generator, discriminator, optimizer, input, target):
    loss = d_loss(discriminator, input, target, generator(input).detach())
    optimizer.step()
    loss.backward()
    optimizer.zero_grad()
    return loss.detach()


@wrong("6.1", cause="Where does the other `step()`", found="the optimizer took 2 steps; expected was one")
def two_steps(generator, discriminator, optimizer, input, target):
    loss = d_loss(discriminator, input, target, generator(input).detach())
    one_step(optimizer, loss)
    optimizer.step()
    return loss.detach()


@wrong("6.1", cause="Where does the other `step()`", found="2 steps")
def a_step_for_each(generator, discriminator, optimizer, input, target):
    output = generator(input).detach()
    real = bce(discriminator(pair(input, target)), 1.0) / 2
    one_step(optimizer, real)
    made = bce(discriminator(pair(input, output)), 0.0) / 2
    one_step(optimizer, made)
    return (real + made).detach()


@wrong("6.1", cause="by `detach()`, or drawn under `no_grad()`", found="D's step is right; a gradient is not where")
def leaking(generator, discriminator, optimizer, input, target):
    output = generator(input)
    loss = (bce(discriminator(pair(input, target)), 1.0) + bce(discriminator(pair(input, output)), 0.0)) / 2
    one_step(optimizer, loss)
    return loss.detach()


@wrong("6.1", cause="a `generator.zero_grad()`", found="D's step is right; what the generator's parameters held")
def sweeps_up(generator, discriminator, optimizer, input, target):
    loss = d_loss(discriminator, input, target, generator(input))
    one_step(optimizer, loss)
    generator.zero_grad()
    return loss.detach()


@wrong("6.1", cause="Where does `generator` come in", found="the generator was never asked")
def target_twice(generator, discriminator, optimizer, input, target):
    loss = d_loss(discriminator, input, target, target)
    one_step(optimizer, loss)
    return loss.detach()


@wrong("6.1", cause="Where does `generator` come in", found="the generator was never asked")
def input_as_output(generator, discriminator, optimizer, input, target):
    loss = d_loss(discriminator, input, target, torch.zeros_like(target))
    one_step(optimizer, loss)
    return loss.detach()


@wrong("6.1", cause="Both passes see `target`", found="D was shown [input, target]; expected was")
def output_not_used(generator, discriminator, optimizer, input, target):
    generator(input)
    loss = d_loss(discriminator, input, target, target)
    one_step(optimizer, loss)
    return loss.detach()


@wrong("6.1", cause="The generator was given `target`", found="the generator did not see `input`")
def drawn_from_the_target(generator, discriminator, optimizer, input, target):
    loss = d_loss(discriminator, input, target, generator(target).detach())
    one_step(optimizer, loss)
    return loss.detach()


@wrong("6.1", found="the generator did not see `input`: it was given a float32 tensor")
def drawn_from_both(generator, discriminator, optimizer, input, target):
    loss = d_loss(discriminator, input, target, generator(pair(input, target)).detach())
    one_step(optimizer, loss)
    return loss.detach()


@wrong("6.1", cause="a `generator.eval()`", found="the generator drew in eval mode")
def generator_in_eval(generator, discriminator, optimizer, input, target):
    generator.eval()
    loss = d_loss(discriminator, input, target, generator(input).detach())
    one_step(optimizer, loss)
    generator.train()
    return loss.detach()


@wrong("6.1", cause="a `generator.eval()`", found="the generator is left in eval mode")
def generator_left_in_eval(generator, discriminator, optimizer, input, target):
    loss = d_loss(discriminator, input, target, generator(input).detach())
    one_step(optimizer, loss)
    generator.eval()
    return loss.detach()


@wrong("6.1", cause="a `discriminator.eval()`", found="D judged in eval mode")
def d_in_eval(generator, discriminator, optimizer, input, target):
    discriminator.eval()
    loss = d_loss(discriminator, input, target, generator(input).detach())
    one_step(optimizer, loss)
    discriminator.train()
    return loss.detach()


@wrong("6.1", cause="a `discriminator.eval()`", found="D is left in eval mode")
def d_left_in_eval(generator, discriminator, optimizer, input, target):
    loss = d_loss(discriminator, input, target, generator(input).detach())
    one_step(optimizer, loss)
    discriminator.eval()
    return loss.detach()


@wrong("6.1", cause="Where is the half", found="the step is made on another loss than was asked for")
def d_not_halved(generator, discriminator, optimizer, input, target):
    loss = 2 * d_loss(discriminator, input, target, generator(input).detach())
    one_step(optimizer, loss)
    return loss.detach()


@wrong("6.1", cause="Where is the half", found="the loss that is returned is right; the gradients of the step are not")
def only_the_number_halved(generator, discriminator, optimizer, input, target):
    loss = 2 * d_loss(discriminator, input, target, generator(input).detach())
    one_step(optimizer, loss)
    return loss.detach() / 2


@wrong("6.1", cause="Where is the half", found="D's step is right; the loss that is returned is")
def only_the_step_halved(generator, discriminator, optimizer, input, target):
    loss = d_loss(discriminator, input, target, generator(input).detach())
    one_step(optimizer, loss)
    return 2 * loss.item()


@wrong("6.1", cause="Only the real pair counts", found="D's step is right; the loss that is returned is")
def returns_one_term(generator, discriminator, optimizer, input, target):
    real = bce(discriminator(pair(input, target)), 1.0)
    made = bce(discriminator(pair(input, generator(input).detach())), 0.0)
    one_step(optimizer, (real + made) / 2)
    return real.item()


@wrong("6.1", cause="Are the labels swapped")
def d_labels_swapped(generator, discriminator, optimizer, input, target):
    real = bce(discriminator(pair(input, target)), 0.0)
    made = bce(discriminator(pair(input, generator(input).detach())), 1.0)
    loss = (real + made) / 2
    one_step(optimizer, loss)
    return loss.detach()


@wrong("6.1", cause="Real and made share one batch", found="in one batch")
def one_batch(generator, discriminator, optimizer, input, target):
    output = generator(input).detach()
    real, made = discriminator(torch.cat([pair(input, target), pair(input, output)])).chunk(2)
    loss = (bce(real, 1.0) + bce(made, 0.0)) / 2
    one_step(optimizer, loss)
    return loss.detach()


@wrong("6.1", cause="Where is the condition", found="`target` alone and `output` alone")
def d_without_condition(generator, discriminator, optimizer, input, target):
    output = generator(input).detach()
    loss = (bce(discriminator(target), 1.0) + bce(discriminator(output), 0.0)) / 2
    one_step(optimizer, loss)
    return loss.detach()


@wrong("6.1", cause="Which of the two comes first", found="[target, input] and [output, input]")
def d_order_swapped(generator, discriminator, optimizer, input, target):
    output = generator(input).detach()
    loss = (bce(discriminator(pair(target, input)), 1.0) + bce(discriminator(pair(output, input)), 0.0)) / 2
    one_step(optimizer, loss)
    return loss.detach()


@wrong("6.1", cause="Where is the other pass", found="D was shown [input, target]; expected was")
def only_real(generator, discriminator, optimizer, input, target):
    generator(input)
    loss = bce(discriminator(pair(input, target)), 1.0)
    one_step(optimizer, loss)
    return loss.detach()


@wrong("6.1", cause="Where is the other pass", found="D was shown [input, output]; expected was")
def only_made(generator, discriminator, optimizer, input, target):
    loss = bce(discriminator(pair(input, generator(input).detach())), 0.0)
    one_step(optimizer, loss)
    return loss.detach()


@wrong("6.1", cause="through a sigmoid twice")
def d_sigmoid_twice(generator, discriminator, optimizer, input, target):
    real = discriminator(pair(input, target)).sigmoid()
    made = discriminator(pair(input, generator(input).detach())).sigmoid()
    loss = (bce(real, 1.0) + bce(made, 0.0)) / 2
    one_step(optimizer, loss)
    return loss.detach()


@wrong("6.1", cause="least-squares loss")
def d_least_squares(generator, discriminator, optimizer, input, target):
    real, made = discriminator(pair(input, target)), discriminator(pair(input, generator(input).detach()))
    loss = (((real - 1) ** 2).mean() + (made**2).mean()) / 2
    one_step(optimizer, loss)
    return loss.detach()


@wrong("6.1", cause="Nothing comes back to D from the made pair", found="is right; the gradients of the step are not")
def made_map_detached(generator, discriminator, optimizer, input, target):
    made = discriminator(pair(input, generator(input))).detach()
    loss = (bce(discriminator(pair(input, target)), 1.0) + bce(made, 0.0)) / 2
    one_step(optimizer, loss)
    return loss.detach()


@wrong("6.1", cause="D judged under `torch.no_grad()`", found="your code stopped", status=Status.CRASHED)
def all_under_no_grad(generator, discriminator, optimizer, input, target):
    with torch.no_grad():
        loss = d_loss(discriminator, input, target, generator(input))
    one_step(optimizer, loss)
    return loss.detach()


@wrong("6.1", cause="cut off on its way out", found="your code stopped", status=Status.CRASHED)
def loss_cut_off(generator, discriminator, optimizer, input, target):
    loss = d_loss(discriminator, input, target, generator(input)).detach()
    one_step(optimizer, loss)
    return loss


@wrong("6.1", cause="gives a plain number", found="your code stopped", status=Status.CRASHED)
def item_too_early(generator, discriminator, optimizer, input, target):
    loss = d_loss(discriminator, input, target, generator(input)).item()
    one_step(optimizer, loss)
    return loss


@wrong("6.1", cause="The loss is `None`", found="your code stopped", status=Status.CRASHED)
def helper_without_return(generator, discriminator, optimizer, input, target):
    def loss_of(output):
        d_loss(discriminator, input, target, output)

    one_step(optimizer, loss_of(generator(input)))


@wrong("6.1", cause="Is a `mean` missing", found="your code stopped", status=Status.CRASHED)
def loss_of_each_place(generator, discriminator, optimizer, input, target):
    real, made = discriminator(pair(input, target)), discriminator(pair(input, generator(input).detach()))
    loss = (F.softplus(-real) + F.softplus(made)) / 2
    one_step(optimizer, loss)
    return loss.detach()


@wrong("6.1", cause="goes through the same graph twice", found="your code stopped", status=Status.CRASHED)
def backward_twice(generator, discriminator, optimizer, input, target):
    loss = d_loss(discriminator, input, target, generator(input))
    optimizer.zero_grad()
    loss.backward()
    loss.backward()
    optimizer.step()
    return loss.detach()


@wrong("6.1", cause="a `backward()` too many", found="is right; the gradients of the step are not")
def backward_twice_kept(generator, discriminator, optimizer, input, target):
    loss = d_loss(discriminator, input, target, generator(input))
    optimizer.zero_grad()
    loss.backward(retain_graph=True)
    loss.backward()
    optimizer.step()
    return loss.detach()


@wrong("6.1", cause="stacked along channels, dimension 1", found="your code stopped", status=Status.CRASHED)
def d_along_the_batch(generator, discriminator, optimizer, input, target):
    real = discriminator(torch.cat([input, target]))
    made = discriminator(torch.cat([input, generator(input).detach()]))
    loss = (bce(real, 1.0) + bce(made, 0.0)) / 2
    one_step(optimizer, loss)
    return loss.detach()


@wrong("6.1", cause="D takes one tensor", found="your code stopped", status=Status.CRASHED)
def d_two_arguments(generator, discriminator, optimizer, input, target):
    return bce(discriminator(input, target), 1.0)


@wrong("6.1", cause="It takes probabilities", found="your code stopped", status=Status.CRASHED)
def d_bce_of_logits(generator, discriminator, optimizer, input, target):
    real = discriminator(pair(input, target))
    return F.binary_cross_entropy(real, torch.ones_like(real))


@wrong("6.1", cause="another optimizer", found="`optimizer` took no step, and D's weights are others all the same")
def own_optimizer(generator, discriminator, optimizer, input, target):
    own = torch.optim.Adam(discriminator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    loss = d_loss(discriminator, input, target, generator(input))
    one_step(own, loss)
    return loss.detach()


@wrong("6.1", cause="What else changes them", found="D's step is right; D's weights are not what")
def clipped_weights(generator, discriminator, optimizer, input, target):
    loss = d_loss(discriminator, input, target, generator(input))
    one_step(optimizer, loss)
    with torch.no_grad():
        for p in discriminator.parameters():
            p.clamp_(-0.1, 0.1)
    return loss.detach()


@wrong("6.1", cause="In this step only D's weights move", found="D's step is right; the generator has other weights")
def both_at_once(generator, discriminator, optimizer, input, target):
    loss = d_loss(discriminator, input, target, generator(input))
    one_step(optimizer, loss)
    with torch.no_grad():
        for p in generator.parameters():
            p -= 0.01
    return loss.detach()


@wrong("6.1", cause="with D's new weights", found="D's step is right; the loss that is returned is")
def loss_of_after(generator, discriminator, optimizer, input, target):
    output = generator(input).detach()
    one_step(optimizer, d_loss(discriminator, input, target, output))
    return d_loss(discriminator, input, target, output).item()


@wrong("6.1", cause="Where is it switched on again", found="`requires_grad` of the generator's parameters is off")
def generator_left_off(generator, discriminator, optimizer, input, target):
    generator.requires_grad_(False)
    loss = d_loss(discriminator, input, target, generator(input))
    one_step(optimizer, loss)
    return loss.detach()


@wrong("6.1", cause="forget `return`", found="returned `None`")
def d_forgets_return(generator, discriminator, optimizer, input, target):
    one_step(optimizer, d_loss(discriminator, input, target, generator(input)))


@wrong("6.1", found="a tuple of 2 is returned; expected was the loss")
def loss_and_output(generator, discriminator, optimizer, input, target):
    output = generator(input).detach()
    loss = d_loss(discriminator, input, target, output)
    one_step(optimizer, loss)
    return loss.detach(), output


@wrong("6.1", found="what is returned has shape (1,)")
def loss_in_a_list(generator, discriminator, optimizer, input, target):
    loss = d_loss(discriminator, input, target, generator(input))
    one_step(optimizer, loss)
    return loss.detach()[None]


@wrong("6.1", found="the step is made on another loss")
def relativistic(generator, discriminator, optimizer, input, target):
    real, made = discriminator(pair(input, target)), discriminator(pair(input, generator(input).detach()))
    loss = bce(real - made, 1.0)
    one_step(optimizer, loss)
    return loss.detach()


@wrong("6.1", cause="writes into `input`", found="`input` was changed in place")
def noisy_in_place(generator, discriminator, optimizer, input, target):
    input += 0.1
    loss = d_loss(discriminator, input, target, generator(input))
    one_step(optimizer, loss)
    return loss.detach()


# --- 6.2 one step of the generator -----------------------------------------------------------------


@right("6.2")
def plain_g_step(generator, discriminator, optimizer, input, target, lambda_l1=100.0):
    output = generator(input)
    loss = g_loss(discriminator, input, target, output, lambda_l1)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.detach()


@right("6.2")
def d_frozen_meanwhile(G, D, opt, x, y, lam=100):
    D.requires_grad_(False)
    opt.zero_grad()
    made = G(x)
    loss = nn.BCEWithLogitsLoss()(D(torch.cat((x, made), 1)), torch.ones(D(torch.cat((x, made), 1)).shape))
    loss = loss + lam * nn.L1Loss()(made, y)
    loss.backward()
    opt.step()
    D.requires_grad_(True)
    return loss.item()


@right("6.2")
def g_two_backwards(generator, discriminator, optimizer, input, target, lambda_l1=100.0):
    optimizer.zero_grad()
    output = generator(input)
    pixel = lambda_l1 * (target - output).abs().mean()
    pixel.backward(retain_graph=True)
    gan = F.softplus(-discriminator(pair(input, output))).mean()
    gan.backward()
    optimizer.step()
    discriminator.zero_grad()
    return (gan + pixel).detach()


@right("6.2")
def g_by_autograd(generator, discriminator, optimizer, input, target, *, lambda_l1=1e2):
    loss = g_loss(discriminator, input, target, generator(input), lambda_l1)
    parameters = [*generator.parameters()]
    slopes = torch.autograd.grad(loss, parameters)
    for p, slope in zip(parameters, slopes, strict=True):
        p.grad = slope
    optimizer.step()
    return loss.detach().numpy()


@right("6.2")
def a_copy_of_d(generator, discriminator, optimizer, input, target, lambda_l1=100.0):
    judge = copy.deepcopy(discriminator)
    loss = g_loss(judge, input, target, generator(input), lambda_l1)
    one_step(optimizer, loss)
    return float(loss)


@right("6.2")
def second_pass_of_the_generator(generator, discriminator, optimizer, input, target, lambda_l1=100.0):
    gan = bce(discriminator(pair(input, generator(input))), 1.0)
    loss = gan + lambda_l1 * F.l1_loss(generator(input), target)
    one_step(optimizer, loss)
    return loss.detach()


@right("6.2")
def second_pass_not_used(generator, discriminator, optimizer, input, target, lambda_l1=100.0):
    with torch.no_grad():
        generator(input)
    loss = g_loss(discriminator, input, target, generator(input), lambda_l1)
    one_step(optimizer, loss)
    return loss


@wrong("6.2", status=Status.NOT_ATTEMPTED)
def stub_g_step(generator, discriminator, optimizer, input, target, lambda_l1=100.0):
    raise NotImplementedError


def wrong_g(name, cause=None, found="", status=Status.WRONG, empty=True):
    """Mark a step on another loss, given as (discriminator, input, target, generator, λ) → loss."""

    def mark(loss_of):
        def answer(generator, discriminator, optimizer, input, target, lambda_l1=100.0):
            if empty:
                optimizer.zero_grad()
            loss = loss_of(discriminator, input, target, generator, lambda_l1)
            loss.backward()
            optimizer.step()
            return loss.detach()

        answer.__name__ = name
        return wrong("6.2", cause=cause, found=found, status=status)(answer)

    return mark


def l1(output, target):
    return F.l1_loss(output, target)


@wrong_g("fake_detached", "D judged a picture that is cut off", "is right; the gradients of the step are not: L1's")
def fake_detached(D, x, y, G, lam):
    output = G(x)
    return bce(D(pair(x, output.detach())), 1.0) + lam * l1(output, y)


@wrong_g("drawn_blind", "The generator drew under `torch.no_grad()`", "the gradients of the step are not: none reaches")
def drawn_blind(D, x, y, G, lam):
    with torch.no_grad():
        output = G(x)
    return g_loss(D, x, y, output, lam)


@wrong_g("output_cut_off", "D judged a picture that is cut off", "the gradients of the step are not: none reaches")
def output_cut_off(D, x, y, G, lam):
    return g_loss(D, x, y, G(x).detach(), lam)


@wrong_g("d_blind", "D judged under `torch.no_grad()`", "is right; the gradients of the step are not: L1's")
def d_blind(D, x, y, G, lam):
    output = G(x)
    with torch.no_grad():
        logits = D(pair(x, output))
    return bce(logits, 1.0) + lam * l1(output, y)


@wrong_g("l1_cut_off", "or all of L1, cut off", "is right; the gradients of the step are not: D's reach")
def l1_cut_off(D, x, y, G, lam):
    output = G(x)
    return bce(D(pair(x, output)), 1.0) + lam * l1(output.detach(), y)


@wrong_g("g_order_swapped", "Which of the two comes first", "[output, input]; expected was [input, output]")
def g_order_swapped(D, x, y, G, lam):
    output = G(x)
    return bce(D(pair(output, x)), 1.0) + lam * l1(output, y)


@wrong_g("g_without_condition", "Where is the condition", "`output` alone; expected was [input, output]")
def g_without_condition(D, x, y, G, lam):
    output = G(x)
    return bce(D(output), 1.0) + lam * l1(output, y)


@wrong_g("target_judged", "take for real", "D was shown [input, target]; expected was [input, output]")
def target_judged(D, x, y, G, lam):
    return bce(D(pair(x, y)), 1.0) + lam * l1(G(x), y)


@wrong_g("d_loss_too", "D's own loss", "[input, target]")
def d_loss_too(D, x, y, G, lam):
    output = G(x)
    return bce(D(pair(x, y)), 1.0) + bce(D(pair(x, output)), 1.0) + lam * l1(output, y)


@wrong_g("target_as_condition", "Is the condition `input`", "[target, output]")
def target_as_condition(D, x, y, G, lam):
    output = G(x)
    return bce(D(pair(y, output)), 1.0) + lam * l1(output, y)


@wrong_g("labels_zero", "would learn to be found out", "the step is made on another loss than was asked for")
def labels_zero(D, x, y, G, lam):
    output = G(x)
    return bce(D(pair(x, output)), 0.0) + lam * l1(output, y)


@wrong_g("saturating", "minimises log(1 − D)")
def saturating(D, x, y, G, lam):
    output = G(x)
    return -bce(D(pair(x, output)), 0.0) + lam * l1(output, y)


@wrong_g("lambda_on_d", "λ weighs D's term")
def lambda_on_d(D, x, y, G, lam):
    output = G(x)
    return lam * bce(D(pair(x, output)), 1.0) + l1(output, y)


@wrong_g("no_lambda", "L1 has no weight")
def no_lambda(D, x, y, G, lam):
    output = G(x)
    return bce(D(pair(x, output)), 1.0) + l1(output, y)


@wrong_g("lambda_on_both", "λ weighs both")
def lambda_on_both(D, x, y, G, lam):
    output = G(x)
    return lam * (bce(D(pair(x, output)), 1.0) + l1(output, y))


@wrong_g("always_100", "λ is always 100")
def always_100(D, x, y, G, lam):
    output = G(x)
    return bce(D(pair(x, output)), 1.0) + 100 * l1(output, y)


@wrong_g("no_l1", "L1 adds nothing")
def no_l1(D, x, y, G, lam):
    return bce(D(pair(x, G(x))), 1.0)


@wrong_g("no_adversary", "Where does `discriminator` come in", "D was never asked")
def no_adversary(D, x, y, G, lam):
    return lam * l1(G(x), y)


@wrong_g("l1_to_the_input", "Which picture should it come near", "your code stopped", Status.CRASHED)
def l1_to_the_input(D, x, y, G, lam):
    output = G(x)
    return bce(D(pair(x, output)), 1.0) + lam * l1(output, x)


@wrong_g("squared", "Is L1 meant")
def squared(D, x, y, G, lam):
    output = G(x)
    return bce(D(pair(x, output)), 1.0) + lam * F.mse_loss(output, y)


@wrong_g("no_abs", "Is `abs` missing")
def no_abs(D, x, y, G, lam):
    output = G(x)
    return bce(D(pair(x, output)), 1.0) + lam * (output - y).mean()


@wrong_g("l1_summed", "L1 is added up over pixels")
def l1_summed(D, x, y, G, lam):
    output = G(x)
    return bce(D(pair(x, output)), 1.0) + lam * (output - y).abs().sum()


@wrong_g("g_halved", "All of it is halved")
def g_halved(D, x, y, G, lam):
    return g_loss(D, x, y, G(x), lam) / 2


@wrong_g("g_sigmoid_twice", "through a sigmoid twice")
def g_sigmoid_twice(D, x, y, G, lam):
    output = G(x)
    return bce(D(pair(x, output)).sigmoid(), 1.0) + lam * l1(output, y)


@wrong_g("g_bce_of_logits", "It takes probabilities", "your code stopped", Status.CRASHED)
def g_bce_of_logits(D, x, y, G, lam):
    logits = D(pair(x, G(x)))
    return F.binary_cross_entropy(logits, torch.ones_like(logits))


@wrong_g("charbonnier", None, "the step is made on another loss than was asked for: ")
def charbonnier(D, x, y, G, lam):
    output = G(x)
    return bce(D(pair(x, output)), 1.0) + lam * ((output - y) ** 2 + 0.01).sqrt().mean()


@wrong_g("both_blind", "The generator drew under", "none reaches the generator")
def both_blind(D, x, y, G, lam):
    with torch.no_grad():
        output = G(x)
    logits = D(pair(x, output))
    return bce(logits, 1.0) + lam * l1(output, y)


@wrong_g("all_blind", "D judged under `torch.no_grad()`", "does not require grad", Status.CRASHED)
def all_blind(D, x, y, G, lam):
    with torch.no_grad():
        return g_loss(D, x, y, G(x), lam)


@wrong_g("not_emptied", "What was in `.grad` before", "there is more in them", empty=False)
def not_emptied(D, x, y, G, lam):
    return g_loss(D, x, y, G(x), lam)


@wrong_g("ds_emptied", "The other network's gradients are emptied", "there is more in them", empty=False)
def ds_emptied(D, x, y, G, lam):
    D.zero_grad()
    return g_loss(D, x, y, G(x), lam)


@wrong_g("not_emptied_no_l1", "L1 adds nothing", "the step is made on another loss", empty=False)
def not_emptied_no_l1(D, x, y, G, lam):
    return bce(D(pair(x, G(x))), 1.0)


@wrong_g("g_in_eval", "a `generator.eval()`", "the generator drew in eval mode")
def g_in_eval(D, x, y, G, lam):
    loss = g_loss(D, x, y, G.eval()(x), lam)
    G.train()
    return loss


@wrong_g("g_left_in_eval", "a `generator.eval()`", "the generator is left in eval mode")
def g_left_in_eval(D, x, y, G, lam):
    loss = g_loss(D, x, y, G(x), lam)
    G.eval()
    return loss


@wrong_g("d_judges_in_eval", "a `discriminator.eval()`", "D judged in eval mode")
def d_judges_in_eval(D, x, y, G, lam):
    loss = g_loss(D.eval(), x, y, G(x), lam)
    D.train()
    return loss


@wrong_g("d_left_in_eval", "a `discriminator.eval()`", "the generator's step is right; D is left in eval mode")
def g_leaves_d_in_eval(D, x, y, G, lam):
    loss = g_loss(D, x, y, G(x), lam)
    D.eval()
    return loss


@wrong_g("d_left_frozen", "Where is it switched on again", "`requires_grad` of D's parameters is off")
def d_left_frozen(D, x, y, G, lam):
    D.requires_grad_(False)
    return g_loss(D, x, y, G(x), lam)


@wrong_g("d_moved", "In this step only the generator's weights move", "D has other weights after the call")
def d_moved(D, x, y, G, lam):
    loss = g_loss(D, x, y, G(x), lam)
    slopes = torch.autograd.grad(loss, list(D.parameters()), retain_graph=True)
    with torch.no_grad():
        for p, slope in zip(D.parameters(), slopes, strict=True):
            p.data.sub_(0.01 * slope)
    return loss


@wrong_g("drawn_from_target", "The generator was given `target`", "the generator did not see `input`")
def g_drawn_from_target(D, x, y, G, lam):
    return g_loss(D, x, y, G(y), lam)


@wrong_g("never_drawn", "Where does `generator` come in", "the generator was never asked", empty=False)
def never_drawn(D, x, y, G, lam):
    return g_loss(D, x, y, torch.zeros_like(y), lam)


@wrong("6.2", cause="Where is `optimizer.step()`", found="the generator's weights are what they were")
def g_no_step(generator, discriminator, optimizer, input, target, lambda_l1=100.0):
    optimizer.zero_grad()
    loss = g_loss(discriminator, input, target, generator(input), lambda_l1)
    loss.backward()
    return loss.detach()


@wrong("6.2", cause="Where are `backward()` and", found="the optimizer took no step")
def g_only_the_loss(generator, discriminator, optimizer, input, target, lambda_l1=100.0):
    return g_loss(discriminator, input, target, generator(input), lambda_l1)


@wrong("6.2", cause="Where is `backward()`", found="no gradient of this loss was there")
def g_no_backward(generator, discriminator, optimizer, input, target, lambda_l1=100.0):
    optimizer.zero_grad()
    loss = g_loss(discriminator, input, target, generator(input), lambda_l1)
    optimizer.step()
    return loss.detach()


@wrong("6.2", cause="comes between `backward()` and `step()`", found="no gradient any more")
def g_emptied_between(generator, discriminator, optimizer, input, target, lambda_l1=100.0):
    loss = g_loss(discriminator, input, target, generator(input), lambda_l1)
    loss.backward()
    optimizer.zero_grad()
    optimizer.step()
    return loss.detach()


@wrong("6.2", cause="comes between `backward()` and `step()`", found="no gradient any more")
def g_module_emptied_between(generator, discriminator, optimizer, input, target, lambda_l1=100.0):
    loss = g_loss(discriminator, input, target, generator(input), lambda_l1)
    loss.backward()
    generator.zero_grad()
    optimizer.step()
    return loss.detach()


@wrong("6.2", cause="`step()` comes before `backward()`", found="no gradient of this loss was there")
def g_step_first(generator, discriminator, optimizer, input, target, lambda_l1=100.0):
    loss = g_loss(discriminator, input, target, generator(input), lambda_l1)
    optimizer.zero_grad()
    optimizer.step()
    loss.backward()
    return loss.detach()


@wrong("6.2", cause="emptied after the step only", found="there is more in them")
def g_emptied_at_the_end(generator, discriminator, optimizer, input, target, lambda_l1=100.0):
    loss = g_loss(discriminator, input, target, generator(input), lambda_l1)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return loss.detach()


@wrong("6.2", cause="Where does the other `step()`", found="the optimizer took 2 steps")
def g_two_steps(generator, discriminator, optimizer, input, target, lambda_l1=100.0):
    for _ in range(2):
        loss = g_loss(discriminator, input, target, generator(input), lambda_l1)
        one_step(optimizer, loss)
    return loss.detach()


@wrong("6.2", cause="λ is 10. Is its default 100", found="with `lambda_l1` given it is right")
def g_other_default(generator, discriminator, optimizer, input, target, lambda_l1=10.0):
    return plain_g_step(generator, discriminator, optimizer, input, target, lambda_l1)


@wrong("6.2", cause="Has it a default, 100", found="with `lambda_l1` given it is right", status=Status.CRASHED)
def g_no_default(generator, discriminator, optimizer, input, target, lambda_l1):
    return plain_g_step(generator, discriminator, optimizer, input, target, lambda_l1)


@wrong("6.2", cause="λ is always 100")
def lambda_not_handed_on(generator, discriminator, optimizer, input, target, lambda_l1=100.0):
    return plain_g_step(generator, discriminator, optimizer, input, target)


@wrong("6.2", cause="L1 adds nothing", found="the generator's step is right; the loss that is returned is")
def returns_the_adversarial_term(generator, discriminator, optimizer, input, target, lambda_l1=100.0):
    output = generator(input)
    gan = bce(discriminator(pair(input, output)), 1.0)
    one_step(optimizer, gan + lambda_l1 * l1(output, target))
    return gan.item()


@wrong("6.2", found="a tuple of 3 is returned")
def returns_the_parts(generator, discriminator, optimizer, input, target, lambda_l1=100.0):
    output = generator(input)
    gan, pixel = bce(discriminator(pair(input, output)), 1.0), l1(output, target)
    loss = gan + lambda_l1 * pixel
    one_step(optimizer, loss)
    return loss.item(), gan.item(), pixel.item()


@wrong("6.2", cause="forget `return`", found="returned `None`")
def g_forgets_return(generator, discriminator, optimizer, input, target, lambda_l1=100.0):
    plain_g_step(generator, discriminator, optimizer, input, target, lambda_l1)


@wrong("6.2", cause="another optimizer", found="`optimizer` took no step")
def g_own_optimizer(generator, discriminator, optimizer, input, target, lambda_l1=100.0):
    own = torch.optim.SGD(generator.parameters(), lr=0.1)
    return plain_g_step(generator, discriminator, own, input, target, lambda_l1)


# --- 6.3 the generator at test time ----------------------------------------------------------------


@right("6.3")
def copied(generator, input):
    with torch.no_grad():
        return copy.deepcopy(generator).train()(input)


@right("6.3")
@torch.no_grad()
def copied_part_by_part(G, x):
    net = copy.deepcopy(G)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d | nn.Dropout):
            module.train()
    return net.forward(x)


@right("6.3")
def copied_and_detached(generator, input):
    return copy.deepcopy(generator).train()(input).detach()


def put_back(modules):
    for module, training in modules:
        module.training = training


@right("6.3")
def without_tracking(generator, input):
    modes = [(module, module.training) for module in generator.modules()]
    norms = [module for module in generator.modules() if isinstance(module, nn.BatchNorm2d)]
    generator.train()
    for norm in norms:
        norm.track_running_stats = False
    try:
        with torch.no_grad():
            return generator(input)
    finally:
        for norm in norms:
            norm.track_running_stats = True
        put_back(modes)


@right("6.3")
def without_momentum(generator, input):
    modes = [(module, module.training) for module in generator.modules()]
    momenta = {m: m.momentum for m in generator.modules() if isinstance(m, nn.BatchNorm2d)}
    for norm in momenta:
        norm.momentum = 0.0
    with torch.no_grad():
        output = generator.train()(input)
    for norm, momentum in momenta.items():
        norm.momentum = momentum
    put_back(modes)
    return output


@right("6.3")
def state_put_back(generator, input):
    state = copy.deepcopy(generator.state_dict())
    modes = [(module, module.training) for module in generator.modules()]
    generator.train()
    with torch.inference_mode():
        output = generator(input)
    generator.load_state_dict(state)
    put_back(modes)
    return output


@wrong("6.3", status=Status.NOT_ATTEMPTED)
def stub_translate(generator, input):
    raise NotImplementedError


@wrong("6.3", cause="This is what eval mode gives", found="where the generator comes in train mode")
def evaluated(generator, input):
    with torch.no_grad():
        return copy.deepcopy(generator).eval()(input)


@wrong("6.3", cause="This is what eval mode gives", found="where the generator comes in train mode")
def evaluated_in_place(generator, input):
    was = generator.training
    generator.eval()
    with torch.no_grad():
        output = generator(input)
    generator.train(was)
    return output


@wrong("6.3", cause="This is what eval mode gives", found="where the generator comes in eval mode")
def as_it_comes(generator, input):
    with torch.no_grad():
        return copy.deepcopy(generator)(input)


@wrong("6.3", cause="dropout is off. Is it not the paper's only noise")
def norms_only(generator, input):
    net = copy.deepcopy(generator).eval()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.train()
    with torch.no_grad():
        return net(input)


@wrong("6.3", cause="the norms take the averages met in training")
def dropout_only(generator, input):
    net = copy.deepcopy(generator).eval()
    for module in net.modules():
        if isinstance(module, nn.Dropout):
            module.train()
    with torch.no_grad():
        return net(input)


@wrong("6.3", cause="each pass moves the running averages", found="in train mode is right; the generator's")
def averages_moved(generator, input):
    modes = [(module, module.training) for module in generator.modules()]
    with torch.no_grad():
        output = generator.train()(input)
    put_back(modes)
    return output


@wrong("6.3", cause="In train mode each pass moves the running averages")
def just_the_pass(generator, input):
    with torch.no_grad():
        return generator(input)


@wrong("6.3", cause="put back into the mode", found="the generator is left in train mode")
def left_in_train(generator, input):
    state = copy.deepcopy(generator.state_dict())
    with torch.no_grad():
        output = generator.train()(input)
    generator.load_state_dict(state)
    return output


@wrong("6.3", cause="put back into the mode", found="the generator is left in eval mode")
def left_in_eval(generator, input):
    with torch.no_grad():
        output = copy.deepcopy(generator).train()(input)
    generator.eval()
    return output


@wrong("6.3", cause="Is the mode of each part noted", found="the generator's parts are in other modes")
def one_mode_for_all(generator, input):
    was, state = generator.training, copy.deepcopy(generator.state_dict())
    with torch.no_grad():
        output = generator.train()(input)
    generator.load_state_dict(state)
    generator.train(was)
    return output


@wrong("6.3", cause="drawn under `torch.no_grad()`", found="the output still holds on to its graph")
def with_its_graph(generator, input):
    return copy.deepcopy(generator).train()(input)


@wrong("6.3", cause="is there a `clamp`")
def clamped(generator, input):
    return copied(generator, input).clamp(0, 1)


@wrong("6.3", cause="does showing it belong here")
def shown(generator, input):
    return (copied(generator, input) + 1) / 2


@wrong("6.3", cause="does storing it belong here", found="the output is uint8; expected was float32")
def stored(generator, input):
    return ((copied(generator, input) + 1) * 127.5).round().to(torch.uint8)


@wrong("6.3", cause="does storing it belong here")
def stored_as_floats(generator, input):
    return (copied(generator, input) + 1) * 127.5


@wrong("6.3", cause="Does the generator not end with one")
def tanh_again(generator, input):
    return copied(generator, input).tanh()


@wrong("6.3", cause="Are the statistics not those of the batch", found="one picture of 2 at a time")
def one_by_one(generator, input):
    return torch.cat([copied(generator, picture[None]) for picture in input])


@wrong("6.3", found="the output has shape (")
def first_picture(generator, input):
    return copied(generator, input)[0]


@wrong("6.3", found="the output is a NumPy array")
def as_array(generator, input):
    return copied(generator, input).numpy()


@wrong("6.3", cause="Where does `generator` come in", found="the generator was never asked")
def the_input(generator, input):
    return input


@wrong("6.3", cause="forget `return`", found="returned `None`")
def translate_forgets_return(generator, input):
    copied(generator, input)


@wrong("6.3", cause="Where is it put back", found="`outer_norm.momentum` is another after the call")
def momentum_left(generator, input):
    modes = [(module, module.training) for module in generator.modules()]
    generator.outer_norm.momentum = generator.inner_norm.momentum = 0.0
    with torch.no_grad():
        output = generator.train()(input)
    put_back(modes)
    generator.inner_norm.momentum = 0.1
    return output


@wrong("6.3", cause="Where is it put back", found="`requires_grad` of the generator's parameters is another")
def all_switched_on(generator, input):
    generator.requires_grad_(False)
    output = copy.deepcopy(generator).train()(input)
    generator.requires_grad_(True)
    return output


@wrong("6.3", found="its values run")
def averaged(generator, input):
    return (copied(generator, input) + copied(generator, input)) / 2


@wrong("6.3", found="NameError", status=Status.CRASHED)
def undefined(generator, input):
    return nowhere(generator, input)  # noqa: F821


# --- 6.4 the learning rate -------------------------------------------------------------------------


@right("6.4")
def two_branches(step, steps, rate=2e-4):
    if step < steps / 2:
        return rate
    return rate * (steps - step) / (steps / 2)


@right("6.4")
def by_min(i, n, r=0.0002):
    return r * min(1, 2 - 2 * i / n)


@right("6.4")
def by_what_is_left(step, steps, *, rate=2e-4):
    left = steps - step
    return rate if 2 * left > steps else rate * left / (steps - steps / 2)


@right("6.4")
def as_tensor(step, steps, rate=2e-4):
    return rate * torch.tensor(2 * (steps - step) / steps, dtype=torch.float64).clamp(max=1)


@right("6.4")
def interpolated(step, steps, rate=2e-4):
    return np.interp(step, [0, steps / 2, steps], [rate, rate, 0])


@right("6.4")
def twice_the_rest(step, steps, rate=2e-4):
    return rate * (1 - max(0, step - steps / 2) / (steps / 2))


@wrong("6.4", status=Status.NOT_ATTEMPTED)
def stub_rate(step, steps, rate=2e-4):
    raise NotImplementedError


def wrong_rate(name, cause=None, found="", status=Status.WRONG):
    """Mark (step, steps, rate) → rate."""

    def mark(rule):
        def answer(step, steps, rate=2e-4):
            return rule(step, steps, rate)

        answer.__name__ = name
        return wrong("6.4", cause=cause, found=found, status=status)(answer)

    return mark


wrong_rate("never_falls", "The rate never falls", "gave 0.001; expected was 0.0008")(lambda i, n, r: r)
wrong_rate("from_the_start", "It falls from the first step on")(lambda i, n, r: r * (n - i) / n)
wrong_rate("zero_in_the_first_half", "It is at 0 after the first half")(lambda i, n, r: r * max(0, 1 - 2 * i / n))
wrong_rate("halves_swapped", "The two halves have changed places")(lambda i, n, r: r * (1 - i / n) if i < n / 2 else r)
wrong_rate("jumps_to_half", "It jumps at the half: the line there")(lambda i, n, r: r if i < n / 2 else r * (n - i) / n)
wrong_rate("jumps_to_a_tenth", "stays there")(lambda i, n, r: r if i < n / 2 else r / 10)
wrong_rate("jumps_to_0", "stays there")(lambda i, n, r: r if i < n / 2 else 0.0)
wrong_rate("one_early", "The line is one step early")(lambda i, n, r: two_branches(i + 1, n, r))
wrong_rate("one_late", "The line is one step late")(lambda i, n, r: two_branches(max(0, i - 1), n, r))
wrong_rate("longer_line", "The line is one step late")(lambda i, n, r: r if i < n / 2 else r * (n - i + 1) / (n / 2))
wrong_rate("whole_half", "is `/` meant in place of `//`", "`learning_rate_at(4, 7,")(
    lambda i, n, r: r if i < n // 2 else r * (n - i) / (n - n // 2)
)
wrong_rate("whole_half_shifted", "is `/` meant in place of `//`")(
    lambda i, n, r: r if i < n // 2 else r * (1 - (i - n // 2) / (n - n // 2))
)
wrong_rate("whole_half_divides", "is `/` meant in place of `//`", "`learning_rate_at(3, 7,")(
    lambda i, n, r: r if i < n // 2 else r * (n - i) / (n // 2)
)
wrong_rate("whole_share", "rounded down to a whole number")(
    lambda i, n, r: r if i < n / 2 else r * ((n - i) // (n / 2))
)
wrong_rate("cosine", "It falls in a cosine")(lambda i, n, r: r * 0.5 * (1 + math.cos(math.pi * i / n)))
wrong_rate("half_a_cosine", "It falls in a cosine")(
    lambda i, n, r: r if i < n / 2 else r * 0.5 * (1 + math.cos(math.pi * (2 * i / n - 1)))
)
wrong_rate("by_a_factor", "by the same factor")(lambda i, n, r: r * 0.99**i)
wrong_rate("rises", "It rises")(lambda i, n, r: r if i < n / 2 else r * (1 + (i - n / 2) / (n / 2)))
wrong_rate("rises_from_0", "It rises")(lambda i, n, r: r if i < n / 2 else r * (i - n / 2) / (n / 2))
wrong_rate("below_0", "It falls below 0")(lambda i, n, r: r if i < n / 2 else r * (1 - i / (n / 2)))
wrong_rate("below_0_late", "It falls below 0")(lambda i, n, r: r if i < n / 2 else r * (1 - 4 * (i - n / 2) / n))
wrong_rate("epochs", "Where does `steps` come in")(lambda i, n, r: r if i < 100 else r * (200 - i) / 100)
wrong_rate("share", "Where does `rate` come in", "gave 1; expected was 0.001")(lambda i, n, r: two_branches(i, n, 1.0))
wrong_rate("always_2e4", "The rate is always 0.0002")(lambda i, n, r: two_branches(i, n))
wrong_rate("square", None, "expected was")(lambda i, n, r: r if i < n / 2 else r * ((n - i) / (n / 2)) ** 2)
wrong_rate("as_text", None, 'gave "0.001"')(lambda i, n, r: str(two_branches(i, n, r)))
wrong_rate("in_a_list", None, "gave a list of 1")(lambda i, n, r: [two_branches(i, n, r)])
wrong_rate("last_is_0", "The line is one step early", "expected was")(
    lambda i, n, r: r if i < n / 2 else r * (n - 1 - i) / (n / 2)
)


@wrong("6.4", cause="Is its default 0.0002", found="with `rate` given it is right")
def other_rate(step, steps, rate=1e-3):
    return two_branches(step, steps, rate)


@wrong("6.4", cause="Has it a default, 2e-4", found="with `rate` given it is right", status=Status.CRASHED)
def no_rate(step, steps, rate):
    return two_branches(step, steps, rate)


@wrong("6.4", cause="forget `return`", found="returned `None`")
def rate_only_at_first(step, steps, rate=2e-4):
    if step < steps / 2:
        return rate
    rate * (steps - step) / (steps / 2)


@wrong("6.4", cause="The check calls", found="TypeError", status=Status.CRASHED)
def two_parameters(step, steps):
    return two_branches(step, steps)


# --- one picture, a schedule inside, terms gone back through one by one ---------------------


@wrong("6.1", cause="Where are `backward()` and", found="the optimizer took no step")
def no_step_for_one_picture(generator, discriminator, optimizer, input, target):
    loss = d_loss(discriminator, input, target, generator(input).detach())
    if len(input) > 1:
        one_step(optimizer, loss)
    return loss.detach()


@wrong("6.1", cause="A schedule is for the loop", found="learning rate is 0.09 after the call")
def d_schedule_inside(generator, discriminator, optimizer, input, target):
    loss = d_loss(discriminator, input, target, generator(input).detach())
    one_step(optimizer, loss)
    for group in optimizer.param_groups:
        group["lr"] *= 0.9
    return loss.detach()


def _two_terms(generator, discriminator, input, target):
    output = generator(input).detach()
    real, made = discriminator(pair(input, target)), discriminator(pair(input, output))
    return bce(real, 1.0) / 2, bce(made, 0.0) / 2


@right("6.1")
def terms_one_by_one(generator, discriminator, optimizer, input, target):
    optimizer.zero_grad()
    terms = _two_terms(generator, discriminator, input, target)
    for term in terms:
        term.backward()
    optimizer.step()
    return sum(term.item() for term in terms)


@wrong("6.1", cause="comes between two calls of `backward()`", found="the gradients of the step are not")
def emptied_between_the_terms(generator, discriminator, optimizer, input, target):
    terms = _two_terms(generator, discriminator, input, target)
    for term in terms:
        optimizer.zero_grad()
        term.backward()
    optimizer.step()
    return sum(terms).detach()


@wrong("6.1", cause="does `backward()` begin at the other term only", found="the gradients of the step are not")
def real_term_only(generator, discriminator, optimizer, input, target):
    terms = _two_terms(generator, discriminator, input, target)
    one_step(optimizer, terms[0])
    return sum(terms).detach()


@wrong("6.2", cause="A schedule is for the loop", found="learning rate is")
def g_schedule_inside(generator, discriminator, optimizer, input, target, lambda_l1=100.0):
    loss = g_loss(discriminator, input, target, generator(input), lambda_l1)
    one_step(optimizer, loss)
    for group in optimizer.param_groups:
        group["lr"] /= 2
    return loss.detach()


@right("6.3")
def copied_by_pickle(generator, input):
    with torch.no_grad():
        return pickle.loads(pickle.dumps(generator)).train()(input)


@wrong("6.4", found="expected was 5e-06")
def never_below_a_floor(step, steps, rate=2e-4):
    return max(1e-5, rate * min(1.0, 2 - 2 * step / steps))
