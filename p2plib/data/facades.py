"""Made-up pairs like the CMP Facades set: labels of a building front, and its photograph.

Everything about pair ``i`` of seed ``s`` is a function of ``(s, i)`` and the parameters: no picture
depends on what was drawn before it.  ``facade_plan`` decides where everything stands,
``facade_raster`` what is seen at each pixel, ``facade_photo`` paints it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from p2plib.data import facade_photo
from p2plib.data.facade_plan import FacadeParameters, make_plan
from p2plib.data.facade_raster import make_raster

__all__ = [
    "CLASSES",
    "COLOURS",
    "FacadeParameters",
    "classes_to_colours",
    "colours_to_classes",
    "draw_facade_classes",
    "draw_facades",
]

Array = np.ndarray[Any, Any]

CLASSES: tuple[str, ...] = (
    "background",
    "facade",
    "window",
    "door",
    "cornice",  # a hood above a window
    "sill",
    "balcony",
    "blind",
    "deco",
    "molding",  # a band along the whole front
    "pillar",
    "shop",
)


def _from_hex(colours: str) -> Array:
    return np.array([[int(c[i : i + 2], 16) for i in (0, 2, 4)] for c in colours.split()], np.uint8)


# One colour a class, in the order of CLASSES, as they stand in the pairs that came with pix2pix (measured on
# flat areas of its JPEG files), so that a network trained on made labels understands real ones.
COLOURS: Array = _from_hex("0000DE 0030FF 0080FF 01CFFF 20FFE0 70FF8F C0FF3F FFF001 FF9F00 FF5000 FF0000 AE0001")

# The class of each kind of part, in the order of facade_plan.
_PART_CLASS = np.array([1, 1, 9, 9, 10, 8, 4, 7, 2, 7, 5, 11, 3, 6, 0], np.uint8)


def draw_facades(
    indices: Sequence[int] | Array | range,
    size: int = 64,
    seed: int = 0,
    parameters: FacadeParameters | None = None,
    palette: str = "narrow",
    photo_seed: int | None = None,
) -> tuple[Array, Array]:
    """Draw pairs of labels and photograph.

    Args:
        indices: which pairs of this seed, integers >= 0; pair i is the same in whatever company.
        size: side in pixels, 32 to 512: the same scene, drawn finer.
        seed: any integer.
        parameters: what a person decides; the seed decides the rest.
        palette: "narrow" (brick, plaster and stone) or "broad" (walls of any hue).
        photo_seed: another integer draws another photograph of the same labels; None is the pair's own.

    Returns:
        labels: uint8 (N, 3, size, size) in COLOURS.
        photos: uint8 (N, 3, size, size), RGB.
    """
    chosen = _checked(indices, size)
    if palette not in ("narrow", "broad"):
        raise ValueError(f'palette must be "narrow" or "broad", not {palette!r}.')
    labels = np.empty((len(chosen), 3, size, size), np.uint8)
    photos = np.empty_like(labels)
    for part in _chunks(len(chosen), size):
        some = chosen[part]
        plan = make_plan(some, seed, parameters or FacadeParameters())
        raster = make_raster(plan, some, seed, size)
        labels[part] = classes_to_colours(_PART_CLASS[raster.part])
        photos[part] = facade_photo.photograph(plan, raster, some, seed, palette, photo_seed)
    return labels, photos


def draw_facade_classes(
    indices: Sequence[int] | Array | range,
    size: int = 64,
    seed: int = 0,
    parameters: FacadeParameters | None = None,
) -> Array:
    """The labels of ``draw_facades`` as class numbers: uint8 (N, size, size), 0 to 11."""
    chosen = _checked(indices, size)
    classes = np.empty((len(chosen), size, size), np.uint8)
    for part in _chunks(len(chosen), size):
        some = chosen[part]
        plan = make_plan(some, seed, parameters or FacadeParameters())
        classes[part] = _PART_CLASS[make_raster(plan, some, seed, size).part]
    return classes


def classes_to_colours(classes: Array) -> Array:
    """Class numbers (..., H, W), 0 to 11, as pictures: uint8 (..., 3, H, W)."""
    if classes.size and (classes.min() < 0 or classes.max() >= len(COLOURS)):
        raise ValueError(f"classes must lie between 0 and {len(COLOURS) - 1}.")
    return np.stack([np.take(COLOURS[:, band], classes) for band in range(3)], axis=-3)


def colours_to_classes(labels: Array) -> Array:
    """Pictures of labels (..., 3, H, W), 0 to 255, as class numbers: the nearest colour, uint8 (..., H, W)."""
    if labels.ndim < 3 or labels.shape[-3] != 3:
        raise ValueError(f"labels must have shape (..., 3, H, W), not {labels.shape}.")
    pixels = np.moveaxis(np.asarray(labels, np.float32), -3, 0)
    best = np.full(pixels.shape[1:], np.inf, np.float32)
    classes = np.zeros(pixels.shape[1:], np.uint8)
    for number, colour in enumerate(COLOURS.astype(np.float32)):
        distance = sum((pixels[band] - colour[band]) ** 2 for band in range(3))
        nearer = distance < best
        best, classes = np.where(nearer, distance, best), np.where(nearer, np.uint8(number), classes)
    return classes


def _checked(indices: Any, size: int) -> Array:
    """The indices as int64 (N,)."""
    chosen = np.asarray(indices if isinstance(indices, np.ndarray) else list(indices))
    if chosen.ndim != 1 or (chosen.size and chosen.dtype.kind not in "iu"):
        raise ValueError("indices must be a flat list of integers.")
    if chosen.size and chosen.min() < 0:
        raise ValueError(f"indices must be 0 or more, not {chosen.min()}.")
    if not isinstance(size, (int, np.integer)) or not 32 <= size <= 512:
        raise ValueError(f"size must be a whole number of pixels between 32 and 512, not {size}.")
    return chosen.astype(np.int64)


def _chunks(count: int, size: int) -> list[slice]:
    """Slices small enough for their pictures to stay in the processor's cache."""
    step = max(1, 24 * 64 * 64 // size**2)
    return [slice(start, min(start + step, count)) for start in range(0, count, step)]
