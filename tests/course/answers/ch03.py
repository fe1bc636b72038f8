"""Right and wrong answers to the exercises of chapter 03."""

from __future__ import annotations

import statistics

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from p2plib.checks.outcome import Status
from p2plib.checks.table import right, wrong

# --- 3.1 both losses ----------------------------------------------------------------------------


def l1(output, target):
    return (output - target).abs().mean()


def l2(output, target):
    return (output - target).pow(2).mean()


right("3.1", F.mse_loss)(F.l1_loss)
right("3.1", nn.MSELoss())(nn.L1Loss())
right("3.1", nn.MSELoss)(nn.L1Loss)


@right("3.1", l2)
def backwards(output, target):
    return torch.mean(torch.abs(target - output))


@right("3.1", l2)
def by_count(output, target):
    return (output - target).abs().sum() / output.numel()


@right("3.1", l2)
def larger_minus_smaller(x, y):
    return (torch.maximum(x, y) - torch.minimum(x, y)).mean()


@right("3.1", l2)
def by_sign(output, target):
    return torch.where(output > target, output - target, target - output).flatten().mean()


@right("3.1", l1, ...)
def product(output, target):
    d = output - target
    return (d * d).mean()


@right("3.1", l1, ...)
def multiplied_out(output, target):
    return (output**2 - 2 * output * target + target**2).mean()


@wrong("3.1", l2, status=Status.NOT_ATTEMPTED)
def stub_l1(output, target):
    raise NotImplementedError


@wrong("3.1", l1, ..., status=Status.NOT_ATTEMPTED)
def stub_l2(output, target):
    raise NotImplementedError


@wrong("3.1", l2, cause="`mean` meant in place of `sum`")
def summed(output, target):
    return (output - target).abs().sum()


@wrong("3.1", l2, cause="Is `abs` missing")
def no_abs(output, target):
    return (output - target).mean()


@wrong("3.1", l2, cause="Is `abs` missing")
def no_abs_backwards(output, target):
    return (target - output).mean()


@wrong("3.1", l2, cause="before `abs` comes")
def abs_of_mean(output, target):
    return (output - target).mean().abs()


@wrong("3.1", l2, cause="root of the mean square")
def rmse_for_l1(output, target):
    return ((output - target) ** 2).mean().sqrt()


wrong("3.1", l1, cause="Have the two changed places")(l2)


@wrong("3.1", l2, cause="Where does the factor come from")
def halved_l1(output, target):
    return 0.5 * l1(output, target)


@wrong(
    "3.1",
    l2,
    cause="need a `dim`",
    found="for tensors of shape (2, 3, 5, 4) the result of `l1_loss` has shape (3, 5, 4); expected was ()",
)
def mean_over_batch(output, target):
    return (output - target).abs().mean(dim=0)


@wrong("3.1", l2, cause="need a `dim`")
def mean_of_each_picture(output, target):
    return torch.stack([l1(a, b) for a, b in zip(output, target, strict=True)])


@wrong("3.1", l2, cause="length of the first dimension")
def by_batch(output, target):
    return (output - target).abs().sum() / len(output)


@wrong("3.1", l2, cause="Is a `mean` missing")
def each_pixel(output, target):
    return (output - target).abs()


@wrong("3.1", l2, cause="`mean` meant in place of `max`")
def largest(output, target):
    return (output - target).abs().max()


@wrong("3.1", l2, cause="an `.item()`", found="the value of `l1_loss` is right; it is a plain number, float")
def item(output, target):
    return l1(output, target).item()


@wrong("3.1", l2, cause="an `.item()`", found="a plain number")
def by_numpy(output, target):
    return np.abs(output.detach().numpy() - target.numpy()).mean()


@wrong("3.1", l2, cause="cut off from `output`", found="the value of `l1_loss` is right; the gradient is not")
def detached(output, target):
    return l1(output, target).detach()


@wrong("3.1", l2, cause="cut off from `output`", found="none reaches `output`")
def without_grad(output, target):
    with torch.no_grad():
        return (output - target).abs().mean()


