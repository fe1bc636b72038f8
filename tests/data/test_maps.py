"""The made-up maps: repeatable, in agreement with their photographs, and obedient to their parameters."""

from __future__ import annotations

import hashlib
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from p2plib.data.maps import MAP_CLASSES, MapParameters, draw_maps, make_scene, map_classes
from p2plib.data.town import make_plan
from p2plib.data.town_scene import coverage, to_grid, to_world, wave

NAMES = list(MAP_CLASSES)


@pytest.fixture(scope="module")
def many():
    """200 pairs of seed 0 with their classes."""
    maps, aerials = draw_maps(range(200))
    return maps, aerials, map_classes(maps)


def share(name, count=60, **decided):
    """The share of map pixels of a class over some pictures."""
    maps, _ = draw_maps(range(count), seed=3, parameters=MapParameters(**decided))
    return float((map_classes(maps) == NAMES.index(name)).mean())


def mean_colour(aerials, mask):
    return aerials.transpose(0, 2, 3, 1)[mask].mean(axis=0)


def interior(mask):
    """Pixels whose eight neighbours are in the mask too: clear of soft edges and of most shadows."""
    inner = np.zeros_like(mask)
    inner[:, 1:-1, 1:-1] = True
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            inner[:, 1:-1, 1:-1] &= np.roll(mask, (down, right), (1, 2))[:, 1:-1, 1:-1]
    return inner


# --- the same on every machine, in any order and company


MAP_HASHES = {
    (64, None, 0): "7be268409f6619c5",
    (96, 1.0, 7): "30be8beaebc8081b",
    (130, None, 2): "9c40f1b8db72fd59",
}


@pytest.mark.parametrize(("size", "scale", "seed"), MAP_HASHES)
def test_maps_are_equal_byte_by_byte_on_every_machine(size, scale, seed):
    maps, _ = draw_maps(range(12), size, seed, scale=scale)
    assert hashlib.sha256(maps.tobytes()).hexdigest()[:16] == MAP_HASHES[size, scale, seed]


def test_the_same_call_draws_the_same(many):
    again = draw_maps(range(20))
    assert np.array_equal(again[0], many[0][:20])
    assert np.array_equal(again[1], many[1][:20])


@pytest.mark.parametrize("indices", [[3], [9, 3, 5], range(40, 77), np.array([199, 0])])
def test_a_pair_does_not_depend_on_its_company(many, indices):
    maps, aerials = draw_maps(indices)
    picked = list(indices)
    assert np.array_equal(maps, many[0][picked])
    assert np.array_equal(aerials, many[1][picked])


def test_company_does_not_matter_at_other_sizes_and_scales():
    whole = draw_maps(range(5), 100, 1, scale=1.0)
    alone = draw_maps([4], 100, 1, scale=1.0)
    assert np.array_equal(whole[0][4:], alone[0])
    assert np.array_equal(whole[1][4:], alone[1])


def test_no_two_pictures_are_alike(many):
    for pictures in many[:2]:
        assert len({picture.tobytes() for picture in pictures}) == len(pictures)
    other = draw_maps(range(20), seed=1)[0]
    assert not any(np.array_equal(a, b) for a, b in zip(other, many[0], strict=False))


@settings(max_examples=12, deadline=None)
@given(
    size=st.integers(32, 128),
    seed=st.integers(0, 2**32 - 1),
    index=st.integers(0, 2**32 - 1),
    own=st.booleans(),
)
def test_any_size_seed_and_index(size, seed, index, own):
    maps, aerials = draw_maps([index], size, seed, scale=1.0 if own else None)
    assert maps.shape == aerials.shape == (1, 3, size, size)
    assert maps.dtype == aerials.dtype == np.uint8
    assert aerials.std() > 3


# --- what is in the pictures


def test_every_class_occurs(many):
    counts = np.bincount(many[2].ravel(), minlength=len(NAMES))
    assert all(counts > 2000), dict(zip(NAMES, counts.tolist(), strict=True))


def test_towns_differ(many):
    building = (many[2] == NAMES.index("building")).mean(axis=(1, 2))
    assert building.min() < 0.03
    assert building.max() > 0.3


