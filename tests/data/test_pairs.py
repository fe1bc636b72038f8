"""Folders of pairs: every layout, what is held out, what is wrong with a folder, and loading in two ways."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from PIL import Image

from p2plib.data.catalogue import open_source
from p2plib.data.pairs import FolderPairs, PairFile, batches, find_pairs, load_halves, load_pair, split_pairs
from p2plib.errors import UserError

LAYOUTS = ["flat", "split", "A B", "train/A", "A/train", "trainA"]
FACADES = Path(__file__).resolve().parents[3] / "shared" / "data" / "facades"


def marks(files: list[PairFile]) -> list[tuple[int, int]]:
    """Which pictures A and B of each pair are: the red of their corner."""
    return [tuple(half.getpixel((0, 0))[0] for half in load_halves(file)) for file in files]


# --- finding -------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_layout_gives_its_pairs_in_the_order_people_count(pair_folder, layout):
    folder = pair_folder(layout, count=11)
    splits = find_pairs(folder)
    with_splits = layout not in ("flat", "A B")
    assert list(splits) == (["train", "val"] if with_splits else ["all"])
    assert marks(splits["train" if with_splits else "all"]) == [(i, i + 100) for i in range(1, 12)]
    if with_splits:
        assert marks(splits["val"]) == [(12, 112), (13, 113)]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("direction", ["AtoB", "BtoA"])
def test_direction_says_which_half_is_the_input(pair_folder, layout, direction):
    files = next(iter(find_pairs(pair_folder(layout, count=3)).values()))
    input, target = FolderPairs(files, 40, direction).batch([2])
    corner = (int(input[0, 0, 0, 0]), int(target[0, 0, 0, 0]))
    assert corner == ((3, 103) if direction == "AtoB" else (103, 3))


def test_another_direction_is_refused(pair_folder):
    files = find_pairs(pair_folder())["all"]
    with pytest.raises(UserError, match='"AtoB" or "BtoA", not \'atob\''):
        FolderPairs(files, 40, "atob")


def test_partners_may_have_different_suffixes(pair_folder, picture):
    folder = pair_folder("A B", count=2)
    (folder / "B" / "1.png").unlink()
    picture(101).save(folder / "B" / "1.webp", lossless=True)
    assert marks(find_pairs(folder)["all"]) == [(1, 101), (2, 102)]


def test_files_that_are_no_pictures_do_not_disturb(pair_folder):
    folder = pair_folder("A B", count=2)
    for name in ("notes.txt", ".DS_Store", "._1.png", "Thumbs.db"):
        (folder / "A" / name).write_text("x")
    assert len(find_pairs(folder)["all"]) == 2


# --- holding out ---------------------------------------------------------------------------------


def test_val_is_held_out(pair_folder):
    train, held, where = split_pairs(pair_folder("split", count=5))
    assert (len(train), marks(held), where) == (5, [(6, 106), (7, 107)], "from val")


def test_test_is_held_out_where_there_is_no_val(pair_folder):
    folder = pair_folder("split", count=3)
    (folder / "val").rename(folder / "test")
    train, held, where = split_pairs(folder)
    assert (len(train), len(held), where) == (3, 2, "from test")


def test_val_comes_before_test(pair_folder):
    folder = pair_folder("split", count=3)
    shutil.copytree(folder / "train", folder / "test")
    assert marks(split_pairs(folder)[1]) == [(4, 104), (5, 105)]


@pytest.mark.parametrize(
    ("count", "held_out"), [(2, [2]), (9, [9]), (10, [10]), (19, [10]), (20, [10, 20]), (31, [10, 20, 30])]
)
@pytest.mark.parametrize("only_train", [False, True])
def test_else_every_tenth_pair_is_held_out_and_none_is_in_both(pair_folder, count, held_out, only_train):
    folder = pair_folder("flat", count=count, size=(2, 2))
    if only_train:
        (folder / "train").mkdir()
        for path in folder.glob("*.png"):
            path.rename(folder / "train" / path.name)
    train, held, where = split_pairs(folder)
    assert [int(f.a.stem) for f in held] == held_out
    assert [int(f.a.stem) for f in train] == [i for i in range(1, count + 1) if i not in held_out]
    assert where == "every tenth pair"


def test_one_pair_alone_is_too_few(pair_folder):
    with pytest.raises(UserError, match="holds one pair; at least two are needed"):
        split_pairs(pair_folder(count=1))


# --- what is wrong with a folder -----------------------------------------------------------------


def sentence_about(folder: Path) -> str:
    with pytest.raises(UserError) as caught:
        find_pairs(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_missing_empty_and_unsuitable_folders(tmp_path, pair_folder):
    assert sentence_about(tmp_path / "nowhere").startswith(f"{tmp_path / 'nowhere'}: there is no such folder")
    (tmp_path / "empty").mkdir()
    assert "empty holds no pairs (it is empty)" in sentence_about(tmp_path / "empty")
    (tmp_path / "file.jpg").touch()
    assert "file.jpg is a file; a folder of pairs was asked for" in sentence_about(tmp_path / "file.jpg")
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "a.tif").touch()
    assert "(it has files ending in .tif)" in sentence_about(tmp_path / "words")
    (tmp_path / "nested" / "images").mkdir(parents=True)
    assert "(it has images)" in sentence_about(tmp_path / "nested")
    shutil.rmtree(pair_folder("split", name="half") / "train")
    assert "has val but no train" in sentence_about(tmp_path / "half")


@pytest.mark.parametrize("layout", ["A B", "train/A", "A/train", "trainA"])
@pytest.mark.parametrize("lonely", ["A", "B"])
def test_a_picture_without_partner_is_named(pair_folder, layout, lonely):
    folder = pair_folder(layout, count=3)
    removed = next(p for p in folder.rglob("2.png") if lonely not in str(p.parent.relative_to(folder)))
    kept = next(p for p in folder.rglob("2.png") if p != removed)
    removed.unlink()
    assert sentence_about(folder).startswith(f"{kept} has no partner in {removed.parent}")


@pytest.mark.parametrize("missing", ["A", "B"])
def test_a_whole_side_missing_is_said_of_the_folder(pair_folder, missing):
    folder = pair_folder("A B", count=2)
    shutil.rmtree(folder / missing)
    other = "B" if missing == "A" else "A"
    assert sentence_about(folder).startswith(f"{folder / other} has pictures and {folder / missing} has none")


def test_several_lonely_pictures_are_counted(pair_folder):
    folder = pair_folder("A B", count=5)
    for name in ("2", "3", "5"):
        (folder / "B" / f"{name}.png").unlink()
    assert f"{folder / 'A' / '2.png'} (and 2 more) has no partner" in sentence_about(folder)


def test_two_files_of_one_name_are_refused(pair_folder):
    folder = pair_folder("A B", count=2)
    shutil.copy(folder / "A" / "1.png", folder / "A" / "1.jpg")
    sentence = sentence_about(folder)
    assert "1.jpg" in sentence
    assert "1.png" in sentence
    assert "have the same name but for the ending" in sentence


def test_a_folder_that_may_not_be_read(pair_folder, monkeypatch):
    folder = pair_folder()

    def refuse(self):  # to root every folder is open
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "iterdir", refuse)
    assert "cannot be read (permission denied)" in sentence_about(folder)


# --- halves --------------------------------------------------------------------------------------


def test_a_pair_is_cut_in_the_middle(tmp_path):
    both = Image.new("RGB", (6, 2), (255, 0, 0))
    both.paste((0, 0, 255), (3, 0, 6, 2))
    both.save(tmp_path / "1.png")
    a, b = load_pair(PairFile(tmp_path / "1.png"), 4)
    assert a.dtype == b.dtype == torch.uint8
    assert a.shape == b.shape == (3, 4, 4)
    assert a.flatten(1).T.unique(dim=0).tolist() == [[255, 0, 0]]  # no colour of the one half bleeds into the other
    assert b.flatten(1).T.unique(dim=0).tolist() == [[0, 0, 255]]


def test_pictures_that_are_not_square_are_squeezed_both_alike(pair_folder):
    side_by_side = find_pairs(pair_folder("flat", 2, size=(60, 20), name="wide"))["all"][0]
    apart = find_pairs(pair_folder("A B", 2, size=(60, 20), name="apart"))["all"][0]
    for half, same in zip(load_pair(side_by_side, 30), load_pair(apart, 30), strict=True):
        assert half.shape == (3, 30, 30)
        assert torch.equal(half, same)


@pytest.mark.parametrize("memory", [None, 0])
def test_odd_width_is_refused_held_or_streamed(tmp_path, memory):
    Image.new("RGB", (41, 20)).save(tmp_path / "1.png")
    with pytest.raises(UserError, match=r"1\.png is 41 px wide: .* an even number was expected"):
        FolderPairs([PairFile(tmp_path / "1.png")], 16, memory=memory)


@pytest.mark.parametrize("memory", [None, 0])
def test_partners_of_another_shape_are_refused_of_another_size_not(tmp_path, picture, memory):
    for name, size in (("a", (40, 40)), ("larger", (80, 80)), ("wider", (80, 40))):
        picture(1, *size).save(tmp_path / f"{name}.png")
    assert len(FolderPairs([PairFile(tmp_path / "a.png", tmp_path / "larger.png")], 16, memory=memory)) == 1
    with pytest.raises(UserError, match=r"a\.png is 40 × 40 px and its partner .*wider\.png is 80 × 40 px"):
        FolderPairs([PairFile(tmp_path / "a.png", tmp_path / "wider.png")], 16, memory=memory)


# --- held and streamed ---------------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["flat", "A B"])
def test_streamed_and_held_give_the_same_batches_in_the_same_order(pair_folder, layout):
    files = find_pairs(pair_folder(layout, count=9))["all"]
    size = 9 * 2 * 3 * 24 * 24
    held, streamed = FolderPairs(files, 24, memory=size), FolderPairs(files, 24, memory=size - 1)  # the rule, exactly
    assert (held.held, streamed.held) == (True, False)
    order = [[8, 0], [3, 3, 1], [7], [2, 4, 5, 6], *([i] for i in range(9))]
    given = [list(batches(pairs, order)) for pairs in (held, streamed)]
    assert len(given[0]) == len(given[1]) == len(order)
    for (x, y), (same_x, same_y), indices in zip(*given, order, strict=True):
        assert torch.equal(x, same_x)
        assert torch.equal(y, same_y)
        assert x.dtype == torch.uint8
        assert x.shape == (len(indices), 3, 24, 24)
        alone = [load_pair(files[i], 24) for i in indices]
        assert torch.equal(x, torch.stack([pair[0] for pair in alone]))
        assert torch.equal(y, torch.stack([pair[1] for pair in alone]))


def test_streaming_holds_a_few_batches_not_the_set(pair_folder, monkeypatch):
    files = find_pairs(pair_folder(count=8, size=(8, 8)))["all"] * 25
    pairs = FolderPairs(files, 8, memory=0)
    read = []
    monkeypatch.setattr(pairs, "_oriented", lambda i, inner=pairs._oriented: (read.append(i), inner(i))[1])
    stream = batches(pairs, [[i] for i in range(200)])
    next(stream)
    stream.close()
    assert 1 <= len(read) <= 10


def test_a_set_larger_than_the_bound_is_streamed_through_open_source(pair_folder, monkeypatch):
    folder = pair_folder("split", count=12)
    monkeypatch.setenv("P2PLIB_MEMORY", str(11 * 2 * 3 * 40 * 40 / 2**30))
    assert "12 pairs side by side, streamed from disk" in open_source(str(folder), 40, 40).summary
    assert "11 pairs side by side, held in memory" in open_source(str(folder), 40, 40, limit=11).summary
    monkeypatch.delenv("P2PLIB_MEMORY")
    assert "12 pairs side by side, held in memory" in open_source(str(folder), 40, 40).summary


@pytest.mark.parametrize("said", ["much", "inf", "nan", "2GB"])
def test_a_memory_bound_that_is_no_number(pair_folder, monkeypatch, said):
    monkeypatch.setenv("P2PLIB_MEMORY", said)
    with pytest.raises(UserError, match=f"P2PLIB_MEMORY is a number of GiB.*not '{said}'"):
        open_source(str(pair_folder()), 16, 16)


def test_progress_counts_to_the_end(pair_folder):
    files = find_pairs(pair_folder(count=5))["all"]
    for memory in (None, 0):
        seen = []
        FolderPairs(files, 8, memory=memory, progress=lambda done, of: seen.append((done, of)))  # noqa: B023
        assert seen == [(i, 5) for i in range(1, 6)]


BAD = ["truncated jpg", "text", "empty", "16-bit grey", "16-bit RGB", "CMYK", "too large"]


# When streaming, only headers are read at the start; a file cut off after it is found later: the next test.
@pytest.mark.parametrize(
    ("memory", "kind"), [(m, kind) for kind in BAD for m in (None, 0) if (m, kind) != (0, "truncated jpg")]
)
def test_a_bad_file_is_named_at_the_start(pair_folder, bad_pictures, kind, memory):
    files = [*find_pairs(pair_folder(count=3))["all"], PairFile(bad_pictures[kind])]
    with pytest.raises(UserError) as caught:
        FolderPairs(files, 16, memory=memory)
    assert str(caught.value).startswith(str(bad_pictures[kind]))


def test_a_file_gone_bad_in_mid_stream_ends_it_with_its_sentence(pair_folder):
    folder = pair_folder(count=6)
    files = find_pairs(folder)["all"]
    pairs = FolderPairs(files, 16, memory=0)
    (folder / "5.png").write_bytes((folder / "5.png").read_bytes()[:200])
    stream = batches(pairs, [[i] for i in range(6)], ahead=0)
    assert [int(next(stream)[0].shape[0]) for _ in range(4)] == [1, 1, 1, 1]
    with pytest.raises(UserError, match=r"5\.png is damaged"):
        next(stream)
    assert next(stream, None) is None


# --- the real facades ----------------------------------------------------------------------------


@pytest.mark.skipif(not FACADES.is_dir(), reason="the real facades are not beside the checkout (shared/data/facades)")
def test_the_real_facades():
    train, held, where = split_pairs(FACADES)
    assert (len(train), len(held), where) == (400, 100, "from val")
    assert [f.a.stem for f in train] == [str(i) for i in range(1, 401)]
    labels, photos = FolderPairs(train[:8], 286, "BtoA").batch(range(8))
    assert labels.shape == photos.shape == (8, 3, 286, 286)

    def colourfulness(batch: torch.Tensor) -> float:
        """Labels are painted in blue, yellow and red; houses are brown and grey."""
        return float((batch.amax(1).float() - batch.amin(1).float()).mean())

    assert colourfulness(labels) > 3 * colourfulness(photos)
    for direction, first in (("AtoB", photos), ("BtoA", labels)):
        assert torch.equal(FolderPairs(train[:2], 286, direction).batch([1])[0][0], first[1])


@pytest.mark.parametrize("half", ["A", "B"])
def test_one_half_is_not_taken_for_pairs(pair_folder, half):
    folder = pair_folder("A B")
    with pytest.raises(UserError, match=rf"{half} is one half of the pairs .*: give {folder}\."):
        find_pairs(folder / half)
    (folder / half).rename(folder.parent / half)  # alone it may be called what it likes
    assert find_pairs(folder.parent / half)["all"]