@wrong("3.1", l2, cause="cut off from `output`", found="none reaches `output`")
def wrapped_again(output, target):
    return torch.tensor(l1(output, target).item(), requires_grad=True)


@wrong("3.1", l2, cause="Is `output` detached", found="none reaches `output`")
def output_detached(output, target):
    return (output.detach() - target).abs().mean()


@wrong("3.1", l2, cause="square root", found="NaN or infinite where `output` equals `target`")
def root_of_square(output, target):
    return ((output - target) ** 2).sqrt().mean()


@wrong("3.1", l2, found="the gradient at `output` is not")
def gradient_doubled(output, target):
    return 2 * l1(output, target) - l1(output.detach(), target)


@wrong("3.1", l2, cause="Which line writes into `output`", found="changed in place")
def in_place(output, target):
    output -= target
    return output.abs().mean()


@wrong("3.1", l2, cause="forget `return`")
def forgets_return(output, target):
    (output - target).abs().mean()


@wrong("3.1", l2, found="your code stopped", status=Status.CRASHED)
def four_dimensions_only(output, target):
    return (output - target).abs().mean(dim=(0, 1, 2, 3))


wrong("3.1", l1, ..., cause="Have the two changed places", found="`l1_loss` is right")(l1)


@wrong("3.1", l1, ..., cause="`mean` meant in place of `sum`")
def summed_squares(output, target):
    return ((output - target) ** 2).sum()


@wrong("3.1", l1, ..., cause="A square root is taken")
def rmse(output, target):
    return ((output - target) ** 2).mean().sqrt()


@wrong("3.1", l1, ..., cause="Where does the factor come from")
def halved_l2(output, target):
    return ((output - target) ** 2).mean() / 2


@wrong("3.1", l1, ..., cause="of each difference, or of their mean")
def square_of_mean(output, target):
    return (output - target).mean() ** 2


@wrong("3.1", l1, ..., cause="`** 2` meant in place of `* 2`")
def doubled(output, target):
    return ((output - target) * 2).mean()


@wrong("3.1", l1, ..., cause="Is the square missing")
def not_squared(output, target):
    return (output - target).mean()


@wrong("3.1", l1, ...)
def difference_of_squares(output, target):
    return (output**2 - target**2).mean()


@wrong("3.1", l1, ..., cause="Is `output` detached", found="the value of `l2_loss` is right; the gradient is not")
def data_only(output, target):
    return ((output.data - target) ** 2).mean().clone()


# --- 3.2 the best constant, by hand --------------------------------------------------------------


def median(outcomes):
    return outcomes.median(dim=0).values


def mean(outcomes):
    return outcomes.mean(dim=0)


@right("3.2", mean)
def lower_median(outcomes):
    return torch.median(outcomes, 0)[0]


@right("3.2", mean)
def quantile(outcomes):
    return torch.quantile(outcomes, 0.5, dim=0)


