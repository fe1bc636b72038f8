"""Right and wrong answers to the exercises of chapter 04."""

from __future__ import annotations

import math

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


# --- 4.1 the discriminator's loss ------------------------------------------------------------------


@right("4.1")
def by_functional(discriminator, input, target, output):
    real = discriminator(torch.cat([input, target], dim=1))
    made = discriminator(torch.cat([input, output.detach()], dim=1))
    loss = F.binary_cross_entropy_with_logits(real, torch.ones_like(real))
    return (loss + F.binary_cross_entropy_with_logits(made, torch.zeros_like(made))) / 2


@right("4.1")
def by_module(D, x, y, g):
    criterion = nn.BCEWithLogitsLoss()
    made = D(torch.cat((x, g), 1).detach())
    loss_made = criterion(made, torch.zeros(made.shape))
    real = D(torch.cat((x, y), 1))
    return 0.5 * (criterion(real, torch.ones(real.shape)) + loss_made)


@right("4.1")
def by_softplus(discriminator, input, target, output):
    real, made = (discriminator(pair(input, p)) for p in (target, output.clone().detach()))
    return 0.5 * F.softplus(-real).mean() + 0.5 * F.softplus(made).mean()


@right("4.1")
def by_logsigmoid(discriminator, input, target, output):
    terms = []
    for picture, sign in ((target, 1), (output.data, -1)):
        terms.append(-F.logsigmoid(sign * discriminator(pair(input, picture))).mean())
    return torch.stack(terms).mean()


@right("4.1")
def labels_expanded(discriminator, input, target, output):
    one, zero = torch.tensor(1.0), torch.tensor(0.0)
    real = discriminator(pair(input, target))
    made = discriminator(pair(input, output.detach()))
    loss = F.binary_cross_entropy_with_logits(real, one.expand_as(real)) / 2
    return loss + F.binary_cross_entropy_with_logits(made, zero.expand(made.shape)) / 2


@right("4.1")
def by_logaddexp(discriminator, input, target, output):
    real = discriminator.forward(pair(input, target)).flatten()
    made = discriminator.forward(pair(input, output.detach())).flatten()
    zero = torch.zeros(())
    return (torch.logaddexp(zero, -real).mean() + torch.logaddexp(zero, made).mean()) / 2


