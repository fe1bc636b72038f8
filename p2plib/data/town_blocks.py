"""Main streets, districts and blocks of a made-up town, as small tables that pixels look themselves up in.

Main streets lie on a jittered grid; the districts between them are cut into up to 3 x 3 blocks.  Each line,
district and block is decided by the hash of its own number, so a town has no edge.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from p2plib.data.randomness import hash_u32, lane, purpose
from p2plib.data.town_scene import CENTRE, FAR, FIELD, PARK, SLABS, SUBURB, TERRACE, WORKS, Scene

Array = np.ndarray[Any, Any]

SIDE = 3  # a district has at most 3 x 3 blocks
_PLOT_WIDTH = np.array([11.0, 30.0, 7.0, 3.9, 9.5, 17.0, 17.0], np.float32)


@dataclass(frozen=True)
class Blocks:
    """Tables of one batch: lines (n, K + 1) and blocks (n, K, K, 3, 3), addressed from `first`."""

    first: int
    district: Array  # (n, 1, 1) mean side of a district
    lines: tuple[Array, Array]  # where the main streets lie across p and across q
    half: tuple[Array, Array]  # half their width
    yellow: tuple[Array, Array]  # half their width where drawn in yellow, -FAR elsewhere
    bridge: tuple[Array, Array]  # half their width where they may cross water, -FAR elsewhere
    counts: tuple[Array, Array]  # (n, K, K) float32: blocks of a district across p and across q
    hashed: Array  # uint32
    fields: dict[str, Array]  # float32


def lay_blocks(scene: Scene, reach: float) -> Blocks:
    """Decide all main streets, districts and blocks within `reach` units of the picture's middle."""
    district = scene.block * np.float32(2.6)
    far = math.ceil(reach / float(district.min()))
    number = np.arange(-far - 1, far + 4)[None, :, None]  # (1, K + 1, 1)
    lines, half, yellow, bridge = [], [], [], []
    for name, across in (("p", 0), ("q", 1)):
        hashed = hash_u32(scene.seed, scene.index, purpose("line " + name), number)[:, :, 0]
        at = number[:, :, 0].astype(np.float32) + np.float32(0.35) * (lane(hashed, "place") - np.float32(0.5))
        lines.append(at * district[:, :, 0])
        is_yellow = lane(hashed, "yellow") < np.float32(0.28)
        half.append(np.float32(2.0) + np.float32(0.4) * lane(hashed, "half") + np.float32(0.5) * is_yellow)
        yellow.append(np.where(is_yellow, half[-1], -FAR))
        crosses = (lane(hashed, "bridge") < np.float32(0.8)) & (_crossing(scene, across)[:, :, 0] > np.float32(0.6))
        bridge.append(np.where(crosses, half[-1], -FAR))
    k = number[:, :-1]
    shape = (len(scene.index), k.size, k.size)
    hashed = hash_u32(scene.seed, scene.index, purpose("district"), k, k.reshape(1, 1, -1))
    turned = lane(hashed, "turned") < np.float32(0.5)
    counts = []
    for across in (0, 1):
        side = np.diff(lines[across], axis=1)[:, :, None] if across == 0 else np.diff(lines[across], axis=1)[:, None, :]
        wanted = scene.block * np.where(turned == (across == 0), np.float32(1.0), np.float32(1.8))
        counts.append(np.clip(np.floor(side / wanted + np.float32(0.5)), 1, SIDE).astype(np.float32))
    hashed = np.broadcast_to(hashed, shape)
    inner = np.arange(SIDE)
    by_block = hash_u32(hashed[..., None, None], inner[:, None], inner)
    pairs = (lines[0], lines[1]), (half[0], half[1]), (yellow[0], yellow[1]), (bridge[0], bridge[1])
    uses = _uses(scene, hashed, by_block)
    fields = _block_fields(pairs[0], pairs[1], (counts[0], counts[1]), by_block, uses)
    return Blocks(int(number[0, 0, 0]), district, *pairs, (counts[0], counts[1]), by_block, fields)