@right("3.2", mean)
def upper_by_sort(outcomes):
    return torch.sort(outcomes, dim=0)[0][len(outcomes) // 2]


@right("3.2", mean)
def between_the_two(outcomes):
    ordered, n = outcomes.sort(0).values, len(outcomes)
    return 0.3 * ordered[(n - 1) // 2] + 0.7 * ordered[n // 2]


@right("3.2", mean)
def by_statistics(outcomes):
    flat = outcomes.reshape(len(outcomes), -1).T.tolist()
    found = [statistics.median(values) for values in flat]
    return found[0] if outcomes.dim() == 1 else torch.tensor(found).reshape(outcomes.shape[1:])


@right("3.2", mean)
def numpy_median(outcomes):
    return torch.from_numpy(np.asarray(np.median(outcomes.numpy(), axis=0)))


@right("3.2", median, ...)
def sum_by_count(outcomes):
    return outcomes.sum(0) / outcomes.shape[0]


@right("3.2", median, ...)
def running_mean(outcomes):
    total = torch.zeros(outcomes.shape[1:])
    for outcome in outcomes:
        total = total + outcome
    return total / len(outcomes)


@right("3.2", median, ...)
def number_for_a_number(outcomes):
    return outcomes.mean().item() if outcomes.dim() == 1 else outcomes.mean(0)


@wrong("3.2", mean, status=Status.NOT_ATTEMPTED)
def stub_best_l1(outcomes):
    raise NotImplementedError


@wrong("3.2", median, ..., status=Status.NOT_ATTEMPTED)
def stub_best_l2(outcomes):
    raise NotImplementedError


wrong("3.2", median, cause="This is the mean", found="L1 distance to the 7 outcomes is")(mean)
wrong("3.2", mean, cause="This is the mean")(mean)
wrong("3.2", median, ..., cause="This is the median", found="`best_l1` is right")(median)


@wrong("3.2", median, ..., cause="This is the median")
def averaged_median(outcomes):
    return outcomes.quantile(0.5, dim=0)


@wrong("3.2", mean, cause="returns two things", found="returned two tensors; expected was one, of shape (3, 5, 6)")
def pair(outcomes):
    return outcomes.median(dim=0)


@wrong("3.2", mean, cause="returns two things", found="returned two tensors")
def pair_in_a_tuple(outcomes):
    values, indices = outcomes.median(dim=0)
    return values, indices


@wrong("3.2", mean, cause="returns two things", found="places where the medians stood")
def places(outcomes):
    return outcomes.median(dim=0).indices


@wrong("3.2", mean, cause="one number for the whole stack", found="has shape ()")
def whole_median(outcomes):
    return outcomes.median()


@wrong("3.2", median, ..., cause="one number for the whole stack")
def whole_mean(outcomes):
    return torch.mean(outcomes)


@wrong("3.2", mean, cause="Which dimension counts the outcomes")
def median_along_1(outcomes):
    return outcomes.median(dim=1).values


@wrong("3.2", median, ..., cause="Which dimension counts the outcomes")
def mean_along_last(outcomes):
    return outcomes.mean(-1)


@wrong("3.2", median, ..., found="has shape (3,)")
def mean_of_all_others(outcomes):
    return outcomes.mean((0, 2, 3))


@wrong("3.2", mean, cause="between the least and the greatest")
def middle_of_range(outcomes):
    return (outcomes.min(0).values + outcomes.max(0).values) / 2


@wrong("3.2", median, ..., cause="between the least and the greatest")
def middle_of_range_for_l2(outcomes):
    return (outcomes.amin(0) + outcomes.amax(0)) / 2


@wrong("3.2", mean, cause="Is a sort missing")
def unsorted(outcomes):
    return outcomes[len(outcomes) // 2]


@wrong("3.2", mean, cause="one of the outcomes")
def first(outcomes):
    return outcomes[0]


@wrong("3.2", mean, cause="most frequent value")
def mode(outcomes):
    return outcomes.mode(dim=0).values


@wrong("3.2", median, ..., cause="division by their number")
def total(outcomes):
    return outcomes.sum(0)


@wrong("3.2", median, ..., cause="mean is taken of squares")
def root_mean_square(outcomes):
    return (outcomes**2).mean(0).sqrt()


@wrong("3.2", mean, found="L1 distance")
def one_too_high(outcomes):
    return outcomes.sort(0).values[min(len(outcomes) // 2 + 1, len(outcomes) - 1)]


@wrong("3.2", mean, cause="Which line writes into `outcomes`", found="changed in place")
def sorts_in_place(outcomes):
    outcomes[:] = outcomes.sort(0).values
    return outcomes[len(outcomes) // 2]


@wrong("3.2", median, ..., found="L2 distance")
def without_the_last(outcomes):
    return outcomes[:-1].mean(0) if len(outcomes) > 1 else outcomes[0]


@wrong("3.2", mean, found="NumPy array")
def stays_numpy(outcomes):
    return np.median(outcomes.numpy(), axis=0)


@wrong("3.2", median, ..., found="your code stopped", status=Status.CRASHED)
def pictures_only(outcomes):
    n, _channels, _height, _width = outcomes.shape
    return outcomes.sum(0) / n


@wrong("3.2", mean, cause="returns two things", status=Status.CRASHED)
def adds_pairs(outcomes):
    return (torch.sort(outcomes, 0)[0][len(outcomes) // 2] + outcomes.median(0)) / 2


@wrong("3.2", mean, found="expected was a float32 tensor")
def values_without_dim(outcomes):
    return outcomes.median().values


# --- 3.3 the best constant, by descent -----------------------------------------------------------


@right("3.3")
def backward_and_zero(loss, outcomes, steps, rate):
    c = torch.zeros(outcomes.shape[1:], requires_grad=True)
    for _ in range(steps):
        loss(c.unsqueeze(0).repeat(len(outcomes), *[1] * c.dim()), outcomes).backward()
        with torch.no_grad():
            c -= rate * c.grad
        c.grad.zero_()
    return c.detach()


@right("3.3")
def by_optimizer(loss, outcomes, steps, rate):
    c = nn.Parameter(torch.zeros_like(outcomes[0]))
    optimizer = torch.optim.SGD([c], lr=rate)
    for _ in range(steps):
        optimizer.zero_grad()
        loss(c.expand_as(outcomes), outcomes).backward()
        optimizer.step()
    return c.data


@right("3.3")
def broadcast(loss, outcomes, steps, rate):
    c = outcomes[0] * 0
    for _ in range(steps):
        c = c.clone().requires_grad_()
        (g,) = torch.autograd.grad(loss(c, outcomes), c)
        c = (c - rate * g).detach()
    return c


@right("3.3")
def one_loss_at_a_time(loss, outcomes, steps, rate):
    c = torch.zeros_like(outcomes[0]).requires_grad_()
    for _ in range(steps):
        c.grad = None
        for outcome in outcomes:
            (loss(c, outcome) / len(outcomes)).backward()
        c.data.sub_(c.grad, alpha=rate)
    return c.detach().clone()


@right("3.3")
def functional(loss, outcomes, steps, rate):
    slope = torch.func.grad(lambda c: loss(torch.stack([c] * len(outcomes)), outcomes))
    c = torch.zeros(outcomes.shape[1:])
    while steps > 0:
        c, steps = c - rate * slope(c), steps - 1
    return c


def walk(loss, outcomes, steps, rate, c=None):
    c = torch.zeros_like(outcomes[0]) if c is None else c
    for _ in range(steps):
        c = c.detach().requires_grad_()
        loss(c.expand_as(outcomes), outcomes).backward()
        c = c - rate * c.grad
    return c.detach()


right("3.3")(walk)


@wrong("3.3", status=Status.NOT_ATTEMPTED)
def stub_descend(loss, outcomes, steps, rate):
    raise NotImplementedError


@wrong("3.3", cause="emptied before every step")
def adds_up(loss, outcomes, steps, rate):
    c = torch.zeros(outcomes.shape[1:], requires_grad=True)
    for _ in range(steps):
        loss(c.expand_as(outcomes), outcomes).backward()
        with torch.no_grad():
            c -= rate * c.grad
    return c.detach()


@wrong("3.3", cause="uphill")
def ascends(loss, outcomes, steps, rate):
    return walk(loss, outcomes, steps, -rate)


@wrong("3.3", cause="One step too many")
def one_more(loss, outcomes, steps, rate):
    return walk(loss, outcomes, steps + 1, rate)


@wrong("3.3", cause="One step is missing")
def one_less(loss, outcomes, steps, rate):
    c = torch.zeros_like(outcomes[0])
    for _ in range(1, steps):
        c = walk(loss, outcomes, 1, rate, c)
    return c


@wrong("3.3", cause="stand inside the loop")
def returns_at_once(loss, outcomes, steps, rate):
    c = torch.zeros_like(outcomes[0])
    for _ in range(steps):
        c = walk(loss, outcomes, 1, rate, c)
        return c
    return c


@wrong("3.3", cause="stand inside the loop")
def begins_anew_in_each_step(loss, outcomes, steps, rate):
    c = torch.zeros_like(outcomes[0])
    for _ in range(steps):
        c = walk(loss, outcomes, 1, rate, torch.zeros_like(outcomes[0]))
    return c


@wrong("3.3", cause="Where does `rate` come in")
def no_rate(loss, outcomes, steps, rate):
    return walk(loss, outcomes, steps, 1)


@wrong("3.3", cause="first picture all zeros", found="the picture after 0 steps")
def from_ones(loss, outcomes, steps, rate):
    return walk(loss, outcomes, steps, rate, torch.ones_like(outcomes[0]))


@wrong("3.3", cause="first picture all zeros")
def from_the_mean(loss, outcomes, steps, rate):
    return walk(loss, outcomes, steps, rate, outcomes.mean(0))


@wrong("3.3", found="expected was from 0 to 0")
def from_noise(loss, outcomes, steps, rate):
    return walk(loss, outcomes, steps, rate, torch.randn_like(outcomes[0]))


@wrong("3.3", cause="Is `loss` called")
def always_l1(loss, outcomes, steps, rate):
    return walk(F.l1_loss, outcomes, steps, rate)


@wrong("3.3", cause="Is `loss` called")
def always_l2(loss, outcomes, steps, rate):
    return walk(F.mse_loss, outcomes, steps, rate)


@wrong("3.3", cause="same picture for every loss")
def the_mean(loss, outcomes, steps, rate):
    return outcomes.mean(0)


@wrong("3.3", cause="same picture for every loss")
def the_median(loss, outcomes, steps, rate):
    return outcomes.median(0).values


@wrong("3.3", cause="In which order")
def arguments_swapped(loss, outcomes, steps, rate):
    return walk(lambda output, target: loss(target, output), outcomes, steps, rate)


@wrong("3.3", cause="N times too long")
def losses_added(loss, outcomes, steps, rate):
    return walk(lambda output, target: sum(map(loss, output, target)), outcomes, steps, rate)


@wrong("3.3", cause="Only one outcome")
def first_outcome_only(loss, outcomes, steps, rate):
    return walk(loss, outcomes[:1], steps, rate)


@wrong("3.3", cause="to the mean of the outcomes")
def towards_the_mean(loss, outcomes, steps, rate):
    return walk(loss, outcomes.mean(0, keepdim=True), steps, rate)


@wrong("3.3", cause="`detach()` missing", found="the values are right; the picture is not detached")
def not_detached(loss, outcomes, steps, rate):
    c = torch.zeros_like(outcomes[0]).requires_grad_()
    for _ in range(steps):
        (g,) = torch.autograd.grad(loss(c.expand_as(outcomes), outcomes), c)
        with torch.no_grad():
            c -= rate * g
    return c


@wrong("3.3", cause="`detach()` missing", found="the picture is not detached")
def whole_chain(loss, outcomes, steps, rate):
    c = torch.zeros_like(outcomes[0]).requires_grad_()
    for _ in range(steps):
        c = c - rate * torch.autograd.grad(loss(c.expand_as(outcomes), outcomes), c)[0]
    return c


@wrong("3.3", cause="with torch.no_grad()", found="leaf Variable", status=Status.CRASHED)
def moved_while_recording(loss, outcomes, steps, rate):
    c = torch.zeros(outcomes.shape[1:], requires_grad=True)
    for _ in range(steps):
        loss(c.expand_as(outcomes), outcomes).backward()
        c -= rate * c.grad
        c.grad = None
    return c.detach()


@wrong("3.3", cause="Does the picture have `requires_grad`", found="does not require grad", status=Status.CRASHED)
def nothing_recorded(loss, outcomes, steps, rate):
    c = torch.zeros(outcomes.shape[1:])
    for _ in range(steps):
        loss(c.expand_as(outcomes), outcomes).backward()
        c = c - rate * c.grad
    return c


@wrong("3.3", cause="Does the picture have `requires_grad`", status=Status.CRASHED)
def all_without_grad(loss, outcomes, steps, rate):
    c = torch.zeros(outcomes.shape[1:], requires_grad=True)
    with torch.no_grad():
        for _ in range(steps):
            c -= rate * torch.autograd.grad(loss(c.expand_as(outcomes), outcomes), c)[0]
    return c.detach()


@wrong("3.3", cause="`.grad` is `None`", found="NoneType", status=Status.CRASHED)
def new_picture_has_no_grad(loss, outcomes, steps, rate):
    c = torch.zeros(outcomes.shape[1:], requires_grad=True)
    for _ in range(steps):
        loss(c.expand_as(outcomes), outcomes).backward()
        c = c - rate * c.grad
    return c.detach()


@wrong("3.3", found="has shape (5, 2, 3); expected was (2, 3)")
def whole_stack(loss, outcomes, steps, rate):
    return walk(loss, outcomes, steps, rate).expand_as(outcomes)


@wrong("3.3")
def adam(loss, outcomes, steps, rate):
    c = torch.zeros_like(outcomes[0]).requires_grad_()
    optimizer = torch.optim.Adam([c], lr=rate)
    for _ in range(steps):
        optimizer.zero_grad()
        loss(c.expand_as(outcomes), outcomes).backward()
        optimizer.step()
    return c.detach()


# --- 3.4 tell the losses apart by measurement ----------------------------------------------------


@right("3.4")
def nearest_by_l1(output, outcomes):
    return "L1" if l1(output, median(outcomes)) < l1(output, mean(outcomes)) else "L2"


@right("3.4")
def nearest_by_l2(output, outcomes):
    distances = {"L1": l2(output, median(outcomes)), "L2": l2(output, mean(outcomes))}
    return min(distances, key=distances.get)


@right("3.4")
def pixels_vote(output, outcomes):
    for_l2 = (output - mean(outcomes)).abs() < (output - median(outcomes)).abs()
    return "L2" if for_l2.float().mean() > 0.5 else "L1"


@right("3.4")
def as_many_above_as_below(output, outcomes):
    above = (outcomes > output).float().mean(0)
    return "L1" if (above - 0.5).abs().mean() < 0.15 else "L2"


@right("3.4")
def what_remains(output, outcomes):
    remains = (outcomes - output).mean(0).abs().mean()
    spread = (outcomes.mean(0) - outcomes.median(0).values).abs().mean()
    return "L2" if remains < 0.5 * spread else "L1"


@right("3.4")
def ratio_to_the_best(output, outcomes):
    many = output[None].expand(outcomes.shape)
    worse_l1 = l1(many, outcomes) / l1(median(outcomes).expand_as(many), outcomes)
    worse_l2 = l2(many, outcomes) / l2(mean(outcomes).expand_as(many), outcomes)
    return ["L1", "L2"][int(worse_l2 < worse_l1)]


@wrong("3.4", status=Status.NOT_ATTEMPTED)
def stub_which(output, outcomes):
    raise NotImplementedError


@wrong("3.4", cause="Each answer is the other one", found="0 of 12")
def names_swapped(output, outcomes):
    return "L2" if nearest_by_l1(output, outcomes) == "L1" else "L1"


@wrong("3.4", cause="What would have to be measured", found='6 of 12 outputs were told right, since it is always "L1"')
def always_says_l1(output, outcomes):
    return "L1"


@wrong("3.4", cause="What would have to be measured", found='always "L2"')
def always_says_l2(output, outcomes):
    return "L2"


@wrong("3.4", cause="different units", found="6 of 12 outputs were told right")
def smaller_loss(output, outcomes):
    return "L1" if l1(output, outcomes) < l2(output, outcomes) else "L2"


@wrong("3.4", cause="different units")
def larger_loss(output, outcomes):
    return "L1" if l1(output, outcomes) > l2(output, outcomes) else "L2"


@wrong("3.4", cause="to the first outcome compared")
def first_outcome(output, outcomes):
    return "L1" if l1(output, outcomes[0]) < l2(output, outcomes[0]) else "L2"


@wrong("3.4", found='expected was "L1" or "L2"; "l')
def small_letters(output, outcomes):
    return nearest_by_l1(output, outcomes).lower()


@wrong("3.4", found='expected was "L1" or "L2"; "me')
def other_words(output, outcomes):
    return {"L1": "median", "L2": "mean"}[nearest_by_l1(output, outcomes)]


@wrong("3.4", found='expected was "L1" or "L2"; `')
def true_or_false(output, outcomes):
    return bool(nearest_by_l1(output, outcomes) == "L1")


@wrong("3.4", found='expected was "L1" or "L2"; a bool tensor of shape () came')
def tensor_of_bool(output, outcomes):
    return l1(output, median(outcomes)) < l1(output, mean(outcomes))


@wrong("3.4", cause="returns two things", found="your code stopped", status=Status.CRASHED)
def pair_not_opened(output, outcomes):
    return "L1" if l1(output, outcomes.median(dim=0)) < l1(output, outcomes.mean(dim=0)) else "L2"


@wrong("3.4", cause="forget `return`")
def prints_it(output, outcomes):
    print(nearest_by_l1(output, outcomes))


@wrong("3.4", cause="What would have to be measured", found="of 12 outputs were told right")
def spread_of_the_output(output, outcomes):
    return "L1" if output.std() > outcomes.std() else "L2"


# --- 3.5 read a blur -----------------------------------------------------------------------------


def places_of(profile, left, right_):
    return torch.diff(profile) / (right_ - left)


def sides(profile, left, right):
    share = (profile - left) / (right - left)
    return torch.where(share > 0.5, right, left)


@right("3.5", sides)
def slices(profile, left, right):
    return (profile[1:] - profile[:-1]) / (right - left)


@right("3.5", sides)
def by_shares(profile, left, right):
    share = (profile - left) / (right - left)
    return share.diff()


@right("3.5", sides)
def by_size(profile, left, right):
    return (profile.diff() / (right - left)).abs()


@right("3.5", sides)
def one_by_one(profile, left, right):
    return torch.tensor([(profile[i + 1] - profile[i]).item() / (right - left) for i in range(len(profile) - 1)])


@right("3.5", places_of, ...)
def nearer_one(profile, left, right):
    return torch.where((profile - left).abs() < (profile - right).abs(), left, right)


@right("3.5", places_of, ...)
def brighter_than_the_middle(profile, left, right):
    return torch.where(profile > (left + right) / 2, max(left, right), min(left, right))


@right("3.5", places_of, ...)
def rounded_share(profile, left, right):
    return left + (right - left) * ((profile - left) / (right - left)).round()


@right("3.5", places_of, ...)
def filled(profile, left, right):
    drawn = torch.full_like(profile, left)
    drawn[abs(profile - left) > abs(right - left) / 2] = right
    return drawn


@wrong("3.5", sides, status=Status.NOT_ATTEMPTED)
def stub_places(profile, left, right):
    raise NotImplementedError


@wrong("3.5", places_of, ..., status=Status.NOT_ATTEMPTED)
def stub_profile(profile, left, right):
    raise NotImplementedError


@wrong("3.5", sides, cause="there in every picture")
def undivided(profile, left, right):
    return profile.diff()


@wrong("3.5", sides, cause="divided by `right` alone")
def by_right(profile, left, right):
    return profile.diff() / right


@wrong("3.5", sides, cause="Must the edge lie within the line")
def normalised(profile, left, right):
    jumps = profile.diff()
    return jumps / jumps.sum()


@wrong("3.5", sides, cause="Must the edge lie within the line")
def by_own_range(profile, left, right):
    return profile.diff().abs() / (profile.max() - profile.min())


@wrong("3.5", sides, cause="Every sign is the other one")
def sign_swapped(profile, left, right):
    return (profile[:-1] - profile[1:]) / (right - left)


@wrong("3.5", sides, cause="get brighter only")
def rising_only(profile, left, right):
    return profile.diff() / abs(right - left)


@wrong("3.5", sides, cause="*between* n pixels", found="expected was (1")
def padded(profile, left, right):
    return torch.cat([torch.zeros(1), profile.diff()]) / (right - left)


@wrong("3.5", sides, cause="*between* n pixels")
def central(profile, left, right):
    return torch.gradient(profile)[0] / (right - left)


@wrong("3.5", sides, cause="How much does it grow")
def cumulative(profile, left, right):
    return (profile - left) / (right - left)


@wrong("3.5", sides, found="expected was a float32 tensor")
def as_list(profile, left, right):
    return places_of(profile, left, right).tolist()


@wrong("3.5", sides)
def softmaxed(profile, left, right):
    return (profile.diff() / (right - left)).softmax(0)


@wrong("3.5", places_of, ..., cause="cut at 0.5", found="`edge_places` is right")
def above_half(profile, left, right):
    return torch.where(profile > 0.5, right, left)


@wrong("3.5", places_of, ..., cause="cut at 0.")
def above_zero(profile, left, right):
    return torch.where(profile > 0, right, left)


@wrong("3.5", places_of, ..., cause="half of the difference")
def above_half_the_step(profile, left, right):
    return torch.where(profile > (right - left) / 2, right, left)


@wrong("3.5", places_of, ..., cause="its most probable place")
def most_probable(profile, left, right):
    at = int(places_of(profile, left, right).argmax())
    return torch.tensor([left] * (at + 1) + [right] * (len(profile) - at - 1))


@wrong("3.5", places_of, ..., cause="mean of the profile")
def above_the_mean(profile, left, right):
    share = (profile - left) / (right - left)
    return torch.where(share > share.mean(), right, left)


@wrong("3.5", places_of, ..., cause="its own two ends")
def above_its_middle(profile, left, right):
    share = (profile - left) / (right - left)
    return torch.where(share > (share.min() + share.max()) / 2, right, left)


@wrong("3.5", places_of, ..., cause="changed places")
def inverted(profile, left, right):
    share = (profile - left) / (right - left)
    return torch.where(share > 0.5, left, right)


@wrong("3.5", places_of, ..., cause="get brighter only")
def rising_profile(profile, left, right):
    return torch.where(profile > (left + right) / 2, right, left)


@wrong("3.5", places_of, ..., cause="the profile itself")
def unchanged(profile, left, right):
    return profile


@wrong("3.5", places_of, ..., cause="says where the line is `right`", found="is bool")
def mask(profile, left, right):
    return (profile - left) / (right - left) > 0.5


@wrong("3.5", places_of, ..., cause="the share of pictures")
def shares(profile, left, right):
    return (profile - left) / (right - left)


@wrong("3.5", places_of, ..., cause="Which line writes into `profile`", found="changed in place")
def writes_into_it(profile, left, right):
    profile[(profile - left) / (right - left) > 0.5] = right
    return profile


@wrong("3.5", places_of, ..., found="your code stopped", status=Status.CRASHED)
def by_if(profile, left, right):
    return right if profile > (left + right) / 2 else left


# --- found by people who tried ------------------------------------------------------------------

right("3.4")(lambda o, x: "L1" if (o - x.median(0).values).square().sum() < (o - x.mean(0)).square().sum() else "L2")


@wrong("3.4", cause="can both be measured alike")
def mixed_units(output, outcomes):
    to_median = (output - outcomes.median(0).values).abs().mean()
    return "L1" if to_median < (output - outcomes.mean(0)).square().mean() else "L2"


@wrong("3.1", l2, cause="length of the difference")
def length(output, target):
    return torch.norm(output - target)