class Adversarial(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("one", torch.tensor(1.0))
        self.loss = nn.BCEWithLogitsLoss()

    def forward(self, logits, real):
        return self.loss(logits, (self.one if real else 1 - self.one).expand_as(logits))


@right("4.1")
class Called:
    def __call__(self, discriminator, input, target, output):
        gan = Adversarial()
        with torch.no_grad():
            cut = output * 1
        return (gan(discriminator(pair(input, target)), True) + gan(discriminator(pair(input, cut)), False)) / 2


@right("4.1")
def sigmoid_and_log(discriminator, input, target, output):
    real = torch.sigmoid(discriminator(pair(input, target)))
    made = torch.sigmoid(discriminator(pair(input, output.detach())))
    return -(torch.log(real).mean() + torch.log(1 - made).mean()) / 2


@right("4.1")
def sigmoid_and_bce(discriminator, input, target, output):
    real = torch.sigmoid(discriminator(pair(input, target)))
    made = torch.sigmoid(discriminator(pair(input, output.detach())))
    return (F.binary_cross_entropy(real, real * 0 + 1) + F.binary_cross_entropy(made, made * 0)) / 2


@right("4.1")
def in_double(discriminator, input, target, output):
    real = discriminator(pair(input, target)).double()
    return (bce(real, 1.0) + bce(discriminator(pair(input, output.detach())).double(), 0.0)) / 2


def d_loss(discriminator, input, target, output):
    real, made = discriminator(pair(input, target)), discriminator(pair(input, output.detach()))
    return (bce(real, 1.0) + bce(made, 0.0)) / 2


@wrong("4.1", status=Status.NOT_ATTEMPTED)
def stub_d(discriminator, input, target, output):
    raise NotImplementedError


@wrong("4.1", cause="Where is the half", found="expected was")
def not_halved(discriminator, input, target, output):
    return 2 * d_loss(discriminator, input, target, output)


@wrong("4.1", cause="Where is the half")
def not_halved_and_leaking(discriminator, input, target, output):
    return bce(discriminator(pair(input, target)), 1.0) + bce(discriminator(pair(input, output)), 0.0)


@wrong("4.1", cause="Nothing comes back to D from the real pair", found="the value is right; the gradient at D's")
def real_under_no_grad(discriminator, input, target, output):
    with torch.no_grad():
        real = discriminator(pair(input, target))
    return (bce(real, 1.0) + bce(discriminator(pair(input, output.detach())), 0.0)) / 2


@wrong("4.1", cause="halved more than once")
def halved_twice(discriminator, input, target, output):
    return d_loss(discriminator, input, target, output) / 2


@wrong("4.1", cause="Where is the other pass", found="D was shown [input, target]; expected was")
def only_real(discriminator, input, target, output):
    return bce(discriminator(pair(input, target)), 1.0)


@wrong("4.1", cause="Where is the other pass", found="D was shown [input, output]")
def only_made(discriminator, input, target, output):
    return bce(discriminator(pair(input, output.detach())), 0.0) / 2


@wrong("4.1", cause="Only the real pair counts")
def made_unused(discriminator, input, target, output):
    real, _made = discriminator(pair(input, target)), discriminator(pair(input, output.detach()))
    return bce(real, 1.0)


@wrong("4.1", cause="Are the labels swapped")
def labels_swapped(discriminator, input, target, output):
    real, made = discriminator(pair(input, target)), discriminator(pair(input, output.detach()))
    return (bce(real, 0.0) + bce(made, 1.0)) / 2


@wrong("4.1", cause="Both pairs have the same label")
def both_ones(discriminator, input, target, output):
    real, made = discriminator(pair(input, target)), discriminator(pair(input, output.detach()))
    return (bce(real, 1.0) + bce(made, 1.0)) / 2


@wrong("4.1", cause="by `detach()`", found="the value is right; the gradient is not: D's loss sends one into `output`")
def leaking(discriminator, input, target, output):
    return (bce(discriminator(pair(input, target)), 1.0) + bce(discriminator(pair(input, output)), 0.0)) / 2


@wrong("4.1", cause="by `detach()`", found="sends one into `output`")
def detached_and_forgotten(discriminator, input, target, output):
    output.detach()
    return (bce(discriminator(pair(input, target)), 1.0) + bce(discriminator(pair(input, output)), 0.0)) / 2


@wrong("4.1", cause="cuts off the tensor of whoever called", found="the value is right; the output is cut off")
def detached_in_place(discriminator, input, target, output):
    output.detach_()
    return (bce(discriminator(pair(input, target)), 1.0) + bce(discriminator(pair(input, output)), 0.0)) / 2


@wrong("4.1", cause="under `torch.no_grad()`", found="the value is right; the gradient is not: none reaches D's")
def all_under_no_grad(discriminator, input, target, output):
    with torch.no_grad():
        return d_loss(discriminator, input, target, output)


@wrong("4.1", cause="Nothing comes back to D from the made pair", found="the gradient at D's parameters is not")
def made_under_no_grad(discriminator, input, target, output):
    real = discriminator(pair(input, target))
    with torch.no_grad():
        made = discriminator(pair(input, output))
    return (bce(real, 1.0) + bce(made, 0.0)) / 2


@wrong("4.1", cause="Nothing comes back to D from the made pair")
def map_detached(discriminator, input, target, output):
    made = discriminator(pair(input, output)).detach()
    return (bce(discriminator(pair(input, target)), 1.0) + bce(made, 0.0)) / 2


@wrong("4.1", cause="cut off on its way out", found="none reaches D's")
def loss_detached(discriminator, input, target, output):
    return d_loss(discriminator, input, target, output).detach()


@wrong("4.1", cause="cut off on its way out", found="none reaches D's")
def wrapped_again(discriminator, input, target, output):
    return torch.tensor(d_loss(discriminator, input, target, output).item(), requires_grad=True)


@wrong("4.1", cause="through a sigmoid twice")
def sigmoid_before(discriminator, input, target, output):
    real = torch.sigmoid(discriminator(pair(input, target)))
    return (bce(real, 1.0) + bce(torch.sigmoid(discriminator(pair(input, output.detach()))), 0.0)) / 2


@wrong("4.1", cause="It takes probabilities", found="your code stopped", status=Status.CRASHED)
def bce_of_logits(discriminator, input, target, output):
    real, made = discriminator(pair(input, target)), discriminator(pair(input, output.detach()))
    a = F.binary_cross_entropy(real, torch.ones_like(real))
    return (a + F.binary_cross_entropy(made, torch.zeros_like(made))) / 2


@wrong("4.1", cause="`log` is taken of the logits", found="the loss is nan")
def log_of_logits(discriminator, input, target, output):
    real, made = discriminator(pair(input, target)), discriminator(pair(input, output.detach()))
    return -(torch.log(real).mean() + torch.log(1 - made).mean()) / 2


@wrong("4.1", cause="share one batch", found="[input, target] and [input, output] in one batch")
def one_batch(discriminator, input, target, output):
    pictures = torch.cat([target, output.detach()], dim=0)
    logits = discriminator(pair(torch.cat([input, input]), pictures))
    real, made = logits.chunk(2)
    return (bce(real, 1.0) + bce(made, 0.0)) / 2


@wrong("4.1", cause="share one batch")
def one_batch_made_first(discriminator, input, target, output):
    made, real = discriminator(torch.cat([pair(input, output.detach()), pair(input, target)])).chunk(2)
    return (bce(real, 1.0) + bce(made, 0.0)) / 2


@wrong("4.1", cause="Where is the condition", found="`target` alone and `output` alone")
def no_condition(discriminator, input, target, output):
    return (bce(discriminator(target), 1.0) + bce(discriminator(output.detach()), 0.0)) / 2


@wrong("4.1", cause="Where is the condition", found="`output` alone")
def no_condition_for_made(discriminator, input, target, output):
    return (bce(discriminator(pair(input, target)), 1.0) + bce(discriminator(output.detach()), 0.0)) / 2


@wrong("4.1", cause="Which of the two comes first", found="[target, input] and [output, input]")
def order_swapped(discriminator, input, target, output):
    real, made = discriminator(pair(target, input)), discriminator(pair(output.detach(), input))
    return (bce(real, 1.0) + bce(made, 0.0)) / 2


@wrong("4.1", cause="Which of the two comes first")
def order_swapped_once(discriminator, input, target, output):
    real, made = discriminator(pair(input, target)), discriminator(pair(output.detach(), input))
    return bce(real, 1.0) + bce(made, 0.0)


@wrong("4.1", cause="Both passes see `target`")
def target_twice(discriminator, input, target, output):
    return (bce(discriminator(pair(input, target)), 1.0) + bce(discriminator(pair(input, target)), 0.0)) / 2


@wrong("4.1", cause="Both passes see `output`")
def output_twice(discriminator, input, target, output):
    output = output.detach()
    return (bce(discriminator(pair(input, output)), 1.0) + bce(discriminator(pair(input, output)), 0.0)) / 2


@wrong("4.1", cause="Is the condition `input`", found="[target, output]")
def target_as_condition(discriminator, input, target, output):
    return (bce(discriminator(pair(input, target)), 1.0) + bce(discriminator(pair(target, output.detach())), 0.0)) / 2


@wrong("4.1", cause="Are real and made stacked along channels", found="[input, target, output]")
def three_at_once(discriminator, input, target, output):
    return bce(discriminator(torch.cat([input, target, output.detach()], dim=1)), 1.0)


@wrong("4.1", cause="stacked along channels, dimension 1", found="must match except", status=Status.CRASHED)
def stacked_in_the_batch(discriminator, input, target, output):
    real = discriminator(torch.cat([input, target]))
    return (bce(real, 1.0) + bce(discriminator(torch.cat([input, output.detach()])), 0.0)) / 2


@wrong("4.1", cause="D could not tell them apart", found="your code stopped", status=Status.CRASHED)
def pictures_added(discriminator, input, target, output):
    return (bce(discriminator(input + target), 1.0) + bce(discriminator(input + output.detach()), 0.0)) / 2


@wrong("4.1", cause="D takes one tensor", found="positional arguments", status=Status.CRASHED)
def two_arguments(discriminator, input, target, output):
    return (bce(discriminator(input, target), 1.0) + bce(discriminator(input, output.detach()), 0.0)) / 2


@wrong("4.1", cause="D takes one tensor", found="not a tuple", status=Status.CRASHED)
def a_tuple_for_d(discriminator, input, target, output):
    return (bce(discriminator((input, target)), 1.0) + bce(discriminator((input, output.detach())), 0.0)) / 2


@wrong(
    "4.1",
    found="the discriminator takes a batch (B, C, H, W), not a float32 tensor of shape (5, ",
    status=Status.CRASHED,
)
def one_picture_at_a_time(discriminator, input, target, output):
    losses = [bce(discriminator(torch.cat([i, p])), 1.0) for i, p in zip(input, target, strict=True)]
    return torch.stack(losses).mean()


@wrong("4.1", cause="Each place of D's map needs a label", found="ValueError", status=Status.CRASHED)
def labels_of_the_batch(discriminator, input, target, output):
    real, made = discriminator(pair(input, target)), discriminator(pair(input, output.detach()))
    ones = torch.ones(len(input), 1)
    loss = F.binary_cross_entropy_with_logits(real, ones)
    return (loss + F.binary_cross_entropy_with_logits(made, 1 - ones)) / 2


@wrong("4.1", cause="Each place of D's map needs a label", found="ValueError", status=Status.CRASHED)
def labels_of_the_wanted_map(discriminator, input, target, output):
    real, made = discriminator(pair(input, target)), discriminator(pair(input, output.detach()))
    loss = nn.BCEWithLogitsLoss()
    return (loss(real, torch.ones(len(real), 1, 30, 30)) + loss(made, torch.zeros(len(real), 1, 30, 30))) / 2


@wrong("4.1", cause="Is label smoothing asked for")
def smoothed(discriminator, input, target, output):
    real, made = discriminator(pair(input, target)), discriminator(pair(input, output.detach()))
    return (bce(real, 0.9) + bce(made, 0.0)) / 2


@wrong("4.1", cause="least-squares loss")
def least_squares(discriminator, input, target, output):
    real, made = discriminator(pair(input, target)), discriminator(pair(input, output.detach()))
    return (F.mse_loss(real, torch.ones_like(real)) + F.mse_loss(made, torch.zeros_like(made))) / 2


@wrong("4.1", cause="`mean` meant in place of `sum`")
def summed(discriminator, input, target, output):
    real, made = discriminator(pair(input, target)), discriminator(pair(input, output.detach()))
    return (F.softplus(-real).sum() + F.softplus(made).sum()) / 2


@wrong("4.1", cause="Is a `mean` missing", found="the loss has shape (2, 1, ")
def each_place(discriminator, input, target, output):
    real, made = discriminator(pair(input, target)), discriminator(pair(input, output.detach()))
    return (F.softplus(-real) + F.softplus(made)) / 2


@wrong("4.1", found="the loss has shape (1,); expected was (), one number")
def in_a_list(discriminator, input, target, output):
    return d_loss(discriminator, input, target, output)[None]


@wrong("4.1", found="a tuple of 2 came; expected was one tensor of shape ()")
def both_terms(discriminator, input, target, output):
    real, made = discriminator(pair(input, target)), discriminator(pair(input, output.detach()))
    return bce(real, 1.0), bce(made, 0.0)


@wrong("4.1", cause="an `.item()`", found="the value is right; it is a plain number, float")
def as_float(discriminator, input, target, output):
    return d_loss(discriminator, input, target, output).item()


@wrong("4.1", cause="an `.item()`", found="the value is right; it is a plain number, float32")
def as_numpy(discriminator, input, target, output):
    return np.float32(d_loss(discriminator, input, target, output).detach().numpy())


@wrong("4.1", cause="Is there one in it", found="the value is right; D's parameters have another `.grad`")
def goes_back(discriminator, input, target, output):
    loss = d_loss(discriminator, input, target, output)
    loss.backward()
    return loss


@wrong("4.1", cause="an optimiser's `step()`", found="the value is right; D's parameters are others")
def steps(discriminator, input, target, output):
    optimiser = torch.optim.Adam(discriminator.parameters(), lr=2e-4)
    optimiser.zero_grad()
    loss = d_loss(discriminator, input, target, output)
    loss.backward()
    optimiser.step()
    return loss


@wrong("4.1", cause="`zero_grad()`", found="the value is right; what D's parameters held as `.grad` is gone")
def empties(discriminator, input, target, output):
    discriminator.zero_grad()
    return d_loss(discriminator, input, target, output)


@wrong("4.1", cause="`discriminator.eval()`", found="is left in eval mode")
def leaves_eval(discriminator, input, target, output):
    loss = d_loss(discriminator, input, target, output)
    discriminator.eval()
    return loss


@wrong("4.1", cause="`discriminator.eval()`", found="D judged in eval mode")
def judges_in_eval(discriminator, input, target, output):
    discriminator.eval()
    loss = d_loss(discriminator, input, target, output)
    discriminator.train()
    return loss


@wrong("4.1", cause="Where is it switched on again", found="`requires_grad` of D's parameters is off")
def switched_off(discriminator, input, target, output):
    loss = d_loss(discriminator, input, target, output)
    discriminator.requires_grad_(False)
    return loss


@wrong("4.1", cause="Where does `discriminator` come in", found="D was never asked")
def without_d(discriminator, input, target, output):
    return bce(target, 1.0) + bce(output.detach(), 0.0)


@wrong("4.1", cause="One term")
def subtracted(discriminator, input, target, output):
    real, made = discriminator(pair(input, target)), discriminator(pair(input, output.detach()))
    return bce(real, 1.0) - bce(made, 0.0)


@wrong("4.1", cause="forget `return`")
def forgets_return(discriminator, input, target, output):
    d_loss(discriminator, input, target, output)


@wrong("4.1", found="the loss is")
def relativistic(discriminator, input, target, output):
    real, made = discriminator(pair(input, target)), discriminator(pair(input, output.detach()))
    return bce(real - made, 1.0)


@wrong("4.1", found="the loss is")
def noisy(discriminator, input, target, output):
    return d_loss(discriminator, input, target + 0.1, output)


@wrong("4.1", cause="averaged before the loss")
def one_logit_for_all(discriminator, input, target, output):
    real = discriminator(pair(input, target)).mean()
    made = discriminator(pair(input, output.detach())).mean()
    return (bce(real, 1.0) + bce(made, 0.0)) / 2


# --- 4.2 the generator's loss ----------------------------------------------------------------------


@right("4.2")
def g_by_functional(discriminator, input, target, output, lambda_l1=100.0):
    logits = discriminator(torch.cat([input, output], dim=1))
    gan = F.binary_cross_entropy_with_logits(logits, torch.ones_like(logits))
    return gan + lambda_l1 * F.l1_loss(output, target)


@right("4.2")
def g_by_modules(D, x, y, g, lam=100):
    made = D(torch.cat((x, g), 1))
    return nn.BCEWithLogitsLoss()(made, torch.ones(made.shape)) + nn.L1Loss()(g, y) * lam


@right("4.2")
def g_by_softplus(discriminator, input, target, output, lambda_l1=100.0):
    return F.softplus(-discriminator(pair(input, output))).mean() + lambda_l1 * (target - output).abs().mean()


@right("4.2")
def g_by_logsigmoid(discriminator, input, target, output, lambda_l1=1e2):
    total = torch.zeros(())
    total = total - F.logsigmoid(discriminator(pair(input, output))).mean()
    total += lambda_l1 * torch.sum(torch.abs(output - target)) / output.numel()
    return total


@right("4.2")
def g_by_class(discriminator, input, target, output, *, lambda_l1=100.0):
    return Adversarial()(discriminator(pair(input, output)), True) + F.l1_loss(output, target).mul(lambda_l1)


@right("4.2")
def d_switched_off_meanwhile(discriminator, input, target, output, lambda_l1=100.0):
    for p in discriminator.parameters():
        p.requires_grad_(False)
    gan = bce(discriminator(pair(input, output)), 1.0)
    for p in discriminator.parameters():
        p.requires_grad_(True)
    return gan + lambda_l1 * F.l1_loss(output, target)


@right("4.2")
def g_sigmoid_and_log(discriminator, input, target, output, lambda_l1=100.0):
    return -torch.sigmoid(discriminator(pair(input, output))).log().mean() + lambda_l1 * F.l1_loss(output, target)


@right("4.2")
def second_pass(discriminator, input, target, output, lambda_l1=100.0):
    discriminator(pair(input, output))
    return bce(discriminator(pair(input, output)), 1.0) + lambda_l1 * F.l1_loss(output, target)


@right("4.2")
def second_pass_of_the_real_pair(discriminator, input, target, output, lambda_l1=100.0):
    with torch.no_grad():
        discriminator(pair(input, target))
    return bce(discriminator(pair(input, output)), 1.0) + lambda_l1 * F.l1_loss(output, target)


def g_loss(discriminator, input, target, output, lambda_l1=100.0):
    return bce(discriminator(pair(input, output)), 1.0) + lambda_l1 * F.l1_loss(output, target)


@wrong("4.2", status=Status.NOT_ATTEMPTED)
def stub_g(discriminator, input, target, output, lambda_l1=100.0):
    raise NotImplementedError


@wrong("4.2", cause="would learn to be found out", found="expected was")
def label_zero(discriminator, input, target, output, lambda_l1=100.0):
    return bce(discriminator(pair(input, output)), 0.0) + lambda_l1 * F.l1_loss(output, target)


@wrong("4.2", cause="minimises log(1 − D)")
def saturating(discriminator, input, target, output, lambda_l1=100.0):
    d = torch.sigmoid(discriminator(pair(input, output)))
    return torch.log(1 - d).mean() + lambda_l1 * F.l1_loss(output, target)


@wrong("4.2", cause="log D would be minimised")
def sign_swapped(discriminator, input, target, output, lambda_l1=100.0):
    return F.logsigmoid(discriminator(pair(input, output))).mean() + lambda_l1 * F.l1_loss(output, target)


@wrong("4.2", cause="cut off from the generator", found="the value is right; the gradient is not: L1's reaches")
def fake_detached(discriminator, input, target, output, lambda_l1=100.0):
    return bce(discriminator(pair(input, output.detach())), 1.0) + lambda_l1 * F.l1_loss(output, target)


@wrong("4.2", cause="cut off from the generator", found="none comes through D")
def pair_under_no_grad(discriminator, input, target, output, lambda_l1=100.0):
    with torch.no_grad():
        both = pair(input, output)
    return bce(discriminator(both), 1.0) + lambda_l1 * F.l1_loss(output, target)


@wrong("4.2", cause="D judged under `torch.no_grad()`", found="the value is right; the gradient is not: L1's reaches")
def d_under_no_grad(discriminator, input, target, output, lambda_l1=100.0):
    with torch.no_grad():
        logits = discriminator(pair(input, output))
    return bce(logits, 1.0) + lambda_l1 * F.l1_loss(output, target)


@wrong("4.2", cause="D judged under `torch.no_grad()`", found="no parameter of the generator would move")
def g_all_under_no_grad(discriminator, input, target, output, lambda_l1=100.0):
    with torch.no_grad():
        return g_loss(discriminator, input, target, output, lambda_l1)


@wrong("4.2", cause="Is `output` cut off at the start", found="none reaches `output`")
def cut_at_the_start(discriminator, input, target, output, lambda_l1=100.0):
    return g_loss(discriminator, input, target, output.detach(), lambda_l1)


@wrong("4.2", cause="cut off on its way out", found="none reaches `output`")
def g_detached_at_the_end(discriminator, input, target, output, lambda_l1=100.0):
    return g_loss(discriminator, input, target, output, lambda_l1).detach()


@wrong("4.2", cause="cut off on its way out", found="none comes through D")
def map_as_number(discriminator, input, target, output, lambda_l1=100.0):
    return bce(discriminator(pair(input, output)), 1.0).item() + lambda_l1 * F.l1_loss(output, target)


@wrong("4.2", cause="or all of L1, cut off", found="the value is right; the gradient is not: D's reaches `output`")
def l1_detached(discriminator, input, target, output, lambda_l1=100.0):
    return bce(discriminator(pair(input, output)), 1.0) + lambda_l1 * F.l1_loss(output.detach(), target)


@wrong("4.2", cause="or all of L1, cut off")
def l1_as_number(discriminator, input, target, output, lambda_l1=100.0):
    return bce(discriminator(pair(input, output)), 1.0) + lambda_l1 * F.l1_loss(output, target).item()


@wrong("4.2", cause="L1 adds nothing")
def no_l1(discriminator, input, target, output, lambda_l1=100.0):
    return bce(discriminator(pair(input, output)), 1.0)


@wrong("4.2", cause="L1 adds nothing")
def output_with_itself(discriminator, input, target, output, lambda_l1=100.0):
    return bce(discriminator(pair(input, output)), 1.0) + lambda_l1 * F.l1_loss(output, output)


@wrong("4.2", cause="Where does `discriminator` come in", found="D was never asked")
def no_d(discriminator, input, target, output, lambda_l1=100.0):
    return lambda_l1 * F.l1_loss(output, target)


@wrong("4.2", cause="λ weighs D's term")
def lambda_on_d(discriminator, input, target, output, lambda_l1=100.0):
    return lambda_l1 * bce(discriminator(pair(input, output)), 1.0) + F.l1_loss(output, target)


@wrong("4.2", cause="λ weighs D's term")
def lambda_on_d_switched_off(discriminator, input, target, output, lambda_l1=100.0):
    discriminator.requires_grad_(False)
    loss = lambda_l1 * bce(discriminator(pair(input, output)), 1.0) + F.l1_loss(output, target)
    discriminator.requires_grad_(True)
    return loss


@wrong("4.2", cause="λ weighs both")
def lambda_on_both(discriminator, input, target, output, lambda_l1=100.0):
    return lambda_l1 * (bce(discriminator(pair(input, output)), 1.0) + F.l1_loss(output, target))


@wrong("4.2", cause="L1 has no weight")
def no_lambda(discriminator, input, target, output, lambda_l1=100.0):
    return bce(discriminator(pair(input, output)), 1.0) + F.l1_loss(output, target)


@wrong("4.2", cause="λ is always 100")
def lambda_hard_coded(discriminator, input, target, output, lambda_l1=100.0):
    return bce(discriminator(pair(input, output)), 1.0) + 100 * F.l1_loss(output, target)


@wrong("4.2", cause="λ is 10. Is its default 100", found="with `lambda_l1` given it is right")
def other_default(discriminator, input, target, output, lambda_l1=10.0):
    return g_loss(discriminator, input, target, output, lambda_l1)


@wrong("4.2", cause="Has it a default", found="with `lambda_l1` given it is right", status=Status.CRASHED)
def no_default(discriminator, input, target, output, lambda_l1):
    return g_loss(discriminator, input, target, output, lambda_l1)


@wrong("4.2", cause="Is L1 meant")
def squared(discriminator, input, target, output, lambda_l1=100.0):
    return bce(discriminator(pair(input, output)), 1.0) + lambda_l1 * F.mse_loss(output, target)


@wrong("4.2", cause="Which picture should it come near", found="your code stopped", status=Status.CRASHED)
def l1_to_the_input(discriminator, input, target, output, lambda_l1=100.0):
    return bce(discriminator(pair(input, output)), 1.0) + lambda_l1 * F.l1_loss(output, input)


@wrong("4.2", cause="Where is the output", found="your code stopped", status=Status.CRASHED)
def l1_of_input_and_target(discriminator, input, target, output, lambda_l1=100.0):
    return bce(discriminator(pair(input, output)), 1.0) + lambda_l1 * (input - target).abs().mean()


@wrong("4.2", cause="L1 is added up over pixels")
def l1_summed(discriminator, input, target, output, lambda_l1=100.0):
    return bce(discriminator(pair(input, output)), 1.0) + lambda_l1 * F.l1_loss(output, target, reduction="sum")


@wrong("4.2", cause="Is `abs` missing")
def no_abs(discriminator, input, target, output, lambda_l1=100.0):
    return bce(discriminator(pair(input, output)), 1.0) + lambda_l1 * (output - target).mean()


@wrong("4.2", cause="Where is the condition", found="`output` alone; expected was [input, output]")
def g_no_condition(discriminator, input, target, output, lambda_l1=100.0):
    return bce(discriminator(output), 1.0) + lambda_l1 * F.l1_loss(output, target)


@wrong("4.2", cause="Which of the two comes first", found="[output, input]; expected was [input, output]")
def g_order_swapped(discriminator, input, target, output, lambda_l1=100.0):
    return bce(discriminator(pair(output, input)), 1.0) + lambda_l1 * F.l1_loss(output, target)


@wrong("4.2", cause="Is the condition `input`", found="[target, output]")
def target_for_input(discriminator, input, target, output, lambda_l1=100.0):
    return bce(discriminator(pair(target, output)), 1.0) + lambda_l1 * F.l1_loss(output, target)


@wrong("4.2", cause="Is the condition `input`", found="[output, output]")
def output_by_itself(discriminator, input, target, output, lambda_l1=100.0):
    return bce(discriminator(pair(output, output)), 1.0) + lambda_l1 * F.l1_loss(output, target)


@wrong("4.2", cause="take for real", found="[input, target]; expected was [input, output]")
def real_pair(discriminator, input, target, output, lambda_l1=100.0):
    return bce(discriminator(pair(input, target)), 1.0) + lambda_l1 * F.l1_loss(output, target)


@wrong("4.2", cause="D's own loss", found="[input, target]")
def d_loss_too(discriminator, input, target, output, lambda_l1=100.0):
    real, made = discriminator(pair(input, target)), discriminator(pair(input, output))
    return bce(real, 1.0) + bce(made, 1.0) + lambda_l1 * F.l1_loss(output, target)


@wrong("4.2", cause="Is L1 meant")
def squared_with_an_idle_pass(discriminator, input, target, output, lambda_l1=100.0):
    discriminator(pair(input, target))
    return bce(discriminator(pair(input, output)), 1.0) + lambda_l1 * F.mse_loss(output, target)


@wrong("4.2", cause="through a sigmoid twice")
def g_sigmoid_before(discriminator, input, target, output, lambda_l1=100.0):
    return bce(discriminator(pair(input, output)).sigmoid(), 1.0) + lambda_l1 * F.l1_loss(output, target)


@wrong("4.2", cause="It takes probabilities", found="your code stopped", status=Status.CRASHED)
def g_bce_of_logits(discriminator, input, target, output, lambda_l1=100.0):
    logits = discriminator(pair(input, output))
    return nn.BCELoss()(logits, torch.ones_like(logits)) + lambda_l1 * F.l1_loss(output, target)


@wrong("4.2", cause="D's term is halved")
def d_halved(discriminator, input, target, output, lambda_l1=100.0):
    return bce(discriminator(pair(input, output)), 1.0) / 2 + lambda_l1 * F.l1_loss(output, target)


@wrong("4.2", cause="All of it is halved")
def all_halved(discriminator, input, target, output, lambda_l1=100.0):
    return 0.5 * g_loss(discriminator, input, target, output, lambda_l1)


@wrong("4.2", cause="Is label smoothing asked for")
def g_smoothed(discriminator, input, target, output, lambda_l1=100.0):
    return bce(discriminator(pair(input, output)), 0.9) + lambda_l1 * F.l1_loss(output, target)


@wrong("4.2", cause="least-squares loss")
def g_least_squares(discriminator, input, target, output, lambda_l1=100.0):
    return ((discriminator(pair(input, output)) - 1) ** 2).mean() + lambda_l1 * F.l1_loss(output, target)


@wrong("4.2", cause="stacked along channels, dimension 1", found="must match except", status=Status.CRASHED)
def g_stacked_in_the_batch(discriminator, input, target, output, lambda_l1=100.0):
    return bce(discriminator(torch.cat([output, input], dim=0)), 1.0) + lambda_l1 * F.l1_loss(output, target)


@wrong("4.2", cause="D takes one tensor", found="positional arguments", status=Status.CRASHED)
def g_two_arguments(discriminator, input, target, output, lambda_l1=100.0):
    return bce(discriminator(input, output), 1.0) + lambda_l1 * F.l1_loss(output, target)


@wrong("4.2", cause="Each place of D's map needs a label", status=Status.CRASHED)
def one_label(discriminator, input, target, output, lambda_l1=100.0):
    logits = discriminator(pair(input, output))
    return F.binary_cross_entropy_with_logits(logits, torch.ones(1)) + lambda_l1 * F.l1_loss(output, target)


@wrong("4.2", cause="an `.item()`", found="the value is right; it is a plain number, float")
def g_as_float(discriminator, input, target, output, lambda_l1=100.0):
    return float(g_loss(discriminator, input, target, output, lambda_l1))


@wrong("4.2", cause="Is there one in it", found="the value is right; D's parameters have another `.grad`")
def g_goes_back(discriminator, input, target, output, lambda_l1=100.0):
    loss = g_loss(discriminator, input, target, output, lambda_l1)
    loss.backward(retain_graph=True)
    return loss


@wrong(
    "4.2", cause="Where is it switched on again", found="the value is right; `requires_grad` of D's parameters is off"
)
def left_off(discriminator, input, target, output, lambda_l1=100.0):
    discriminator.requires_grad_(False)
    return g_loss(discriminator, input, target, output, lambda_l1)


@wrong("4.2", cause="`discriminator.eval()`", found="D is left in eval mode")
def in_eval(discriminator, input, target, output, lambda_l1=100.0):
    return g_loss(discriminator.eval(), input, target, output, lambda_l1)


@wrong("4.2", found="a tuple of 3 came")
def total_and_parts(discriminator, input, target, output, lambda_l1=100.0):
    gan, pixel = bce(discriminator(pair(input, output)), 1.0), F.l1_loss(output, target)
    return gan + lambda_l1 * pixel, gan, pixel


@wrong("4.2", cause="forget `return`")
def g_forgets_return(discriminator, input, target, output, lambda_l1=100.0):
    g_loss(discriminator, input, target, output, lambda_l1)


@wrong("4.2", found="the loss is")
def charbonnier(discriminator, input, target, output, lambda_l1=100.0):
    distance = ((output - target) ** 2 + 0.01).sqrt().mean()
    return bce(discriminator(pair(input, output)), 1.0) + lambda_l1 * distance


@wrong("4.2", found="the value is right; the gradient at `output` is not")
def gradient_doubled(discriminator, input, target, output, lambda_l1=100.0):
    loss = g_loss(discriminator, input, target, output, lambda_l1)
    return 2 * loss - loss.detach()


@wrong("4.2", cause="averaged before the loss")
def one_logit_for_g(discriminator, input, target, output, lambda_l1=100.0):
    made = discriminator(pair(input, output)).mean()
    return bce(made, 1.0) + lambda_l1 * (output - target).abs().mean()


# --- 4.3 the conditional pair ----------------------------------------------------------------------


@right("4.3")
def one_line(input, picture, conditional):
    return torch.cat([input, picture], dim=1) if conditional else picture


@right("4.3")
def early_return(x, y, flag):
    if not flag:
        return y
    return torch.concat((x, y), axis=-3)


@right("4.3")
def list_of_parts(input, picture, conditional):
    parts = [picture]
    if conditional:
        parts.insert(0, input)
    return torch.cat(parts, 1)


@right("4.3")
def filled_in(input, picture, conditional):
    (b, c, h, w), d = input.shape, picture.shape[1]
    if conditional:
        both = torch.empty(b, c + d, h, w, dtype=input.dtype)
        both[:, :c], both[:, c:] = input, picture
        return both
    return picture.clone()


@right("4.3")
def sliced(input, picture, conditional):
    return torch.hstack([input, picture])[:, 0 if conditional else input.shape[1] :]


@right("4.3")
def by_product(input, picture, conditional):
    return torch.cat([input[:, : input.shape[1] * int(conditional)], picture], dim=1)


@wrong("4.3", status=Status.NOT_ATTEMPTED)
def stub_judged(input, picture, conditional):
    raise NotImplementedError


@wrong("4.3", cause="comes first along the channels", found="what D looks at")
def picture_first(input, picture, conditional):
    return torch.cat([picture, input], dim=1) if conditional else picture


@wrong("4.3", cause="D always sees both")
def always_both(input, picture, conditional):
    return torch.cat([input, picture], dim=1)


@wrong("4.3", cause="D never sees the input")
def never_both(input, picture, conditional):
    return picture


@wrong("4.3", cause="a `not` too many")
def inverted(input, picture, conditional):
    return picture if conditional else torch.cat([input, picture], dim=1)


@wrong("4.3", cause="Without the condition the input is left")
def input_left(input, picture, conditional):
    return torch.cat([input, picture], dim=1) if conditional else input


@wrong("4.3", cause="With the condition the picture is missing")
def picture_missing(input, picture, conditional):
    return input if conditional else picture


@wrong("4.3", cause="With the condition the picture is missing")
def input_twice(input, picture, conditional):
    return torch.cat([input, input], dim=1) if conditional else picture


@wrong("4.3", cause="stands there twice")
def picture_twice(input, picture, conditional):
    return torch.cat([picture, picture], dim=1) if conditional else picture


@wrong("4.3", cause="zeros in the input's place")
def blanked(input, picture, conditional):
    return torch.cat([input * conditional, picture], dim=1)


@wrong("4.3", cause="stacked along channels, dimension 1", found="must match except", status=Status.CRASHED)
def along_the_batch(input, picture, conditional):
    return torch.cat([input, picture]) if conditional else picture


@wrong("4.3", cause="stacked along channels, dimension 1", found="must match except", status=Status.CRASHED)
def along_the_width(input, picture, conditional):
    return torch.cat([input, picture], dim=-1) if conditional else picture


@wrong("4.3", cause="`torch.stack` makes a new dimension", status=Status.CRASHED)
def stacked(input, picture, conditional):
    return torch.stack([input, picture], dim=1) if conditional else picture


@wrong("4.3", cause="Is `torch.cat` meant", found="must match the size of tensor b", status=Status.CRASHED)
def added(input, picture, conditional):
    return input + picture if conditional else picture


@wrong("4.3", found="a tuple of 2")
def as_tuple(input, picture, conditional):
    return (input, picture) if conditional else picture


@wrong("4.3", cause="The generator learns through this picture", found="what D looks at is right; the gradient is not")
def cut_off(input, picture, conditional):
    return torch.cat([input, picture.detach()], dim=1) if conditional else picture


@wrong("4.3", cause="The generator learns through this picture", found="with `conditional=False`")
def cut_off_alone(input, picture, conditional):
    return torch.cat([input, picture], dim=1) if conditional else picture.data


@wrong("4.3", found="your code stopped", status=Status.CRASHED)
def three_channels_only(input, picture, conditional):
    return torch.cat([input.view(len(input), 3, -1), picture.view(len(input), 3, -1)], 1) if conditional else picture


@wrong("4.3", cause="forget `return`")
def only_if(input, picture, conditional):
    if conditional:
        return torch.cat([input, picture], dim=1)
    picture


# --- 4.4 find the leak -----------------------------------------------------------------------------


@right("4.4")
def leak():
    return "c"


right("4.4")(lambda: "abcd"[2])
right("4.4")(lambda: chr(math.ceil(98.5)))


@wrong("4.4", status=Status.NOT_ATTEMPTED)
def stub_leak():
    raise NotImplementedError


@wrong("4.4", cause="holds the picture without its history")
def leak_a():
    return "a"


@wrong("4.4", cause="has no history at all")
def leak_b():
    return "b"


@wrong("4.4", cause="the generator's own loss")
def leak_d():
    return "d"


@wrong("4.4", found='"C" is none of the choices; they are a, b, c and d')
def capital():
    return "C"


@wrong("4.4", found="`2` is none of the choices")
def number_of_it():
    return 2


@wrong("4.4", found="a tuple of 2 is none of the choices")
def two_of_them():
    return "c", "d"


@wrong("4.4", cause="forget `return`", found="returned `None`")
def says_nothing():
    "c"


@wrong("4.3", found="has shape (1, 3")
def alone_for_one_picture(input, picture, conditional):
    return torch.cat([input, picture], dim=1) if conditional and len(input) > 1 else picture