@pytest.mark.parametrize("name", ["water", "street", "main road", "park", "wood", "field"])
def test_the_photograph_has_the_colours_that_the_map_says(many, name):
    _, aerials, classes = many
    red, green, blue = mean_colour(aerials, interior(classes == NAMES.index(name)))
    if name == "water":
        assert blue > green > red
        assert red < 90
    elif name in ("street", "main road"):
        assert max(red, green, blue) - min(red, green, blue) < 16
    else:
        assert green > blue + 15
        assert green > red - 8


def test_park_is_lighter_than_wood_and_street_than_water(many):
    level = {n: mean_colour(many[1], many[2] == NAMES.index(n)).mean() for n in ("park", "wood", "street", "water")}
    assert level["park"] > level["wood"] + 5
    assert level["street"] > level["water"] + 20


def test_roofs_lie_exactly_on_the_footprints():
    """Shifted by two pixels, the photograph explains less of where the map has buildings."""
    decided = MapParameters(density=0.8, river=0, highway=0, park=0)
    maps, aerials = draw_maps(range(60), parameters=decided)
    classes = map_classes(maps)[:, 4:-4, 4:-4]
    roof = classes == NAMES.index("building")
    land = classes == NAMES.index("land")
    red_minus_green = aerials[:, 0].astype(float) - aerials[:, 1]

    def contrast(down, right):
        moved = red_minus_green[:, 4 + down : 60 + down, 4 + right : 60 + right]
        return moved[roof].mean() - moved[land].mean()

    here = contrast(0, 0)
    assert all(here > contrast(d, r) + 1 for d, r in [(-2, 0), (2, 0), (0, -2), (0, 2), (2, 2), (-2, -2)])


def test_unsaid_things_vary_within_a_picture():
    """Roofs of one picture differ about as much as roofs at large: the ambiguity is local."""
    maps, aerials = draw_maps(range(60), parameters=MapParameters(density=0.75, river=0, park=0))
    roofs = interior(map_classes(maps) == NAMES.index("building"))
    level = aerials.mean(axis=1)
    inside = np.mean([level[i][roofs[i]].std() for i in range(60) if roofs[i].sum() > 50])
    assert inside > 0.75 * level[roofs].std()


def test_finer_pictures_show_the_same_scene_in_more_detail():
    coarse_map, coarse = draw_maps(range(6), 64)
    fine_map, fine = draw_maps(range(6), 256)

    def shrink(pictures):
        return pictures.reshape(6, 3, 64, 4, 64, 4).mean(axis=(3, 5))

    assert np.abs(shrink(fine_map) - coarse_map).mean() < 4
    assert np.corrcoef(shrink(fine).ravel(), coarse.ravel())[0, 1] > 0.75
    residue = fine - np.kron(shrink(fine), np.ones((1, 1, 4, 4)))
    assert residue.std() > 8


def test_scale_one_keeps_the_look_of_the_small_pictures(many):
    _, aerials = draw_maps(range(8), 256, scale=1.0)
    for channel in range(3):
        assert abs(aerials[:, channel].mean() - many[1][:, channel].mean()) < 12
    steps = np.abs(np.diff(aerials.astype(int), axis=-1)).mean()
    assert abs(steps / np.abs(np.diff(many[1].astype(int), axis=-1)).mean() - 1) < 0.2


# --- parameters


@pytest.mark.parametrize(
    ("name", "decided", "values"),
    [
        ("water", "river", [0, 6, 16, 40]),
        ("highway", "highway", [0, 4, 8]),
        ("building", "density", [0, 0.3, 0.6, 1]),
    ],
)
def test_more_of_a_parameter_is_more_of_its_class(name, decided, values):
    shares = [share(name, **{decided: value}) for value in values]
    assert all(b > a + 0.01 for a, b in pairwise(shares)), shares


def test_no_river_no_water_no_density_no_building():
    assert share("water", river=0) == 0
    assert share("highway", highway=0) < 0.001  # a blend of two other classes may look like it
    assert share("building", density=0) < 0.01
    maps, _ = draw_maps(range(60), seed=3, parameters=MapParameters(density=0))
    assert not (maps == np.array(MAP_CLASSES["building"], np.uint8)[:, None, None]).all(axis=1).any()


