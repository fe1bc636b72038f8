"""Reading one picture: what is taken, how it is turned, and the one sentence for what is not."""

from __future__ import annotations

import tempfile
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from p2plib.data import pictures
from p2plib.data.pictures import list_pictures, natural_key, picture_size, read_picture
from p2plib.errors import UserError

ORIENTATION = 0x0112


def pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image, dtype=np.int16)


@pytest.mark.parametrize("suffix", ["png", "webp"])
def test_rgb_comes_back_to_the_bit(tmp_path, picture, suffix):
    picture(3).save(tmp_path / f"x.{suffix}", **({"lossless": True} if suffix == "webp" else {}))
    read = read_picture(tmp_path / f"x.{suffix}")
    assert read.mode == "RGB"
    assert (pixels(read) == pixels(picture(3))).all()


@pytest.mark.parametrize("suffix", ["jpg", "jpeg", "webp"])
def test_lossy_pictures_come_back_nearly(tmp_path, suffix):
    smooth = Image.linear_gradient("L").resize((48, 32)).convert("RGB")
    smooth.save(tmp_path / f"x.{suffix}", quality=95)
    read = read_picture(tmp_path / f"x.{suffix}")
    assert (read.mode, read.size) == ("RGB", (48, 32))
    assert np.abs(pixels(read) - pixels(smooth)).mean() < 3


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_grey_becomes_three_equal_channels(tmp_path, suffix):
    grey = Image.linear_gradient("L").resize((32, 32))
    grey.save(tmp_path / f"grey.{suffix}", **({"quality": 100} if suffix == "jpg" else {}))
    read = pixels(read_picture(tmp_path / f"grey.{suffix}"))
    assert (read == read[..., :1]).all()
    assert np.abs(read[..., 0] - pixels(grey)).max() <= (3 if suffix == "jpg" else 0)


def test_black_and_white_of_one_bit(tmp_path, picture):
    two = picture(2).convert("1")
    two.save(tmp_path / "x.png")
    assert (pixels(read_picture(tmp_path / "x.png")) == pixels(two.convert("RGB"))).all()


def test_palette_gives_the_colours_of_the_palette(tmp_path, picture):
    few = picture(5).quantize(7)
    few.save(tmp_path / "x.png")
    assert Image.open(tmp_path / "x.png").mode == "P"
    assert (pixels(read_picture(tmp_path / "x.png")) == pixels(few.convert("RGB"))).all()


def test_transparent_colour_of_a_palette_becomes_white(tmp_path):
    image = Image.new("P", (4, 2))
    image.putpalette([200, 0, 0, 0, 0, 200])
    image.putdata([0, 0, 1, 1] * 2)
    image.save(tmp_path / "x.png", transparency=1)
    assert pixels(read_picture(tmp_path / "x.png"))[0].tolist() == [[200, 0, 0]] * 2 + [[255, 255, 255]] * 2


@pytest.mark.parametrize(("mode", "colour"), [("RGBA", (0, 100, 200)), ("LA", (100,))])
@pytest.mark.parametrize("alpha", [0, 128, 255])
def test_transparency_is_laid_on_white(tmp_path, mode, colour, alpha):
    Image.new(mode, (6, 6), (*colour, alpha)).save(tmp_path / "x.png")
    expected = [value * alpha / 255 + 255 * (1 - alpha / 255) for value in (colour if len(colour) == 3 else colour * 3)]
    assert np.abs(pixels(read_picture(tmp_path / "x.png")) - expected).max() <= 1


def test_rgb_with_one_transparent_colour(tmp_path):
    image = Image.new("RGB", (2, 1), (9, 8, 7))
    image.putpixel((1, 0), (1, 2, 3))
    image.save(tmp_path / "x.png", transparency=(9, 8, 7))
    assert pixels(read_picture(tmp_path / "x.png")).tolist() == [[[255, 255, 255], [1, 2, 3]]]


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turns_the_picture(tmp_path, picture, suffix, orientation):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    path = tmp_path / f"x.{suffix}"
    picture(1, 24, 16).save(path, exif=exif, **({"lossless": True} if suffix == "webp" else {}))
    read = read_picture(path)
    assert (pixels(read) == pixels(ImageOps.exif_transpose(Image.open(path)))).all()
    assert read.size == picture_size(path) == ((24, 16) if orientation < 5 else (16, 24))


def test_a_broken_exif_note_does_not_spoil_a_whole_picture(tmp_path, picture):
    path = tmp_path / "x.webp"
    picture(1, 24, 16).save(path, exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x09broken", lossless=True)
    assert (pixels(read_picture(path)) == pixels(picture(1, 24, 16))).all()
    assert picture_size(path) == (24, 16)


@settings(max_examples=60, deadline=None)
@given(
    width=st.integers(1, 70),
    height=st.integers(1, 70),
    orientation=st.integers(0, 9),
    suffix=st.sampled_from(["jpg", "png", "webp"]),
    mode=st.sampled_from(["RGB", "L", "P", "RGBA"]),
)
def test_picture_size_says_what_read_picture_gives(width, height, orientation, suffix, mode):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"x.{suffix}"
        Image.new("RGB" if suffix == "jpg" and mode in ("P", "RGBA") else mode, (width, height)).save(path, exif=exif)
        assert picture_size(path) == read_picture(path).size


# --- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["X.JPG", "y.Jpeg", "z.PNG", "w.WebP", "blau & grün #1 100%.png", "사진.png", "a.b.png"]
)
def test_names_and_suffixes_of_all_kinds(tmp_path, picture, name):
    picture(1).save(tmp_path / name)
    assert list_pictures(tmp_path) == [tmp_path / name]
    assert read_picture(tmp_path / name).size == (40, 40)


