"""What all parts of a made-up town share: the numbers of each picture, exact curves, noise, the bent grid.

Lengths are in units; one unit is one pixel of the 64-pixel picture, about 2.5 m.

A map has to be the same on every machine, so nothing here or in the plan uses more than operations that
IEEE arithmetic rounds exactly: + - * / sqrt floor abs min max and comparisons.  Sines come from Python's
math module, rounded to 1/65536.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from p2plib.data.randomness import purpose, uniform

Array = np.ndarray[Any, Any]

FIELD, PARK, SUBURB, TERRACE, CENTRE, SLABS, WORKS = range(7)  # what a block is used for
FAR = np.float32(1000.0)  # a distance that means "nowhere near"
_NOISE_REACH = 64  # a picture finds its noise within this many units


@dataclass(frozen=True)
class Scene:
    """The numbers that decide each picture of a batch: arrays (n, 1, 1), lengths in units."""

    index: Array
    seed: int
    density: Array
    park: Array
    block: Array
    river: Array
    highway: Array
    ponds: bool
    road_axis: tuple[Array, Array]  # cosine and sine
    river_axis: tuple[Array, Array]
    highway_axis: tuple[Array, Array]

    def u(self, name: str) -> Array:
        """A uniform number in [0, 1) for each picture, (n, 1, 1)."""
        return uniform(self.seed, self.index, purpose(name))

    def only(self, rows: Array) -> Scene:
        """The scene of some of the pictures."""
        picked: dict[str, Any] = {k: v[rows] for k, v in vars(self).items() if isinstance(v, np.ndarray)}
        picked |= {k: (v[0][rows], v[1][rows]) for k, v in vars(self).items() if isinstance(v, tuple)}
        return replace(self, **picked)


def coverage(distance: Array, scale: float) -> Array:
    """How much of a pixel lies inside a shape: 1 inside, 0 outside, a ramp one pixel wide between."""
    share = distance * np.float32(-scale)
    share += np.float32(0.5)
    return np.clip(share, 0, 1, out=share)


def wave(t: Array) -> Array:
    """A smooth wave of period 1 between -1 and 1, made of parabola pieces: no sine, so exact."""
    a = t - np.floor(t)
    a += a
    a -= 1
    np.abs(a, out=a)
    rise = 6 - 4 * a
    rise *= a
    rise *= a
    rise -= 1
    return rise


@lru_cache(maxsize=16)
def noise_sheet(name: str, size: int, scale: float, wavelengths: tuple[float, ...]) -> Array:
    """A sheet of smooth noise, mean about 0 and spread about 1, from which pictures cut their windows.

    Waves shorter than a pixel are left out, so that the same noise gets richer at finer scales.
    """
    side = size + math.ceil(_NOISE_REACH * scale)
    at = (np.arange(side, dtype=np.float32) + np.float32(0.5)) / np.float32(scale)
    used = [w for w in wavelengths if w * scale >= 1] or [1 / scale]
    total = np.zeros((side, side), np.float32)
    for number, wavelength in enumerate(used):
        short = at / np.float32(wavelength)
        cell = np.floor(short).astype(np.int32)
        part = short - cell.astype(np.float32)
        part = part * part * (3 - 2 * part)
        knots = np.arange(cell[-1] + 2)
        lattice = uniform(purpose(name), number, knots[None, :], knots[:, None]) - np.float32(0.5)
        wide = lattice[:, cell] + (lattice[:, cell + 1] - lattice[:, cell]) * part  # across, then down
        total += wide[cell] + (wide[cell + 1] - wide[cell]) * part[:, None]
    return total * np.float32(4 / math.sqrt(len(used)))


def noise(scene: Scene, name: str, size: int, scale: float, wavelengths: tuple[float, ...]) -> Array:
    """Each picture's own window of a noise sheet, (n, size, size)."""
    make = noise_sheet if size <= 512 else noise_sheet.__wrapped__  # large sheets are not worth keeping
    sheet = make(name, size, scale, wavelengths)
    left = np.floor(scene.u(name + " left") * np.float32(_NOISE_REACH * scale)).astype(int).ravel()
    top = np.floor(scene.u(name + " top") * np.float32(_NOISE_REACH * scale)).astype(int).ravel()
    return np.stack([sheet[t : t + size, x : x + size] for t, x in zip(top, left, strict=True)])


