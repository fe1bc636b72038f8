"""Made-up pairs of a street map and the aerial photograph of the same place, drawn from a seed.

The map says where streets, water, parks and buildings are.  It does not say what colour a roof has, where
trees stand and cars wait: that varies from plot to plot in the photograph, and is what makes the
translation ambiguous.  Pair number i of a seed depends on nothing but the two numbers (and on the
parameters): it can be drawn alone, in any order and in any company.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from p2plib.data.aerial import photograph
from p2plib.data.randomness import purpose, uniform
from p2plib.data.town import Plan, make_plan
from p2plib.data.town_scene import FIELD, PARK, WORKS, Scene, coverage, rotation

Array = np.ndarray[Any, Any]

MAP_CLASSES: dict[str, tuple[int, int, int]] = {  # the map's colours, RGB
    "land": (242, 239, 233),
    "building": (221, 211, 198),
    "paved": (225, 226, 234),
    "street": (255, 255, 255),
    "main road": (255, 236, 160),
    "highway": (249, 189, 84),
    "water": (160, 204, 240),
    "park": (202, 231, 187),
    "wood": (170, 211, 156),
    "pitch": (140, 208, 180),
    "field": (232, 236, 205),
    "path": (246, 232, 214),
}
_CASING = (210, 212, 218)  # the thin line beside a street
_HIGHWAY_CASING = (214, 150, 56)
_RANGES = {
    "road_angle": (-360.0, 360.0),
    "block_size": (14.0, 40.0),
    "park": (0.0, 1.0),
    "density": (0.0, 1.0),
    "river": (0.0, 80.0),
    "highway": (0.0, 12.0),
}


@dataclass(frozen=True)
class MapParameters:
    """What a person may decide about a town; None leaves it to the seed.

    Attributes:
        road_angle: degrees, -360..360: how far the road grid is turned, clockwise in the picture.
        block_size: units, 14..40: the shorter side of a block (a unit is a pixel of the 64-pixel picture).
        park: 0..1, the share of blocks that are parks.
        density: 0..1, the share of plots with a building; below one half, fields take over.
        river: units, 0..80: the width of the river; 0 draws no water at all, ponds included.
        highway: units, 0..12: the width of the highway; 0 draws none.
    """

    road_angle: float | None = None
    block_size: float | None = None
    park: float | None = None
    density: float | None = None
    river: float | None = None
    highway: float | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            value, (low, high) = getattr(self, field.name), _RANGES[field.name]
            if value is not None and not low <= value <= high:
                raise ValueError(f"{field.name} is {value}; it must be None or lie in {low:g}..{high:g}.")


def draw_maps(
    indices: Iterable[int] | Array,
    size: int = 64,
    seed: int = 0,
    parameters: MapParameters | None = None,
    scale: float | None = None,
) -> tuple[Array, Array]:
    """Draw pairs number `indices` of a seed.

    Args:
        indices: whole numbers, in any order.
        size: side of the pictures in pixels, 32..2048.
        seed: a whole number; another seed is another country.
        parameters: what a person has decided about the towns.
        scale: pixels per unit.  None means size / 64: the same scene at any size, with richer detail the
            larger the picture.  1.0 keeps the grain of the 64-pixel pictures and shows more of the town.

    Returns:
        (maps, aerials): both uint8 (N, 3, size, size), RGB.  The maps are equal byte by byte on every
        machine, the aerials to one grey level.
    """
    numbers, scale = _checked(indices, size, seed, scale)
    maps = np.empty((len(numbers), 3, size, size), np.uint8)
    aerials = np.empty_like(maps)
    step = max(1, 16 * 64 * 64 // (size * size))  # small batches stay in the processor's cache
    for start in range(0, len(numbers), step):
        scene = make_scene(numbers[start : start + step], seed, parameters or MapParameters())
        plan = make_plan(scene, size, scale)
        maps[start : start + step] = paint_map(plan)
        aerials[start : start + step] = photograph(plan)
    return maps, aerials


def map_classes(maps: Array) -> Array:
    """The number of the class (its place in MAP_CLASSES) whose colour is nearest, at each pixel.

    Edges in the map are soft: a pixel that two classes share has a colour between theirs, and may be
    nearest to a third class.  Everywhere else the answer is exact.

    Args:
        maps: uint8 (N, 3, h, w).

    Returns:
        uint8 (N, h, w).
    """
    best = np.full((len(maps), *maps.shape[2:]), np.iinfo(np.int32).max, np.int32)
    classes = np.zeros(best.shape, np.uint8)
    names = list(MAP_CLASSES)
    edges = [("street", _CASING), ("highway", _HIGHWAY_CASING)]  # the lines beside them belong to them
    for name, colour in [*MAP_CLASSES.items(), *edges]:
        difference = maps.astype(np.int32) - np.array(colour, np.int32)[:, None, None]
        distance = (difference * difference).sum(axis=1)
        classes[distance < best] = names.index(name)
        best = np.minimum(best, distance)
    return classes


def make_scene(indices: Array, seed: int, parameters: MapParameters) -> Scene:
    """Decide the numbers of each picture: those that a person set, and the seed's for the rest."""
    index = indices[:, None, None]

    def u(name: str) -> Array:
        return uniform(seed, index, purpose(name))

    def choose(value: float | None, seeds: Array) -> Array:
        return seeds.astype(np.float32) if value is None else np.full(index.shape, value, np.float32)

    town, wet, fast = u("density"), u("river"), u("highway")
    density = np.where(town < 0.17, 0.1 + 2.1 * town, 0.58 + 0.42 * (town - 0.17) / 0.83)
    river = np.where(wet < 0.6, 0.0, np.where(wet < 0.87, 7 + 45 * (wet - 0.6), 24 + 270 * (wet - 0.87)))
    own_angle = 90 * u("road angle") - 45
    return Scene(
        index=index,
        seed=seed,
        density=choose(parameters.density, density),
        park=choose(parameters.park, 0.04 + 0.5 * u("park") * u("park 2")),
        block=choose(parameters.block_size, 19 + 8 * u("block size")),
        river=choose(parameters.river, river),
        highway=choose(parameters.highway, np.where(fast < 0.76, 0.0, 5.5 + 8 * (fast - 0.76))),
        ponds=parameters.river != 0,
        road_axis=rotation(choose(parameters.road_angle, own_angle)),
        river_axis=rotation(own_angle + 50 * u("river angle") - 25 + 90 * (u("river turn") < 0.5)),
        highway_axis=rotation(own_angle + 25 + 40 * u("highway angle")),
    )


