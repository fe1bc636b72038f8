"""What the photograph of a made-up front looks like where its labels do not say: materials and tints.

Colours are float32 RGB in [0, 1] as a screen shows them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from p2plib.data.facade_plan import ATTIC, CROWN, MAX_ZONES, PARTS, PILLAR, SHUTTER, Chance, Plan

Array = np.ndarray[Any, Any]
F = np.float32


def _rgb(*colours: str) -> Array:
    return np.array([[int(c[i : i + 2], 16) / 255 for i in (0, 2, 4)] for c in colours], F)


# Walls, one row each: colour, course height, block length (shares of the picture's side), joint width (share
# of a course), how much a joint stands out, how much blocks differ, how much weather shows.
WALLS = _rgb(
    "8E4B3A",
    "A8694C",
    "C29C6C",
    "E2CBA8",
    "D6A86C",
    "C4B5A2",
    "D0BA98",
    "DAA98A",
    "E6DDCE",
    "8C6E56",
    "54565C",
)
KINDS = 10  # ... of a wall; slate is for roofs
BROWNSTONE, SLATE = 9, 10
COURSE = np.array([1 / 104, 1 / 98, 1 / 100, 1, 1, 1, 1 / 26, 1, 1, 1 / 22, 1 / 46], F)
BLOCK = np.array([1 / 42, 1 / 38, 1 / 40, 1, 1, 1, 1 / 12, 1, 1, 1 / 11, 1 / 40], F)
JOINT = np.array([0.2, 0.2, 0.18, 0, 0, 0, 0.08, 0, 0, 0.07, 0.12], F)
CONTRAST = np.array([0.22, 0.18, 0.16, 0, 0, 0, -0.28, 0, 0, -0.3, -0.2], F)
SCATTER = np.array([0.3, 0.26, 0.22, 0, 0, 0, 0.14, 0, 0, 0.16, 0.2], F)
WEATHER = np.array([0.14, 0.14, 0.14, 0.34, 0.34, 0.36, 0.28, 0.34, 0.34, 0.3, 0.2], F)

_TRIMS = _rgb("E2D8C4", "D2C6B0", "EAE6DC", "C2B8A8")
_FRAMES = _rgb("E8E4DA", "F0EEE8", "D8D0C0", "5A4030", "3A3532", "44584A")
_SHUTTERS = _rgb("3F5544", "5B4634", "6E7F80", "7A3B30", "D8D2C4", "8A7050", "2F4038", "4C5A66")
_DOORS = _rgb("4A2F20", "6B4429", "30382F", "3D2C28", "5C1F1A", "2B3442", "77553A")
_ROOFS = _rgb("54565C", "6A4438", "8A5240", "5E5A55", "6C7F74")
_ROLLERS = _rgb("D9D3C4", "BDB6A8", "8C8478", "A89A80", "E6E2D8")
_CURTAINS = _rgb("E8E4DA", "D8CDB8", "EFEDE8", "C9A88A")
_AWNINGS = _rgb("8E2B22", "2F5A3C", "27406B", "B98A2E", "6B2A3A", "D9CFB8", "3F3B3A")
_SIGNS = _rgb("7A1F1C", "1F3A2C", "20304E", "E2DCCB", "3A3432", "A8782C", "59402F", "C9C2B4")


def make_look(plan: Plan, chance: Chance, palette: str) -> dict[str, Array]:
    """Colours (N, 3) and numbers (N,) of each picture; ``chance`` is the photograph's."""
    return _wall_look(plan, chance, palette) | _fittings(chance) | _style(plan, chance) | _weather_look(chance)


def _wall_look(plan: Plan, chance: Chance, palette: str) -> dict[str, Array]:
    """Materials and colours of wall, ground floor and trim.

    In half the pictures the wall's material follows from what the labels show (pillars, shutters,
    a roof storey, a crown, or none of them), so that there is something to learn; in the others it is free.
    """
    flags = np.bitwise_or.reduce(plan.flags, axis=(1, 2))
    has = {part: (flags >> part) & 1 == 1 for part in range(PARTS)}
    tied = np.select([has[PILLAR], has[SHUTTER], has[ATTIC], has[CROWN]], [5, 4, 6, 3], 0)
    kind = np.where(chance("tied wall") < 0.5, tied, chance.whole("wall", 0, KINDS - 1))
    if palette == "broad":
        colour = _hue(chance("hue"), 0.15 + 0.3 * chance("chroma"), 0.55 + 0.3 * chance("value"))
    else:
        colour = WALLS[kind]
        grey = colour.mean(1, keepdims=True)
        colour = grey + (colour - grey) * (0.5 + 0.65 * chance("saturation"))[:, None]
        colour = colour * (1 + (chance("tint") - F(0.5))[:, None] * np.array([0.06, 0, -0.08], F))
    colour = colour * (0.76 + 0.28 * chance("brightness"))[:, None]
    pale = _TRIMS[chance.whole("trim", 0, len(_TRIMS) - 1)] * (0.85 + 0.15 * chance("trim light"))[:, None]
    own = np.clip(colour * (0.85 + 0.4 * chance("trim value"))[:, None], 0, 0.92)
    trim = np.where((chance("pale trim") < 0.6)[:, None], pale, own)
    stone = chance("stone ground") < 0.45
    return {
        "wall": colour.astype(F),
        "kind": kind,
        "trim": trim.astype(F),
        "ground": np.where(stone[:, None], trim * 0.9, colour * 0.93).astype(F),
        "ground kind": np.where(stone, BROWNSTONE, kind),
    }