def rotation(degrees: Array) -> tuple[Array, Array]:
    """Cosine and sine, rounded to 1/65536 so that no processor's last bit shows."""
    turned = [math.radians(float(d)) for d in degrees.ravel()]
    cosine = np.array([round(math.cos(t) * 65536) / 65536 for t in turned], np.float32)
    sine = np.array([round(math.sin(t) * 65536) / 65536 for t in turned], np.float32)
    return cosine.reshape(degrees.shape), sine.reshape(degrees.shape)


def curve_distance(scene: Scene, name: str, x: Array, y: Array) -> Array:
    """Signed distance, positive on one side, to the winding middle line of the river or the highway."""
    cosine, sine = scene.river_axis if name == "river" else scene.highway_axis
    width = scene.river if name == "river" else scene.highway
    bend, period = (5.0, 95.0) if name == "river" else (7.0, 320.0)
    middle = (scene.u(name + " place") * 2 - 1) * (15 + width * np.float32(0.5))
    along, across = cosine * x + sine * y, cosine * y - sine * x
    turns = wave(along * np.float32(1 / period) + scene.u(name + " phase"))
    turns += np.float32(0.45) * wave(along * np.float32(2.3 / period) + scene.u(name + " phase 2"))
    turns *= np.float32(bend)
    across -= middle
    across -= turns
    return across


def edge_distance(scene: Scene, name: str, x: Array, y: Array) -> Array:
    """Distance to the river or the highway (negative in it); FAR where a picture has none."""
    width = scene.river if name == "river" else scene.highway
    distance = np.full(np.broadcast_shapes(width.shape, x.shape, y.shape), FAR, np.float32)
    has = np.flatnonzero(width.ravel() > 0)  # many pictures have none: leave them out
    if has.size:
        x, y = (t[has] if len(t) > 1 else t for t in (x, y))
        distance[has] = np.abs(curve_distance(scene.only(has), name, x, y)) - width[has] * np.float32(0.5)
    return distance


def to_grid(scene: Scene, x: Array, y: Array) -> tuple[Array, Array]:
    """World position to road-grid position: rotated, gently bent, shifted so that no picture is centred."""
    cosine, sine = scene.road_axis
    p, q = cosine * x + sine * y, cosine * y - sine * x
    p = p + _bend(scene, "p", q)
    q = q + _bend(scene, "q", p)
    district = scene.block * np.float32(2.6)
    return p + district * scene.u("shift p"), q + district * scene.u("shift q")


def to_world(scene: Scene, p: Array, q: Array) -> tuple[Array, Array]:
    """The inverse of `to_grid`."""
    cosine, sine = scene.road_axis
    district = scene.block * np.float32(2.6)
    p, q = p - district * scene.u("shift p"), q - district * scene.u("shift q")
    q = q - _bend(scene, "q", p)
    p = p - _bend(scene, "p", q)
    return cosine * p - sine * q, sine * p + cosine * q


def _bend(scene: Scene, name: str, t: Array) -> Array:
    strength = scene.u("bend " + name)
    return 5 * strength * strength * wave(t / np.float32(170) + scene.u("bend phase " + name))


def rounded_box(x: Array, y: Array, half_x: Array, half_y: Array, radius: float) -> Array:
    """Distance to a rectangle with rounded corners, negative inside."""
    x = np.abs(x) - (half_x - np.float32(radius))
    y = np.abs(y) - (half_y - np.float32(radius))
    outside_x, outside_y = np.maximum(x, 0), np.maximum(y, 0)
    corner = np.sqrt(outside_x * outside_x + outside_y * outside_y)
    return corner + np.minimum(np.maximum(x, y), 0) - np.float32(radius)


def box(x: Array, y: Array, half_x: Any, half_y: Any) -> Array:
    """Distance to a rectangle, negative inside (to its sides, where it is outside past a corner)."""
    return np.maximum(np.abs(x) - half_x, np.abs(y) - half_y)