def test_the_content_decides_not_the_suffix(tmp_path, picture):
    picture(1).save(tmp_path / "really_a_png.jpg", "PNG")
    assert (pixels(read_picture(tmp_path / "really_a_png.jpg")) == pixels(picture(1))).all()


def test_pictures_are_listed_as_people_count(tmp_path):
    names = ["1.jpg", "2.jpg", "10.png", "1²3.jpg", "01.jpg", "b2.webp", "b10.webp", "B3.jpg"]
    for name in [*reversed(names), ".hidden.jpg", "._1.jpg", "notes.txt", "data.npy"]:
        (tmp_path / name).touch()
    (tmp_path / "folder.jpg").mkdir()
    listed = [path.name for path in list_pictures(tmp_path)]
    assert sorted(listed) == sorted(names)
    assert [n for n in listed if n in ("1.jpg", "2.jpg", "10.png")] == ["1.jpg", "2.jpg", "10.png"]
    assert listed.index("b2.webp") < listed.index("b10.webp")


def test_names_that_count_alike_keep_one_order():
    paths = [Path(name) for name in ("1.jpg", "01.jpg", "001.jpg")]
    backwards = paths[::-1]
    assert sorted(paths, key=natural_key) == sorted(backwards, key=natural_key)


# --- what is wrong with a file ---------------------------------------------------------------------

SENTENCES = {
    "truncated jpg": "is damaged",
    "truncated png": "is damaged",
    "truncated webp": "is damaged",
    "stump of a jpg": "is damaged",
    "stump of a png": "is damaged (it begins as a PNG",
    "stump of a webp": "is damaged (it begins as a WebP",
    "text": "is not a JPEG, PNG or WebP picture",
    "other kind": "is not a JPEG, PNG or WebP picture",
    "empty": "is empty (0 bytes)",
    "16-bit grey": "has 16 or more bits a channel",
    "16-bit RGB": "has 16 or more bits a channel",
    "CMYK": "holds printing colours (CMYK)",
    "too large": "has 400 million pixels",
    "somewhat too large": "has 96 million pixels",
    "folder": "is a folder, not a picture",
    "missing": "there is no such file",
}


HEADER_IS_WHOLE = ("truncated jpg", "truncated webp")  # only reading the pixels shows what is wrong


@pytest.mark.parametrize(
    ("read", "kind"),
    [(read_picture, kind) for kind in SENTENCES]
    + [(picture_size, kind) for kind in SENTENCES if kind not in HEADER_IS_WHOLE],
)
def test_each_bad_file_gets_one_sentence_with_its_name(bad_pictures, read, kind):
    with warnings.catch_warnings(record=True) as second_voices, pytest.raises(UserError) as caught:
        read(bad_pictures[kind])
    assert not second_voices  # Pillow has one of its own about size
    sentence = str(caught.value)
    assert sentence.startswith(str(bad_pictures[kind]))
    assert SENTENCES[kind] in sentence
    assert "\n" not in sentence
    assert caught.value.__context__ is None or caught.value.__suppress_context__  # one traceback in a notebook


def test_a_file_that_may_not_be_read_is_named_with_the_reason(tmp_path, picture, monkeypatch):
    picture(1).save(tmp_path / "x.png")

    def refuse(path, **_):  # what a file of another user does; to root every file is open
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(pictures.Image, "open", refuse)
    with pytest.raises(UserError, match=r"x\.png cannot be read \(permission denied\)"):
        read_picture(tmp_path / "x.png")


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_no_damage_leads_to_anything_but_a_picture_or_a_sentence(tmp_path, picture, suffix):
    """Cut anywhere, or any byte changed: Pillow answers with many kinds of exceptions, this with one."""
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    exif[0x011A] = 72.0
    path = tmp_path / f"x.{suffix}"
    picture(1, 24, 16).save(path, exif=exif)
    whole, random = path.read_bytes(), np.random.default_rng(0)
    sentences = []
    for case in range(300):
        spoiled = bytearray(whole)
        if case % 3 == 0:
            spoiled = spoiled[: random.integers(len(whole))]
        else:
            for place in random.integers(0, min(len(whole), 120 if case % 2 else len(whole)), 1 + case % 4):
                spoiled[place] = random.integers(256)
        path.write_bytes(spoiled)
        for read in (read_picture, picture_size):
            try:
                read(path)
            except UserError as error:
                sentences.append(str(error))
    assert len(sentences) > 100
    assert all(str(path) in sentence and "\n" not in sentence for sentence in sentences)


def test_reading_in_threads_leaves_pythons_warnings_as_they_were(bad_pictures, tmp_path, picture):
    picture(1).save(tmp_path / "x.png")
    before = list(warnings.filters)

    def work():
        for _ in range(40):
            read_picture(tmp_path / "x.png")

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(warnings.filters) == before
