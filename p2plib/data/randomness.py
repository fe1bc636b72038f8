"""Random numbers that depend on nothing but integers: the same on every machine and in every numpy.

A picture made from a seed must never depend on what was drawn before it.  So nothing here keeps a
state: each number is a hash of the integers that name it (seed, picture, purpose, place).  Hashing
is exact integer arithmetic; the mixing function is the finaliser of MurmurHash3 (Appleby, 2011).
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def purpose(name: str) -> int:
    """The integer key of a named purpose (``"road angle"``), the same in every run."""
    return zlib.crc32(name.encode())


def hash_u32(*keys: Any) -> Array:
    """Mix broadcastable integer keys into well-spread uint32 values.

    Args:
        keys: integers or integer arrays (negative ones too) that broadcast against each other.

    Returns:
        uint32 array of the broadcast shape.
    """
    state = np.uint32(0x9E3779B9)
    with np.errstate(over="ignore"):  # wrapping around 2**32 is the point
        for key in keys:
            state = _finalise(state ^ _finalise(_as_u32(key) + np.uint32(0x7F4A7C15)))
            state = state * np.uint32(0x85EBCA6B) + np.uint32(0xC2B2AE35)
        return np.asarray(_finalise(state))


def uniform(*keys: Any) -> Array:
    """Uniform float32 in [0, 1), with 24 random bits: exact, so equal on every machine."""
    return (hash_u32(*keys) >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-24)


def lane(hashed: Array, name: str) -> Array:
    """A further uniform float32 in [0, 1) from ready hashes, one for each name: far cheaper than a new hash.

    For use at every pixel, where a plot's one hash must give its width, depth, colour, ...
    """
    with np.errstate(over="ignore"):
        return ((hashed * np.uint32(purpose(name) | 1)) >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-24)


def integers(low: int, high: int, *keys: Any) -> Array:
    """Integers (int32) in [low, high], both ends included."""
    span = np.uint64(high - low + 1)
    return (low + ((hash_u32(*keys).astype(np.uint64) * span) >> np.uint64(32)).astype(np.int64)).astype(np.int32)


def value_noise(x: Array, y: Array, *keys: Any) -> Array:
    """Smooth noise: one hashed value in [0, 1) at each integer lattice point, smoothstep between.

    Args:
        x, y: float32 coordinates in lattice units, broadcastable.
        keys: what else decides the noise (seed, picture, purpose), broadcastable with x and y.

    Returns:
        float32 in [0, 1].  Divide the coordinates by a length in pixels to choose the grain.
    """
    x0, y0 = np.floor(x), np.floor(y)
    fx, fy = x - x0, y - y0
    fx, fy = fx * fx * (3 - 2 * fx), fy * fy * (3 - 2 * fy)
    ix, iy = x0.astype(np.int32), y0.astype(np.int32)
    top = _mix(uniform(*keys, ix, iy), uniform(*keys, ix + 1, iy), fx)
    bottom = _mix(uniform(*keys, ix, iy + 1), uniform(*keys, ix + 1, iy + 1), fx)
    return _mix(top, bottom, fy)


def _mix(a: Array, b: Array, t: Array) -> Array:
    return a + (b - a) * t


def _as_u32(key: Any) -> Array:
    return (np.asarray(key).astype(np.int64) & 0xFFFFFFFF).astype(np.uint32)


def _finalise(value: Any) -> Any:
    value = (value ^ (value >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    value = (value ^ (value >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return value ^ (value >> np.uint32(16))
