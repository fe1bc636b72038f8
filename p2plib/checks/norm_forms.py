"""Exercise 2.6: what batch norm computes, and what becomes of it on a map of one pixel."""

from __future__ import annotations

import re

import torch
from torch import Tensor

from p2plib.checks.outcome import Status
from p2plib.checks.trial import Case, Mistake, Stop, Trial

ROUNDING = 1e-9
PER_CHANNEL = (0, 2, 3)


def batch_norm(x: Tensor, eps: float = 1e-5) -> Tensor:
    """What `nn.BatchNorm2d` computes in training, with scale 1 and shift 0: (B, C, H, W) → the same shape."""
    mean = x.mean(dim=PER_CHANNEL, keepdim=True)
    variance = x.var(dim=PER_CHANNEL, correction=0, keepdim=True)
    return (x - mean) / torch.sqrt(variance + eps)


def _variance(x: Tensor, dims: tuple[int, ...] = PER_CHANNEL, unbiased: bool = False) -> Tensor:
    apart = (x - x.mean(dims, keepdim=True)).square()
    count = x.numel() // apart.sum(dims).numel()
    return apart.sum(dims, keepdim=True) / torch.tensor(count - unbiased)  # 0 / 0 is NaN, as `torch.var` has it


def _over(x: Tensor, dims: tuple[int, ...], eps: float, unbiased: bool = False) -> Tensor:
    return (x - x.mean(dims, keepdim=True)) / (_variance(x, dims, unbiased) + eps).sqrt()


def _centred(x: Tensor) -> Tensor:
    return x - x.mean(PER_CHANNEL, keepdim=True)


NO_EPS = "On a 1 × 1 map that is 0 / 0, NaN. Where does `eps` come in?"
MISTAKES = (
    Mistake(
        "The variance is divided by n − 1, as `torch.var` does if not told otherwise: on a 1 × 1 map by 0, which "
        "gives NaN. Is `correction=0` (`unbiased=False`) meant?",
        lambda x, eps=1e-5: _over(x, PER_CHANNEL, eps, unbiased=True),
        lambda x, eps=1e-5: _centred(x) / (_variance(x, unbiased=True).sqrt() + eps),
        lambda x, eps=1e-5: _centred(x) / _variance(x, unbiased=True).sqrt(),
    ),
    Mistake(
        "Each picture has a mean of its own: that is instance norm. Over which dimensions goes batch norm?",
        lambda x, eps=1e-5: _over(x, (2, 3), eps),
        lambda x, eps=1e-5: _over(x, (2, 3), eps, unbiased=True),
    ),
    Mistake(
        "One mean is taken for all channels. Does not each channel have its own?",
        lambda x, eps=1e-5: _over(x, (0, 1, 2, 3), eps),
        lambda x, eps=1e-5: _over(x, (0, 1, 2, 3), eps, unbiased=True),
    ),
    Mistake(
        "The mean is taken over the channels. Which dimension of (B, C, H, W) has to stay?",
        *(
            lambda x, eps=1e-5, dims=dims, u=u: _over(x, dims, eps, u)
            for dims in ((1,), (1, 2, 3), (0, 1))
            for u in (False, True)
        ),
    ),
    Mistake(
        "The mean is taken over the batch only. Do height and width not count, too?",
        lambda x, eps=1e-5: _over(x, (0,), eps),
        lambda x, eps=1e-5: _over(x, (0,), eps, unbiased=True),
    ),
    Mistake("The mean is not subtracted. Where is it?", lambda x, eps=1e-5: x / (_variance(x) + eps).sqrt()),
    Mistake("Only the mean is subtracted. What is it divided by?", lambda x, eps=1e-5: _centred(x)),
    Mistake(
        "It is divided by the variance. Is its square root meant?",
        lambda x, eps=1e-5: _centred(x) / (_variance(x) + eps),
    ),
    Mistake(
        "`eps` is added to the root. Does it stand under it, beside the variance?",
        lambda x, eps=1e-5: _centred(x) / (_variance(x).sqrt() + eps),
    ),
    Mistake(NO_EPS, lambda x, eps=1e-5: _centred(x) / _variance(x).sqrt()),
    Mistake(
        "`eps` is always 0.00001. What if another one comes in?",
        lambda x, eps=1e-5: _over(x, PER_CHANNEL, 1e-5),
    ),
    Mistake("The root is missing around the sum: only `eps` or only the variance is in it. Where does it end?",
            lambda x, eps=1e-5: _centred(x) / (_variance(x) + eps**0.5).sqrt()),
)  # fmt: skip


def check_norm(t: Trial) -> None:
    """Channels of different mean and spread, several shapes, another eps; one pixel; then the question."""
    pictures = [_picture(t, *shape) for shape in ((3, 4, 5, 7), (1, 3, 4, t.integer(5, 8)), (4, 2, 1, 1))]
    cases = [Case((x,), batch_norm(x)) for x in pictures]
    cases += [Case((x, eps), batch_norm(x, eps)) for x, eps in ((_picture(t, 2, 5, 6, 3), 0.5),)]
    one = _picture(t, 1, 6, 1, 1)
    cases.append(Case((one,), torch.zeros_like(one)))
    try:
        t.compare(cases, ("the result of `batch_norm`",), mistakes=MISTAKES, tolerance=ROUNDING)
    except Stop as stop:
        if stop.status is Status.CRASHED:
            stop.cause = _crash_cause(stop.message, tuple(pictures[0].shape)) or stop.cause
        raise
    t.right("`batch_norm` is right")
    t.choice(
        "b",
        {
            "a": "One number has a mean: itself. What is left of the number when its mean is taken away?",
            "c": "`eps` keeps the root above zero: your `batch_norm` gives 0 there, not infinity. What does a 0 tell "
            "of the picture?",
        },
        of=1,
    )


def _crash_cause(message: str, shape: tuple[int, ...]) -> str | None:
    """Errors that mean one thing only here, for a picture of this shape."""
    if "Expected more than 1 value per channel" in message:
        return "That layer refuses one pixel, too. Can the formula be written out?"
    sides = re.search(r"size of tensor a \((\d+)\) must match the size of tensor b \((\d+)\)", message)
    if sides and {int(sides[1]), int(sides[2])} == {shape[1], shape[3]}:
        return (
            f"One number per channel, of shape ({shape[1]},), is laid along the width of {shape}. What does "
            "`keepdim=True` keep?"
        )
    return None


def _picture(t: Trial, batch: int, channels: int, height: int, width: int) -> Tensor:
    """float64; each channel with a mean and a spread of its own."""
    spread = t.uniform(1, channels, 1, 1, low=0.5, high=3.0)
    return t.normal(batch, channels, height, width) * spread + t.uniform(1, channels, 1, 1, low=-2.0, high=2.0)
