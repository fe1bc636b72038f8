"""Made-up facades: the same everywhere, labels and photograph agree, parameters do what they say."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from p2plib.data.facades import (
    CLASSES,
    FacadeParameters,
    classes_to_colours,
    colours_to_classes,
    draw_facade_classes,
    draw_facades,
)

WINDOW, BALCONY, BLIND, SHOP = (CLASSES.index(name) for name in ("window", "balcony", "blind", "shop"))
FACADE, BACKGROUND = CLASSES.index("facade"), CLASSES.index("background")


def runs(line: np.ndarray[Any, Any]) -> int:
    """How many stretches of True a row of truth values has."""
    return int(line[0]) + int(np.sum(line[1:] & ~line[:-1]))


def test_shapes_and_types() -> None:
    labels, photos = draw_facades(range(3), size=48)
    assert labels.shape == photos.shape == (3, 3, 48, 48)
    assert labels.dtype == photos.dtype == np.uint8
    classes = draw_facade_classes(range(3), size=48)
    assert classes.shape == (3, 48, 48)
    assert np.array_equal(classes_to_colours(classes), labels)


def test_labels_are_the_same_on_every_machine() -> None:
    digest = hashlib.sha256()
    for seed, size in ((0, 64), (7, 33), (123456789, 128), (-1, 256)):
        digest.update(draw_facade_classes(range(12), size, seed).tobytes())
    odd = FacadeParameters(floors=3, window_width=0.37, balconies=0.3, ornament=0.7)
    digest.update(draw_facade_classes(range(12), 64, 5, odd).tobytes())
    assert digest.hexdigest() == "81a3cff515f5b5c3a8f4380aaa5583d82af4aa97d69de377e6b30512451a1089"


def test_a_pair_does_not_depend_on_its_company() -> None:
    labels, photos = draw_facades(range(40), seed=4)
    again_labels, again_photos = draw_facades([3, 31, 3], seed=4)
    for place, index in enumerate([3, 31, 3]):
        assert np.array_equal(again_labels[place], labels[index])
        assert np.abs(again_photos[place].astype(int) - photos[index]).max() <= 1


def test_never_two_alike() -> None:
    labels, photos = draw_facades(range(300), size=32)
    assert len({picture.tobytes() for picture in labels}) == 300
    assert len({picture.tobytes() for picture in photos}) == 300
    assert not np.array_equal(draw_facades([0], seed=1)[0], draw_facades([0], seed=2)[0])


def test_every_class_occurs_and_the_wall_fills_most() -> None:
    classes = draw_facade_classes(range(200))
    share = np.bincount(classes.ravel(), minlength=len(CLASSES)) / classes.size
    assert share.min() > 0.001
    assert share[FACADE] == share.max()
    assert 0.06 < share[WINDOW] < 0.25
    assert 0.05 < share[BACKGROUND] < 0.3


def test_windows_stand_out_from_the_wall() -> None:
    labels, photos = draw_facades(range(60))
    classes = colours_to_classes(labels)
    grey = photos.astype(np.float32).mean(1)
    step = np.abs(np.diff(grey, axis=2))
    left, right = classes[:, :, :-1], classes[:, :, 1:]
    border = ((left == WINDOW) & (right == FACADE)) | ((left == FACADE) & (right == WINDOW))
    wall = (left == FACADE) & (right == FACADE)
    contrast = [step[i][border[i]].mean() / step[i][wall[i]].mean() for i in range(60) if border[i].any()]
    assert np.median(contrast) > 3
    assert np.mean(np.array(contrast) > 1.5) > 0.9


def test_windows_are_darker_than_walls_on_the_whole() -> None:
    labels, photos = draw_facades(range(100))
    classes, grey = colours_to_classes(labels), photos.astype(np.float32).mean(1)
    assert grey[classes == WINDOW].mean() < grey[classes == FACADE].mean() - 25


def test_photo_seed_changes_the_photo_alone() -> None:
    labels, photos = draw_facades(range(8))
    drawn = [draw_facades(range(8), photo_seed=k) for k in range(3)]
    seen = [photos, *(other for _, other in drawn)]
    for other_labels, _ in drawn:
        assert np.array_equal(other_labels, labels)
    for a in range(4):
        for b in range(a):
            difference = np.abs(seen[a].astype(int) - seen[b]).mean((1, 2, 3))
            assert difference.min() > 3


def test_broad_palette_has_every_hue_and_narrow_only_warm_walls() -> None:
    classes = draw_facade_classes(range(80))
    spread = {}
    for palette in ("narrow", "broad"):
        photos = draw_facades(range(80), palette=palette)[1].astype(np.float32)
        wall = np.stack([photos[i][:, classes[i] == FACADE].mean(1) for i in range(80)])
        spread[palette] = (wall[:, 0] - wall[:, 2], wall[:, 1] - wall[:, 0])
    assert np.mean(spread["narrow"][0] > 0) > 0.95
    assert 0.25 < np.mean(spread["broad"][0] > 0) < 0.8
    assert np.mean(spread["broad"][1] > 5) > 0.15


@pytest.mark.parametrize("size", [32, 64, 100])
@pytest.mark.parametrize("floors", range(2, 7))
def test_floors_are_rows_of_windows(floors: int, size: int) -> None:
    for shop in (False, True):
        parameters = FacadeParameters(floors=floors, shop=shop)
        for picture in draw_facade_classes(range(20), size, 3, parameters):
            assert runs((picture == WINDOW).any(1)) == floors


@pytest.mark.parametrize("size", [32, 64, 100])
@pytest.mark.parametrize("columns", range(2, 8))
def test_columns_are_columns_of_windows(columns: int, size: int) -> None:
    for picture in draw_facade_classes(range(20), size, 3, FacadeParameters(columns=columns)):
        assert runs((picture == WINDOW).any(0)) == columns


def test_the_other_parameters_do_what_they_say() -> None:
    def share(wanted: int, **values: Any) -> Any:
        return (draw_facade_classes(range(40), 64, 1, FacadeParameters(**values)) == wanted).mean((1, 2))

    assert share(SHOP, shop=True).min() > 0
    assert share(SHOP, shop=False).max() == 0
    assert share(BALCONY, balconies=0).max() == 0
    assert share(BALCONY, balconies=1).min() > 0
    widths = [share(WINDOW, window_width=w, balconies=0).mean() for w in (0.25, 0.4, 0.55, 0.7)]
    assert np.all(np.diff(widths) > 0)
    molding = CLASSES.index("molding")
    assert share(molding, ornament=1).mean() > 2 * share(molding, ornament=0).mean()


def test_a_slider_does_not_shuffle_the_rest() -> None:
    without = draw_facade_classes(range(30), parameters=FacadeParameters(balconies=0))
    before = without
    for balconies in (0.2, 0.5, 0.8, 1):
        after = draw_facade_classes(range(30), parameters=FacadeParameters(balconies=balconies))
        changed = after != before
        assert np.all((after[changed] == BALCONY) | (before[changed] == BLIND))
        assert np.all(after[before == BALCONY] == BALCONY)  # balconies come, none goes
        before = after


def test_sliders_keep_the_wall() -> None:
    def wall(**values: Any) -> Any:
        labels, photos = draw_facades(range(12), seed=2, parameters=FacadeParameters(**values))
        on = colours_to_classes(labels) == FACADE
        return np.stack([np.median(photos[i][:, on[i]], axis=1) for i in range(12)])

    reference = wall(floors=4, columns=4)
    for other in (wall(floors=5, columns=4), wall(floors=4, columns=5), wall(floors=4, columns=4, balconies=1)):
        assert np.abs(other - reference).max(1).mean() < 12


def test_the_same_scene_is_drawn_finer() -> None:
    coarse, fine = draw_facade_classes(range(20), 64), draw_facade_classes(range(20), 256)
    assert np.mean(fine[:, 2::4, 2::4] == coarse) > 0.85


def test_colours_and_classes_there_and_back() -> None:
    classes = np.arange(12, dtype=np.uint8).repeat(200).reshape(1, 12, 200)
    pictures = classes_to_colours(classes)
    assert np.array_equal(colours_to_classes(pictures), classes)
    noise = np.random.default_rng(0).integers(-20, 21, pictures.shape)
    noisy = np.clip(pictures.astype(int) + noise, 0, 255).astype(np.uint8)
    assert np.array_equal(colours_to_classes(noisy), classes)


def test_one_picture_without_a_batch_axis() -> None:
    classes = draw_facade_classes([5], 32)[0]
    assert classes_to_colours(classes).shape == (3, 32, 32)
    assert np.array_equal(colours_to_classes(classes_to_colours(classes)), classes)


@settings(max_examples=25, deadline=None)
@given(
    size=st.integers(32, 128),
    seed=st.integers(-(2**31), 2**31 - 1),
    index=st.integers(0, 10**6),
    floors=st.none() | st.integers(2, 6),
    columns=st.none() | st.integers(2, 7),
    balconies=st.none() | st.floats(0, 1),
    ornament=st.none() | st.floats(0, 1),
)
def test_any_size_and_seed(size: int, seed: int, index: int, **values: Any) -> None:
    parameters = FacadeParameters(**values)
    labels, photos = draw_facades([index], size, seed, parameters)
    classes = draw_facade_classes([index], size, seed, parameters)
    assert np.array_equal(colours_to_classes(labels), classes)
    assert np.array_equal(draw_facades([index], size, seed, parameters)[1], photos)
    assert {FACADE, WINDOW} <= set(np.unique(classes))
    assert photos.std() > 5
    if values["floors"] is not None:
        assert runs((classes[0] == WINDOW).any(1)) == values["floors"]
    if values["columns"] is not None:
        assert runs((classes[0] == WINDOW).any(0)) == values["columns"]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: draw_facades([0], size=16), "size must be"),
        (lambda: draw_facades([0], size=64.5), "size must be"),  # type: ignore[arg-type]
        (lambda: draw_facades([-1]), "indices must be 0 or more"),
        (lambda: draw_facades([[0]]), "indices must be a flat list"),  # type: ignore[list-item]
        (lambda: draw_facades([0.5]), "indices must be a flat list"),  # type: ignore[list-item]
        (lambda: draw_facades([0], palette="loud"), "palette must be"),
        (lambda: FacadeParameters(floors=7), "floors must lie between 2 and 6"),
        (lambda: FacadeParameters(columns=2.5), "columns must be a whole number"),  # type: ignore[arg-type]
        (lambda: FacadeParameters(ornament=1.2), "ornament must lie between 0 and 1"),
        (lambda: classes_to_colours(np.array([[12]])), "classes must lie between"),
        (lambda: colours_to_classes(np.zeros((4, 8, 8))), "labels must have shape"),
    ],
)
def test_wrong_arguments_are_named(call: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        call()


def test_no_pictures_at_all() -> None:
    labels, photos = draw_facades([])
    assert labels.shape == photos.shape == (0, 3, 64, 64)