def paint_map(plan: Plan) -> Array:
    """Colour the plan as a street map, softened at the edges: uint8 (n, 3, h, w)."""
    scale = plan.scale
    ground = np.array([MAP_CLASSES["land"]] * 7, np.float32)
    ground[FIELD], ground[PARK], ground[WORKS] = (MAP_CLASSES[c] for c in ("field", "park", "paved"))
    picture = np.moveaxis(ground[plan.use], -1, 0).copy()  # (3, n, h, w)
    on_land = np.float32(1) - coverage(plan.water, scale)
    bridged = np.maximum(on_land, coverage(plan.bridge, scale))
    street = np.minimum(plan.street, plan.main_street)
    _paint(picture, "wood", coverage(plan.wood, scale))
    _paint(picture, "pitch", coverage(plan.pitch, scale))
    _paint(picture, "path", coverage(plan.path, scale))
    _paint(picture, "water", np.float32(1) - on_land)
    _paint(picture, "building", coverage(plan.building, scale) * on_land)
    line = max(0.4, 0.75 / scale)  # the casing, in units: never thinner than three quarters of a pixel
    _paint(picture, _CASING, coverage(street - np.float32(line), scale) * bridged)
    _paint(picture, "street", coverage(street, scale) * bridged)
    _paint(
        picture,
        "main road",
        np.maximum(coverage(plan.yellow, scale) * on_land, coverage(plan.yellow_bridge, scale)),
    )
    if (plan.scene.highway > 0).any():
        _paint(picture, _HIGHWAY_CASING, coverage(plan.highway - np.float32(line), scale))
        _paint(picture, "highway", coverage(plan.highway, scale))
    picture += np.float32(0.5)
    return np.moveaxis(picture, 0, 1).astype(np.uint8)


def _paint(picture: Array, colour: str | tuple[int, int, int], share: Array) -> None:
    rgb = MAP_CLASSES[colour] if isinstance(colour, str) else colour
    for channel, level in zip(picture, rgb, strict=True):
        channel += share * (np.float32(level) - channel)


def _checked(indices: Iterable[int] | Array, size: int, seed: int, scale: float | None) -> tuple[Array, float]:
    """The indices as an int64 array and the scale as a number, or a ValueError that says what is wrong."""
    numbers = np.asarray(indices if isinstance(indices, np.ndarray) else list(indices))
    if numbers.size == 0:
        numbers = np.zeros(0, np.int64)
    if numbers.ndim != 1 or not np.issubdtype(numbers.dtype, np.integer):
        raise ValueError(f"indices must be a list of whole numbers, not {indices!r}.")
    if numbers.size and not (numbers.min() >= -(2**31) and numbers.max() < 2**32):
        raise ValueError("indices must lie in -2**31..2**32 - 1.")
    if not isinstance(size, int | np.integer) or not 32 <= size <= 2048:
        raise ValueError(f"size is {size}; it must be a whole number of pixels in 32..2048.")
    if not isinstance(seed, int | np.integer) or not -(2**31) <= seed < 2**32:
        raise ValueError(f"seed is {seed}; it must be a whole number in -2**31..2**32 - 1.")
    if scale is None:
        scale = size / 64
    if not (math.isfinite(scale) and 0.25 <= scale <= 32):
        raise ValueError(f"scale is {scale}; it must lie in 0.25..32 pixels per unit.")
    return numbers.astype(np.int64), float(scale)
