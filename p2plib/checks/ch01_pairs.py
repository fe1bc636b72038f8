"""Exercises of chapter 01: a pair split, pictures in [-1, 1] and back, joint jitter and mirror."""

from __future__ import annotations

import torch
from torch import Tensor

from p2plib.checks import crops
from p2plib.checks.registry import Exercise, Part
from p2plib.checks.trial import Case, Mistake, Trial
from p2plib.data.augment import jitter, to_bytes, to_signed
from p2plib.data.pairs import split_pair

# --- 1.1 ---------------------------------------------------------------------------------------


def _halves(picture: Tensor, direction: str, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    return (first, second) if direction == "AtoB" else (second, first)


def _columns_by_height(p: Tensor, d: str) -> tuple[Tensor, Tensor]:
    middle = p.shape[1] // 2
    return _halves(p, d, p[:, :, :middle], p[:, :, middle:])


SPLIT_MISTAKES = (
    Mistake(
        "Input and target have changed places. Which half is A, and which one is the input for `AtoB`?",
        lambda p, d: split_pair(p, "BtoA" if d == "AtoB" else "AtoB"),
    ),
    Mistake(
        "It is the same for both directions. Where does `direction` come in?",
        lambda p, d: split_pair(p, "AtoB"),
        lambda p, d: split_pair(p, "BtoA"),
    ),
    Mistake(
        "The picture is cut into an upper and a lower half. Which dimension of (C, H, W) is the width?",
        lambda p, d: _halves(p, d, p[:, : p.shape[1] // 2], p[:, p.shape[1] // 2 :]),
        lambda p, d: _halves(p, d, *p.chunk(2, 1)),
        lambda p, d: _halves(p, d, p[:, : p.shape[2] // 2], p[:, p.shape[2] // 2 :]),
    ),
    Mistake("The columns are cut at half of the height. Is the width `shape[1]` or `shape[2]`?", _columns_by_height),
    Mistake(
        "Input and target are the same half. Where does the other one begin?",
        lambda p, d: (split_pair(p, "AtoB")[0],) * 2,
        lambda p, d: (split_pair(p, "AtoB")[1],) * 2,
        lambda p, d: (split_pair(p, d)[0],) * 2,
        lambda p, d: (split_pair(p, d)[1],) * 2,
    ),
    Mistake(
        "Every second column went to each side. Is `: n` meant, in place of `:: 2`?",
        lambda p, d: _halves(p, d, p[..., ::2], p[..., 1::2]),
    ),
    Mistake(
        "B is mirrored. Are its columns counted from the end?",
        lambda p, d: _halves(p, d, split_pair(p, "AtoB")[0], split_pair(p, "AtoB")[1].flip(-1)),
    ),
)


def check_split(t: Trial) -> None:
    """Channels, heights and dtypes of several kinds, both directions; then odd widths."""
    shapes = ((3, 8, 14), (1, 10, 6), (4, 6, 2 * t.integer(9, 12)), (3, 2 * t.integer(9, 11), 12))
    pictures = [t.bytes(*shape) for shape in shapes]
    pictures.append(t.uniform(3, 8, 18, dtype=torch.float32))  # pictures in [-1, 1] are split as well
    cases = [Case((p, d), split_pair(p, d)) for p in pictures for d in ("AtoB", "BtoA")]
    t.compare(cases, ("the input", "the target"), mistakes=SPLIT_MISTAKES)
    t.right("even widths are split right")
    for width, direction in ((2 * t.integer(4, 9) + 1, "AtoB"), (7, "BtoA")):
        t.refuses(ValueError, t.bytes(3, 6, width), direction, because=f"a width of {width} has no two equal halves")


# --- 1.2 ---------------------------------------------------------------------------------------

WRAPS = "uint8 knows no number above 255 and none below 0: it starts again. Is the picture float before you calculate?"
#: float32 has 7 digits; forms of the same formula differ in the last ones.
ROUNDING = 1e-6

SIGNED_MISTAKES = (
    Mistake(WRAPS, lambda p: p * 2 / 255 - 1, lambda p: (p * 2 - 255) / 255, lambda p: (p - 128) / 128),
    Mistake(WRAPS, lambda p: (p - 127) / 127.5, lambda p: (p - 128) / 127.5, lambda p: (2 * p).float() / 255 - 1),
    Mistake(WRAPS, lambda p: (p * 2 - 1) / 255, lambda p: (p * 2 - 255).float() / 255),
    Mistake(
        "Black is 0 and white 1: that is [0, 1]. What takes it to [-1, 1]?",
        lambda p: p / 255,
        lambda p: p.double() / 255,
    ),
    Mistake("Black is 0 and white 2. Is the `- 1` missing?", lambda p: p / 127.5, lambda p: p / 255 * 2),
    Mistake(
        "White falls short of 1. The bytes end at 255, not at 256: is 127.5 meant, the half of 255?",
        lambda p: p / 128 - 1,
        lambda p: (p.float() - 128) / 128,
        lambda p: p / 256 * 2 - 1,
    ),
    Mistake("White is above 1. Is 127.5 meant in place of 127, the half of 255?", lambda p: p / 127 - 1),
    Mistake("Grey is not 0 but the ends lie at -0.5 and 0.5. Is a `* 2` missing?", lambda p: p / 255 - 0.5),
    Mistake(
        "It depends on the darkest and the brightest value of each picture. Should 0 not always give -1, and 255 1?",
        lambda p: (p.float() - p.min()) / (p.max().float() - p.min()) * 2 - 1,
        lambda p: (p.float() - p.min()) / (p.float().max() - p.float().min()) * 2 - 1,
    ),
    Mistake(
        "Each picture has its own mean taken away and is divided by its own deviation. Should 0 not always give -1?",
        lambda p: (p.float() - p.float().mean()) / p.float().std(),
    ),
    Mistake(
        "Almost everything is 1. The tanh is the network's last layer: a picture is only scaled and moved, is it not?",
        lambda p: torch.tanh(p.float()),
        lambda p: torch.tanh(p.float() / 255),
        lambda p: torch.tanh(p.float() / 127.5 - 1),
    ),
    Mistake("Black and white have changed places. Is the sign right?", lambda p: 1 - p / 127.5),
)


def _to_unit(x: Tensor) -> Tensor:
    return (x + 1) * 127.5


BYTES_MISTAKES = (
    Mistake(
        "A conversion to uint8 cuts off what stands behind the point. Is `round()` missing?",
        lambda x: _to_unit(x.clamp(-1, 1)).to(torch.uint8),
        lambda x: _to_unit(x).clamp(0, 255).to(torch.uint8),
        lambda x: (x.clamp(-1, 1) * 127.5 + 127.5).to(torch.uint8),
        lambda x: ((x.clamp(-1, 1) + 1) / 2 * 255).to(torch.uint8),
        lambda x: ((x + 1) / 2 * 255).clamp(0, 255).to(torch.uint8),
    ),
    Mistake(
        "The conversion to uint8 cuts off what stands behind the point, and lets what lies outside wrap around. "
        "Which two steps are missing before it?",
        lambda x: _to_unit(x).to(torch.uint8),
        lambda x: (x * 127.5 + 127.5).to(torch.uint8),
        lambda x: ((x + 1) / 2 * 255).to(torch.uint8),
        lambda x: ((x + 1) * 0.5 * 255).to(torch.uint8),
    ),
    Mistake(
        "What lies outside of [-1, 1] wraps around. Is a `clamp` missing?",
        lambda x: _to_unit(x).round().to(torch.uint8),
        lambda x: (x * 127.5 + 127.5).round().to(torch.uint8),
        lambda x: ((x + 1) / 2 * 255).round().to(torch.uint8),
    ),
    Mistake(
        "What lies below 0 becomes black. The picture is in [-1, 1], not in [0, 1]: is a `+ 1` missing?",
        lambda x: (x.clamp(0, 1) * 255).round().to(torch.uint8),
        lambda x: (x * 255).clamp(0, 255).round().to(torch.uint8),
        lambda x: (x * 127.5).clamp(0, 255).round().to(torch.uint8),
    ),
    Mistake(
        "128 in place of 127.5 makes the way back longer than the way there. What undoes a division by 127.5?",
        lambda x: ((x + 1) * 128).round().clamp(0, 255).to(torch.uint8),
        lambda x: (x * 128 + 128).round().clamp(0, 255).to(torch.uint8),
        lambda x: ((x + 1) * 128).clamp(0, 255).to(torch.uint8),
    ),
    Mistake(
        "Everything is rounded up. Is `round` meant in place of `ceil`?",
        lambda x: _to_unit(x.clamp(-1, 1)).ceil().to(torch.uint8),
    ),
)


def check_there_and_back(t: Trial) -> None:
    """All 256 values, pictures that do not span them, batches; back from between the steps and from outside."""
    every = torch.arange(256, dtype=torch.uint8).view(1, 16, 16)
    narrow = (t.bytes(3, 5, 7) // 3 + 40).to(torch.uint8)
    pictures = [t.bytes(3, 6, t.integer(7, 12)), every, narrow, t.bytes(2, 4, 5, 3)]
    cases = [Case((p,), to_signed(p)) for p in pictures]
    t.compare(cases, ("the result of `to_signed`",), mistakes=SIGNED_MISTAKES, tolerance=ROUNDING)
    t.right("`to_signed` is right")
    steps = t.bytes(3, 5, t.integer(6, 9)).float() + t.uniform(1, low=-0.35, high=0.35, dtype=torch.float32)
    outside = t.uniform(2, 3, 4, 5, low=-1.6, high=1.6, dtype=torch.float32)
    outside[0, 0, 0] = torch.tensor([-1.9, -1.01, 1.01, 1.9, 1.5])
    floats = [to_signed(every), (steps / 127.5 - 1).clamp(-1, 1), _off_ties(outside)]
    cases = [Case((x,), to_bytes(x)) for x in floats]
    t.compare(cases, ("the result of `to_bytes`",), mistakes=BYTES_MISTAKES, of=1)


def _off_ties(x: Tensor) -> Tensor:
    """Values that do not lie half-way between two bytes, where any rounding is as good as any other."""
    steps = x * 127.5
    return torch.where((steps.frac().abs() * 2 - 1).abs() < 0.05, (steps.trunc() + 0.3) / 127.5, x)


EXERCISES = (
    Exercise(
        id="1.1",
        title="split a pair",
        parts=(Part("split_pair", ("picture", "direction"), split_pair),),
        check=check_split,
        hints=(
            "Begin with the width, the last number of the shape: what if it is odd?",
            "`picture[..., :n]` takes the first `n` columns, whatever stands before; `picture[..., n:]` the rest.",
            'Cut first, into A and B. Return `(a, b)` if the direction is "AtoB", else `(b, a)`.',
        ),
    ),
    Exercise(
        id="1.2",
        title="to [-1, 1] and back",
        parts=(Part("to_signed", ("picture",), to_signed), Part("to_bytes", ("x",), to_bytes)),
        check=check_there_and_back,
        hints=(
            "0 is to become -1 and 255 to become 1. Which number lies in the middle, and becomes 0?",
            "There: make it float, divide by 127.5, take away 1. Back: the same steps undone, in the other order.",
            "Before `.to(torch.uint8)`: `clamp` what lies outside, then `round`; the conversion does neither.",
        ),
    ),
    Exercise(
        id="1.3",
        title="joint jitter and mirror",
        parts=(Part("jitter", ("input", "target", "size", "generator"), jitter),),
        check=crops.check_jitter,
        hints=(
            "Draw the numbers first: how far from the top, how far from the left, mirror or not. Then cut both.",
            "In a picture of height 10 a crop of 8 can begin at 0, 1 or 2. `torch.randint(0, n, ())` never gives `n`.",
            "Hand `generator=generator` to every `torch.randint` and `torch.rand`. `crop.flip(-1)` mirrors columns.",
        ),
    ),
)