def _fittings(chance: Chance) -> dict[str, Array]:
    """Colours of what is fitted to the wall."""
    choices = {
        "frame": _FRAMES,
        "shutter": _SHUTTERS,
        "roller": _ROLLERS,
        "curtain": _CURTAINS,
        "door": _DOORS,
        "roof": _ROOFS,
        "sign": _SIGNS,
        "awning": _AWNINGS,
    }
    return {name: table[chance.whole(f"{name} colour", 0, len(table) - 1)] for name, table in choices.items()}


def _style(plan: Plan, chance: Chance) -> dict[str, Array]:
    """Shapes and fixtures that the labels do not know of; lengths are shares of the picture's side."""
    flags = np.bitwise_or.reduce(plan.flags, axis=(1, 2))
    gabled = plan.flags[np.arange(len(plan.zones)), plan.zones].any(1)
    z = np.arange(MAX_ZONES)[None]
    arch = np.where(chance("arches", z) < 0.35, np.where(chance("round arch", z) < 0.5, 1.0, 0.4), 0)
    ring = chance("surround")
    return {
        "arch": (arch * (chance("any arches") < 0.45)[:, None]).astype(F),  # rise / half width, (N, Z)
        "surround": np.select([ring < 0.55, ring < 0.7], [1, 2], 0),  # all around, a lintel, none
        "quoins": (chance("quoins") < 0.22).astype(F),
        "plinth": np.where(chance("plinth") < 0.7, 0.02 + 0.03 * chance("plinth height"), -1).astype(F),
        "eaves": (~gabled & ((flags >> CROWN) & 1 == 0)).astype(F),
        "pipe": np.where(chance("pipe") < 0.35, 0.015, 0).astype(F),
        "ridge": np.where(chance("roof shown") < 0.6, 0.02 + 0.06 * chance("roof height"), 0).astype(F),
        "dentils": (chance("dentils") < 0.5).astype(F),
        "parapet": (chance("parapet") < 0.35).astype(F),
        "gardener": (chance("gardener") < 0.4).astype(F),
        "striped": (chance("striped") < 0.6).astype(F),
        "split window": (chance("split window") < 0.6).astype(F),
        "dice": chance.whole("dice", 0, 4095),  # sets the small patterns of one picture apart
    }


def _weather_look(chance: Chance) -> dict[str, Array]:
    """Sky and sun."""
    overcast = np.clip(1.3 * chance("overcast")[:, None] - 0.15, 0, 1).astype(F)
    high, low = _rgb("6F97C4", "C4D3DF"), _rgb("DDE0E2", "ECECEA")  # clear, overcast
    return {
        "sky high": blend(high[:1], high[1:], overcast),
        "sky low": blend(low[:1], low[1:], overcast),
        "sun": (0.2 + 0.8 * chance("sun")).astype(F) * (1 - 0.8 * overcast[:, 0]),
        "gloss": (0.35 + 0.65 * chance("gloss")).astype(F),
    }


def _hue(hue: Array, chroma: Array, value: Array) -> Array:
    """RGB (N, 3) of hue, saturation and value in [0, 1]."""
    wheel = np.abs((hue[:, None] * 6 + np.array([0, 4, 2], F)) % 6 - 3) - 1
    return (value[:, None] * (1 + chroma[:, None] * (np.clip(wheel, 0, 1) - 1))).astype(F)


def blend(under: Any, over: Any, share: Any) -> Array:
    """``under`` where share is 0, ``over`` where it is 1."""
    return under + (over - under) * share


def noise(chance: Chance, name: str, rows: int, columns: int, size: int) -> Array:
    """Smooth noise in [0, 1], (N, H, W): a hashed lattice, interpolated by two small matrix products."""
    y, x = np.arange(rows + 1)[None, :, None], np.arange(columns + 1)[None, None, :]
    lattice = chance(name, y, x)
    return np.matmul(_between(size, rows), np.matmul(lattice, _between(size, columns).T))


def _between(size: int, cells: int) -> Array:
    """(size, cells + 1): the weights of smoothstep interpolation at the centres of the pixels."""
    at = (np.arange(size, dtype=F) + F(0.5)) * F(cells / size)
    left = np.minimum(at.astype(np.intp), cells - 1)
    share = at - left
    share = share * share * (3 - 2 * share)
    weights = np.zeros((size, cells + 1), F)
    weights[np.arange(size), left] = 1 - share
    weights[np.arange(size), left + 1] = share
    return weights