def _crossing(scene: Scene, across: int) -> Array:
    """Sine of the angle between the river and the main streets of one family."""
    (c, s), (rc, rs) = scene.road_axis, scene.river_axis
    return np.abs(c * rc + s * rs) if across == 0 else np.abs(c * rs - s * rc)


def _uses(scene: Scene, by_district: Array, by_block: Array) -> Array:
    """The use of each block, (n, K, K, 3, 3) float32; districts agree with themselves, mostly."""
    density, park = scene.density[..., None, None], scene.park[..., None, None]
    d = by_district[..., None, None]
    urban = density + np.float32(0.55) * lane(d, "urban") + np.float32(0.12) * lane(by_block, "urban")
    use = np.where(urban < np.float32(0.98), SUBURB, np.where(urban < np.float32(1.27), TERRACE, CENTRE))
    special = lane(by_block, "special")
    use = np.where(special < np.float32(0.07), SLABS, np.where(special > np.float32(0.91), WORKS, use))
    use = np.where(lane(d, "field") < (np.float32(0.52) - density) * np.float32(1.9), FIELD, use)
    # green = 0.7 a + 0.3 b of two uniform numbers; its quantile turns the wanted share into a threshold
    green = np.float32(0.7) * lane(d, "green") + np.float32(0.3) * lane(by_block, "green")
    low = np.sqrt(np.float32(0.42) * np.minimum(park, 1 - park))
    low = np.where(low < np.float32(0.3), low, np.float32(0.7) * np.minimum(park, 1 - park) + np.float32(0.15))
    return np.where(green < np.where(park <= np.float32(0.5), low, 1 - low), PARK, use).astype(np.float32)


def _block_fields(
    lines: tuple[Array, Array],
    half: tuple[Array, Array],
    counts: tuple[Array, Array],
    hashed: Array,
    use: Array,
) -> dict[str, Array]:
    """Each block's rectangle inside its streets, and how it is cut into plots."""
    middles, halves = [], []
    for across, name in ((0, "street p"), (1, "street q")):
        spread = (
            (slice(None), slice(None), None, None, None)
            if across == 0
            else (slice(None), None, slice(None), None, None)
        )
        at = np.arange(SIDE, dtype=np.float32).reshape((SIDE, 1) if across == 0 else (1, SIDE))
        count = counts[across][..., None, None]
        low, high = lines[across][:, :-1][spread], lines[across][:, 1:][spread]
        step = (high - low) / count
        open_, axis = _street_before(use, hashed, name, 3 + across), 3 + across
        before = np.where(at == 0, half[across][:, :-1][spread], open_)
        after = np.where(at == count - 1, half[across][:, 1:][spread], np.roll(open_, -1, axis))
        left, right = low + at * step + before, low + (at + 1) * step - after
        middles.append((left + right) * np.float32(0.5))
        halves.append((right - left) * np.float32(0.5))
    along_is_q = (halves[1] > halves[0]).astype(np.float32)
    length, depth = 2 * np.maximum(*halves), 2 * np.minimum(*halves)
    kind = use.astype(int)
    plots = np.maximum(np.floor(length / _PLOT_WIDTH[kind] + np.float32(0.5)), 1)
    two_rows = ((depth > 12) & ((kind != WORKS) | (depth > 24)) & (kind != PARK)).astype(np.float32)
    fields: dict[str, Array] = {
        "middle p": middles[0],
        "middle q": middles[1],
        "half p": halves[0],
        "half q": halves[1],
    }
    fields |= {
        "along is q": along_is_q,
        "plots": plots,
        "plot": length / plots,
        "two rows": two_rows,
        "use": use,
    }
    return fields


def _street_before(use: Array, hashed: Array, name: str, axis: int) -> Array:
    """Half the width of the street before each block; parks and fields, and now and then others, have none.

    Without a street the block reaches a little past its end, so that its edge does not show.
    """
    neighbour = np.roll(use, 1, axis)
    green = (
        ((use == PARK) & (neighbour == PARK))
        | ((use == FIELD) & (neighbour <= PARK))
        | ((neighbour == FIELD) & (use <= PARK))
    )
    left_out = green | (lane(hashed, name) < np.float32(0.1))
    return np.where(left_out, np.float32(-1.6), np.float32(1.55))