def test_park_is_the_share_of_green_blocks():
    greens = []
    for park in (0, 0.1, 0.3, 0.6, 0.9, 1):
        scene = make_scene(np.arange(40), 5, MapParameters(park=park))
        greens.append(float((make_plan(scene, 64, 0.5).use == 1).mean()))
    assert greens[0] == 0
    assert greens[-1] == 1
    assert greens[1:5] == pytest.approx([0.1, 0.3, 0.6, 0.9], abs=0.06)


def test_block_size_and_angle_follow():
    streets = [share("street", block_size=value, river=0) for value in (16, 24, 38)]
    assert streets[0] > streets[1] > streets[2]
    for angle in (0.0, 30.0):
        scene = make_scene(np.arange(3), 0, MapParameters(road_angle=angle))
        assert scene.road_axis[0] == pytest.approx(np.cos(np.radians(angle)), abs=1e-4)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"park": 0.3}, {"park": 0.33}),
        ({"density": 0.7}, {"density": 0.73}),
        ({"river": 10}, {"river": 11}),
        ({"highway": 5}, {"highway": 5.5}),
        ({"road_angle": 10}, {"road_angle": 10.5}),
        ({"block_size": 22}, {"block_size": 22.1}),
    ],
)
def test_a_small_turn_of_a_slider_is_a_small_change(first, second):
    before, _ = draw_maps(range(24), parameters=MapParameters(**first))
    after, _ = draw_maps(range(24), parameters=MapParameters(**second))
    assert not np.array_equal(before, after)
    changed = (np.abs(before.astype(int) - after).max(axis=1) > 12).mean()
    assert changed < 0.15


@pytest.mark.parametrize("wrong", [{"park": 1.2}, {"density": -0.1}, {"river": 900}, {"block_size": float("nan")}])
def test_parameters_out_of_range(wrong):
    with pytest.raises(ValueError, match="must be None or lie in"):
        MapParameters(**wrong)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"indices": [0], "size": 31}, "size is 31"),
        ({"indices": [0], "size": 64.5}, "size is 64.5"),
        ({"indices": [0.5]}, "indices must be"),
        ({"indices": [[1, 2]]}, "indices must be"),
        ({"indices": [2**40]}, "indices must lie"),
        ({"indices": [0], "scale": 0.0}, "scale is 0.0"),
        ({"indices": [0], "scale": float("nan")}, "scale is nan"),
        ({"indices": [0], "seed": 0.5}, "seed is 0.5"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        draw_maps(**arguments)


def test_no_indices_no_pictures():
    maps, aerials = draw_maps([])
    assert maps.shape == aerials.shape == (0, 3, 64, 64)


# --- the parts


def test_grid_and_world_are_inverse():
    scene = make_scene(np.arange(5), 0, MapParameters())
    x = np.linspace(-200, 200, 41, dtype=np.float32)[None, None, :]
    y = np.linspace(-150, 90, 31, dtype=np.float32)[None, :, None]
    back_x, back_y = to_world(scene, *to_grid(scene, x, y))
    assert np.abs(back_x - x).max() < 0.01
    assert np.abs(back_y - y).max() < 0.01


def test_wave_and_coverage():
    t = np.linspace(-3, 3, 601, dtype=np.float32)
    assert wave(t).min() == pytest.approx(-1, abs=1e-3)
    assert wave(t).max() == pytest.approx(1, abs=1e-3)
    assert wave(t + 1) == pytest.approx(wave(t), abs=1e-4)
    distance = np.array([-2, -0.25, 0, 0.25, 2], np.float32)
    assert coverage(distance, 2.0).tolist() == [1, 1, 0.5, 0, 0]


def test_the_plan_is_in_single_precision():
    plan = make_plan(make_scene(np.arange(3), 0, MapParameters()), 64, 1.0)
    for name in ("street", "water", "highway", "building", "yellow", "bridge", "path", "wood", "pitch"):
        assert getattr(plan, name).dtype == np.float32, name
