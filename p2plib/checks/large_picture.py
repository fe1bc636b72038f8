"""The picture of exercise 12.4: large, translated, drawn by one's own network, and no smaller one made larger."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from p2plib.checks.compare import number
from p2plib.checks.run_answer import told
from p2plib.checks.trial import Trial
from p2plib.data.maps import MAP_CLASSES
from p2plib.data.pairs import to_tensor
from p2plib.data.pictures import read_picture
from p2plib.my_work import my_work

#: The file into which chapter 12 writes what its own network drew.
CHAPTERS = "my_city.png"
#: Share of pixels within 1 level of a map colour from which on a picture is taken for a map that was not translated.
#: Maps of `draw_city` at 128, 256 and 512 px, 230 towns: 0.64 to 0.87, and 0.61 where blocks are as small and dense as
#: can be (a JPEG of a map, quality 75: 0.04 to 0.21, which passes).  Aerial pictures drawn by laptop runs of 1,000 to
#: 16,000 pictures: 0.001 and less; maps drawn by one of 3,000: 0.014.
A_MAP = 0.5
#: Below it a picture is taken for a smaller one, resized.  `finest_waves` gave 0.0012 and more for what three networks
#: drew at this size in the course of their training (0.0007 after a JPEG of quality 75), and 0.0028 for four others.
NO_WAVES = 0.0004
#: Below both a picture is taken for a smaller one, resized, too.  `finest_waves` alone does not do: bilinear at 3 times
#: leaves up to 0.002, and of a flat picture made 8 times as large rounding alone is 0.001 of the little there is.
#:
#: `finest_lines`, in levels of 255: made 2, 3, 4 or 8 times as large by bilinear, bicubic or Lanczos, checkered outputs
#: too, 0.26 at the most, which is what rounding leaves (0.31 where many pixels were cut off at white; 0.33 after a
#: JPEG).  Drawn at this size, 128 to 512 px, by laptop runs of 1,000 to 16,000 pictures and the zoo's network: 1.1 and
#: more, 0.89 with L1 alone (0.40 and 0.32 after a JPEG of quality 75); but the rectangles of facades in a drawn label
#: map are mixtures of few lines whatever their size, 0.29.  Their edges are sharp: `finest_waves` gave 0.034 and more
#: for those, and for what was made larger 0.0055 at the most, 0.0125 after two steps of training.
NO_LINES = 0.28
FEW_WAVES = 0.015
#: Pixels of a picture's middle that are looked at.
MIDDLE = 1024

SIZE = (
    "An output is as large as what is translated. Of a city, `draw_city(…, side=…)` decides that: which side was asked?"
)
OTHER_NETWORK = (
    "`there` is to draw one, into another file: by your 12.1, or `python -m p2plib translate`. Where is that?"
)
NOT_TRANSLATED = "That is the map itself: where is it translated?"
SMALL_INPUT = "Was it the input that was made large, and then translated?"


def check_picture(t: Trial, path: Path, size: int, of_maps: bool) -> None:
    """Each side twice what the run was trained at; not the chapter's, not the map, and not a smaller one resized.

    Args:
        of_maps: are the runs those of maps?  Pictures of another kind may well have the colours of a map.
    """
    picture = told(t, lambda: to_tensor(read_picture(path)))
    if path.resolve() == (my_work() / CHAPTERS).resolve():
        t.wrong(f"`picture` is {CHAPTERS}, into which the chapter writes what *its* network draws", OTHER_NETWORK)
    height, width = picture.shape[1:]
    t.require(
        min(height, width) >= 2 * size,
        f"`picture` has {width} × {height} px, and the runs were trained at {size}; expected was {2 * size} or more on "
        f"each side",
        SIZE,
    )
    spread = picture.amax((1, 2)).int() - picture.amin((1, 2)).int()
    t.require(int(spread.max()) > 1, "`picture` is of one colour")
    top, left = max(0, height - MIDDLE) // 2, max(0, width - MIDDLE) // 2
    middle = picture[:, top : top + MIDDLE, left : left + MIDDLE]
    share = of_map_colours(middle)
    t.require(
        not of_maps or share < A_MAP,
        f"{100 * share:.0f} % of the pixels of `picture` have a map's colours",
        NOT_TRANSLATED,
    )
    if found := made_larger(middle):
        t.wrong(f"{found}: it is a small picture made larger", SMALL_INPUT)


def of_map_colours(picture: Tensor) -> float:
    """Bytes (3, H, W) → share of the pixels that are within 1 level of a colour of the drawn maps, in each channel."""
    on = torch.zeros(picture.shape[1:], dtype=torch.bool)
    for colour in MAP_CLASSES.values():
        on |= (picture.int() - torch.tensor(colour)[:, None, None]).abs().amax(0) <= 1
    return float(on.float().mean())


# --- made larger, or drawn large --------------------------------------------------------------------


def made_larger(picture: Tensor) -> str | None:
    """Bytes (3, H, W) → by what they show to be a smaller picture, resized; None if by nothing."""
    repeated = repeated_lines(picture)
    if repeated >= 1 / 3:
        return f"in `picture` {100 * repeated:.0f} % of the lines repeat the one before"
    waves = finest_waves(picture)
    if waves < NO_WAVES:
        return (
            f"`picture` has no finest details: its waves below 3 px have {number(waves)} times the power of the longer "
            f"ones, and a picture drawn at this size has {NO_WAVES} or more"
        )
    if waves < FEW_WAVES and finest_lines(picture) < NO_LINES:
        return (
            "`picture` has no finest details: half as many lines, mixed, make all of it, but for what rounding leaves"
        )
    return None


def repeated_lines(picture: Tensor) -> float:
    """(3, H, W) → share of the rows, or columns if that is less, that equal the one before: ½ in pixels doubled.

    Lines of one colour, such as a white margin, are left out.
    """
    shares = []
    for lines in (picture, picture.mT):  # (3, lines, places)
        equal = (lines[:, 1:] == lines[:, :-1]).all(2).all(0)
        drawn = (lines[:, 1:] != lines[:, 1:, :1]).any(2).any(0)
        shares.append(float(equal[drawn].float().mean()) if bool(drawn.any()) else 0.0)
    return min(shares)


def finest_waves(picture: Tensor) -> float:
    """(3, H, W) → mean power of waves shorter than 2⅔ px, over that of waves of 4 to 50 px; of the mean of channels.

    What was made twice as large has hardly any of the first, however it was smoothed.
    """
    grey = picture.double().mean(0)
    height, width = grey.shape
    down, across = (torch.hann_window(n, dtype=torch.float64) for n in (height, width))
    power = torch.fft.fft2((grey - grey.mean()) * down[:, None] * across).abs().square()
    waves = torch.maximum(torch.fft.fftfreq(height).abs()[:, None], torch.fft.fftfreq(width).abs())
    longer = float(power[(waves >= 1 / 50) & (waves < 1 / 4)].mean())
    return float(power[waves >= 3 / 8].mean()) / max(longer, 1e-12)


def finest_lines(picture: Tensor) -> float:
    """(3, H, W) → what half of the lines cannot give of the others: root mean square, in levels; of rows and columns
    the larger.

    Made n times as large, by whatever filter, every row is a mixture of H / n rows, and every column of W / n columns:
    the matrix has that rank.  What goes beyond its first H / 2 singular values is rounding.
    """
    left = []
    for lines in (picture.double().transpose(0, 1), picture.double().permute(2, 0, 1)):
        matrix = lines.flatten(1)
        squares = torch.linalg.eigvalsh(matrix @ matrix.T).clamp(min=0)  # of the singular values, ascending
        least = squares[: len(matrix) // 2 - 4]  # a filter that reaches beyond a cut-out adds a few lines
        left.append(float(least.sum() / matrix.numel()) ** 0.5)
    return max(left)
