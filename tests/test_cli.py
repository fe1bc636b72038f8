"""The command line: each bad input is one sentence and exit code 2, with nothing half-written; and what works."""

from __future__ import annotations

import io
import os
import pickle
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from PIL import Image

from p2plib.data.catalogue import CATALOGUE
from p2plib.training import checkpoint

ROOT = Path(__file__).resolve().parents[1]
SMALL = (
    "--size",
    32,
    "--base",
    4,
    "--epochs",
    1,
    "--batch",
    2,
    "--limit",
    4,
    "--device",
    "cpu",
    "--schedule",
    "constant",
)
BAD = ["truncated jpg", "truncated png", "text", "empty", "16-bit grey", "16-bit RGB", "CMYK", "too large"]


@pytest.fixture
def problem(p2p):
    """problem("train", …): the one sentence that the command ends with, and all that such an end has in common."""

    def run(*arguments: object) -> str:
        code, out, err = p2p(*arguments)
        assert code == 2
        assert out == ""
        assert err.startswith("p2plib: ")
        assert err.count("\n") == 1
        assert err.endswith("\n")
        return err.removeprefix("p2plib: ").rstrip("\n")

    return run


def shell(*arguments: object, code: str = "", **options: object) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own; `code` is run before it."""
    command = ["-m", "p2plib"]
    if code:
        command = ["-c", f"import sys; {code}; from p2plib.cli import main; sys.exit(main(sys.argv[1:]))"]
    return subprocess.run(
        [sys.executable, *command, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        **options,
    )


# --- folders of pairs ------------------------------------------------------------------------------


def test_a_missing_folder_in_a_process_of_its_own(tmp_path):
    done = shell("train", tmp_path / "nowhere", "--out", tmp_path / "run", *SMALL)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"p2plib: {tmp_path / 'nowhere'}: there is no such folder")
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_neither_folder_nor_set(problem, tmp_path):
    sentence = problem("train", "facade", "--out", tmp_path / "run")
    assert "'facade' is neither a folder nor a name of the catalogue (facades, maps," in sentence
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_no_disk_takes(problem, tmp_path):
    for name in ("x" * 300, tmp_path / ("x" * 300)):
        assert ("x" * 300) in problem("train", name, "--out", tmp_path / "run", *SMALL)


def test_an_empty_folder(problem, tmp_path):
    (tmp_path / "pairs").mkdir()
    assert "holds no pairs (it is empty)" in problem("train", tmp_path / "pairs", "--out", tmp_path / "run", *SMALL)
    assert not (tmp_path / "run").exists()


def test_a_picture_of_a_without_its_partner(problem, pair_folder, tmp_path):
    folder = pair_folder("A B")
    (folder / "B" / "3.png").unlink()
    sentence = problem("train", folder, "--out", tmp_path / "run", *SMALL)
    assert sentence.startswith(f"{folder / 'A' / '3.png'} has no partner in {folder / 'B'}")
    assert not (tmp_path / "run").exists()


def test_an_odd_width(problem, pair_folder, picture, tmp_path):
    folder = pair_folder()
    picture(2, 81, 40).save(folder / "2.png")
    assert f"{folder / '2.png'} is 81 px wide" in problem("train", folder, "--out", tmp_path / "run", *SMALL)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("held_out", [False, True])
def test_a_bad_picture_among_good_ones(problem, pair_folder, bad_pictures, snapshot, tmp_path, kind, held_out):
    folder = pair_folder("split", count=3)
    bad = folder / ("val" if held_out else "train") / f"3{bad_pictures[kind].suffix}"
    shutil.copy(bad_pictures[kind], bad)
    before = snapshot(tmp_path)
    sentence = problem("train", folder, "--out", tmp_path / "run", *SMALL)
    assert sentence.startswith(str(bad))
    assert snapshot(tmp_path) == before


def test_a_file_found_bad_while_streaming_leaves_the_saved_state_whole(
    p2p, pair_folder, tiny_run, monkeypatch, snapshot
):
    """The worst moment: all headers were right, and training is under way."""
    monkeypatch.setenv("P2PLIB_MEMORY", "0")
    folder = tiny_run.parent / "pairs"
    Image.new("RGB", (80, 40)).save(folder / "2.jpg")
    (folder / "2.png").unlink()
    (folder / "2.jpg").write_bytes((folder / "2.jpg").read_bytes()[:-40])
    before = snapshot(tiny_run)
    code, _, err = p2p("train", folder, "--out", tiny_run, "--epochs", 3, "--resume")
    last = err.replace("\r", "\n").strip().splitlines()[-1]
    assert code == 2
    assert last.startswith(f"p2plib: {folder / '2.jpg'} is damaged")
    assert "Traceback" not in err
    after = snapshot(tiny_run)
    assert {name for name in before if name.endswith(".png")} <= set(after)
    state = checkpoint.load_state(tiny_run / "state.pt", "cpu")  # saved as it stood when the file was met
    assert state["step"] >= 2
    assert f"Stopped after step {state['step']} of {state['steps']}" in last
    assert not [name for name in after if name.endswith(".part")]


# --- settings --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--objective", "cGAN+L3", "L1+cGAN"),
        ("--patch", 71, "A patch of 71 px is not known; choose one of 1, 16, 34, 70, 142, 286."),
        ("--patch", 286, "A patch of 286 px needs pictures of 96 px or more, and size is 32"),
        ("--size", 100, "take 96 or 128"),
        ("--size", 0, "take 32"),
        ("--limit", 0, "limit must be a whole number, 1 or more, not 0"),
        ("--batch", 0, "batch must be a whole number, 1 or more, not 0"),
        ("--base", -1, "base must be a whole number, 1 or more, not -1"),
        ("--seed", -1, "seed must be a whole number, 0 or more, not -1"),
        ("--lambda", -1, "lambda"),
        ("--learning-rate", 0, "learning_rate must be above 0"),
        ("--load-size", 16, "load_size (16) must be at least size (32)"),
        ("--device", "gpu", "The device 'gpu' is not known"),
        ("--precision", "f8", "The precision 'f8' is not known"),
        ("--precision", "f16", "f16 needs a CUDA GPU"),
    ],
)
def test_a_setting_that_does_not_fit(problem, pair_folder, tmp_path, option, value, said):
    assert said in problem("train", pair_folder(), "--out", tmp_path / "run", *SMALL, option, value)
    assert not (tmp_path / "run").exists()


def test_options_that_argparse_judges_say_it_in_one_sentence_too(problem, pair_folder, tmp_path):
    folder = pair_folder()
    for option, value in (("--preset", "fast"), ("--direction", "AB"), ("--epochs", "ten"), ("--colour", "red")):
        sentence = problem("train", folder, "--out", tmp_path / "run", option, value)
        assert option in sentence
    assert "--out" in problem("train", folder)
    assert not (tmp_path / "run").exists()


def test_a_seed_that_no_generator_takes(problem, pair_folder, tmp_path):
    assert "seed" in problem("train", pair_folder(), "--out", tmp_path / "run", *SMALL, "--seed", 2**70)
    assert not (tmp_path / "run").exists()


# --- the folder to write to ------------------------------------------------------------------------


@pytest.mark.parametrize("below", ["file", "file/run", "file/deep/run"])
def test_a_run_folder_that_cannot_be_made(problem, pair_folder, snapshot, tmp_path, below):
    (tmp_path / "file").write_text("in the way")
    folder = pair_folder()
    before = snapshot(tmp_path)
    sentence = problem("train", folder, "--out", tmp_path / below, *SMALL)
    assert sentence == f"{tmp_path / 'file'} is a file where a folder is to be: choose another folder."
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("below", ["file", "file/out"])
def test_an_output_folder_that_cannot_be_made(problem, tiny_run, picture, snapshot, tmp_path, below):
    (tmp_path / "file").write_text("in the way")
    picture(1, 32, 32).save(tmp_path / "1.png")
    before = snapshot(tmp_path)
    expected = f"{tmp_path / 'file'} is a file where a folder is to be: choose another folder."
    assert problem("translate", tiny_run, tmp_path / "1.png", "--out", tmp_path / below) == expected
    assert problem("data", "draw", "facades", "--out", tmp_path / below, "--count", 1) == expected
    assert snapshot(tmp_path) == before


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="to root every folder is open")
def test_a_folder_that_may_not_be_written(problem, pair_folder, tmp_path):
    (tmp_path / "closed").mkdir(mode=0o500)
    sentence = problem("train", pair_folder(), "--out", tmp_path / "closed" / "run", *SMALL)
    assert "could not be written (permission denied)" in sentence


@pytest.mark.skipif(os.name != "posix", reason="a limit on file size stands in for a full disk")
def test_a_full_disk_leaves_the_last_state_whole(tiny_run, snapshot):
    """No file may grow beyond 100 kB: the state, some MB, cannot be written again."""
    before = snapshot(tiny_run)
    assert len(before["state.pt"]) > 200_000
    done = shell(
        "train", tiny_run.parent / "pairs", "--out", tiny_run, "--epochs", 2, "--resume",
        code="import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))",
    )  # fmt: skip
    last = done.stderr.replace("\r", "\n").strip().splitlines()[-1]
    assert done.returncode == 2
    assert last.startswith(
        f"p2plib: {tiny_run / 'state.pt'} could not be written (file too large): "
        f"make room there or choose another folder. Nor was there room in "
    )
    assert not list(Path.cwd().glob("run-rescued"))
    assert "Traceback" not in done.stderr
    after = snapshot(tiny_run)
    for name in ("state.pt", "generator.safetensors", "discriminator.safetensors", "metrics.csv"):
        assert after[name] == before[name]
    assert not [name for name in after if name.endswith(".part")]


@pytest.mark.skipif(os.name != "posix", reason="a limit on file size stands in for a full disk")
def test_a_full_disk_while_translating_leaves_no_half_picture(tiny_run, tmp_path):
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (320, 320, 3), dtype=np.uint8)).save(tmp_path / "1.png")
    done = shell(
        "translate", tiny_run, tmp_path / "1.png", "--out", tmp_path / "out", "--size", 256,
        code="import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, 5_000))",
    )  # fmt: skip
    assert done.returncode == 2
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith(f"p2plib: {tmp_path / 'out' / '1.png'} could not be written (file too large)")
    assert list((tmp_path / "out").iterdir()) == []


# --- run folders -----------------------------------------------------------------------------------


def test_a_run_folder_that_holds_a_run_already(problem, tiny_run, snapshot):
    before = snapshot(tiny_run)
    sentence = problem("train", tiny_run.parent / "pairs", "--out", tiny_run, *SMALL)
    assert sentence.startswith(f'{tiny_run} already holds a run: go on with it by --resume (in Python: resume="auto")')
    assert snapshot(tiny_run) == before


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--patch", "1", "patch 16 → 1"),
        ("--objective", "GAN", "objective L1+cGAN → GAN"),
        ("--direction", "BtoA", "direction AtoB → BtoA"),
        ("--base", "8", "base 4 → 8"),
        ("--seed", "5", "seed 0 → 5"),
        ("--limit", "2", "limit 4 → 2"),
        ("--size", "64", "size 32 → 64"),
    ],
)
def test_a_run_of_another_configuration(problem, tiny_run, snapshot, option, value, said):
    before = snapshot(tiny_run)
    sentence = problem("train", tiny_run.parent / "pairs", "--out", tiny_run, "--resume", option, value)
    assert sentence.startswith(f"{tiny_run} holds a run of another configuration ({said}")
    assert "to begin anew, choose another folder, or delete this one" in sentence
    assert snapshot(tiny_run) == before


@pytest.mark.parametrize("rate", ["-0.001", "0", "nan", "inf"])
def test_a_rate_that_is_none_is_refused_on_resume_too(problem, tiny_run, snapshot, rate):
    before = snapshot(tiny_run)
    sentence = problem(
        "train", tiny_run.parent / "pairs", "--out", tiny_run, "--resume", "--epochs", 9, "--learning-rate", rate
    )
    assert sentence.startswith("learning_rate must be above 0")
    assert snapshot(tiny_run) == before


def test_a_run_of_another_preset(problem, tiny_run):
    sentence = problem("train", tiny_run.parent / "pairs", "--out", tiny_run, "--resume", "--preset", "paper")
    assert sentence.startswith(f"{tiny_run} holds a run of preset laptop, not paper")


def test_resuming_or_translating_with_what_is_no_run(problem, pair_folder, picture, tmp_path):
    picture(1, 32, 32).save(tmp_path / "1.png")
    folder = pair_folder()
    for arguments in (
        ("train", folder, "--out", tmp_path / "nothing", "--resume"),
        ("translate", tmp_path / "nothing", tmp_path / "1.png", "--out", tmp_path / "out"),
        ("translate", tmp_path / "1.png", tmp_path / "1.png", "--out", tmp_path / "out"),
    ):
        assert "is no run folder (it has no config.json)" in problem(*arguments)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["1.png", "pairs"]


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"format": 1}', '{"format": 1, "config": {"size": 3}}'])
def test_a_spoiled_config(problem, tiny_run, text):
    (tiny_run / "config.json").write_text(text)
    sentence = problem("train", tiny_run.parent / "pairs", "--out", tiny_run, "--resume")
    assert sentence.startswith(f"{tiny_run / 'config.json'} is damaged")


def test_a_config_of_a_later_format(problem, tiny_run):
    (tiny_run / "config.json").write_text('{"format": 9, "config": {}}')
    assert "has format 9; this version of p2plib reads format 1" in problem(
        "train", tiny_run.parent / "pairs", "--out", tiny_run, "--resume"
    )


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def flip_in_the_middle(content: bytes) -> bytes:
    """One bit of one weight: nothing but a checksum shows it."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def flip_near_the_start(content: bytes) -> bytes:
    return content[:100] + bytes(b ^ 0x55 for b in content[100:140]) + content[140:]


@pytest.mark.parametrize(
    "spoil", [cut, flip_in_the_middle, flip_near_the_start, lambda _: b"", lambda _: b"words", lambda c: bytes(len(c))]
)
def test_a_spoiled_state(problem, tiny_run, snapshot, spoil):
    state = tiny_run / "state.pt"
    state.write_bytes(spoil(state.read_bytes()))
    before = snapshot(tiny_run)
    sentence = problem("train", tiny_run.parent / "pairs", "--out", tiny_run, "--resume", "--epochs", 2)
    assert sentence.startswith(f"{state} is damaged and cannot be gone on from")
    assert snapshot(tiny_run) == before


class Trap:
    """Unpickled without care, it writes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("form", ["pickle", "torch.save", "inside the state"])
def test_code_in_a_state_is_never_run(problem, tiny_run, tmp_path, form):
    state, caught = tiny_run / "state.pt", tmp_path / "caught"
    trap = Trap(caught)
    if form == "pickle":
        state.write_bytes(pickle.dumps(trap))
    elif form == "torch.save":
        torch.save(trap, state)
    else:
        torch.save(torch.load(state, weights_only=True) | {"rows": trap}, state)
    pickle.loads(state.read_bytes()) if form == "pickle" else torch.load(state, weights_only=False)
    assert caught.exists()  # the trap is sharp
    caught.unlink()
    sentence = problem("train", tiny_run.parent / "pairs", "--out", tiny_run, "--resume")
    assert sentence.startswith(f"{state} is damaged")
    assert not caught.exists()


def test_a_state_that_lacks_something(problem, tiny_run):
    content = torch.load(tiny_run / "state.pt", weights_only=True)
    del content["optimizer_g"]
    torch.save(content, tiny_run / "state.pt")
    sentence = problem("train", tiny_run.parent / "pairs", "--out", tiny_run, "--resume", "--epochs", 2)
    assert sentence.startswith(f"{tiny_run / 'state.pt'} is damaged")


@pytest.mark.parametrize("spoil", [cut, lambda c: b"\xff" * 16 + c[16:], lambda _: b"", lambda _: b"words, no weights"])
def test_spoiled_weights(problem, tiny_run, picture, tmp_path, spoil):
    weights = tiny_run / "generator.safetensors"
    weights.write_bytes(spoil(weights.read_bytes()))
    picture(1, 32, 32).save(tmp_path / "1.png")
    sentence = problem("translate", tiny_run, tmp_path / "1.png", "--out", tmp_path / "out")
    assert sentence.startswith(f"{weights} is damaged (")
    assert not (tmp_path / "out").exists()


def test_missing_weights_and_weights_of_another_network(problem, tiny_run, picture, tmp_path):
    weights = tiny_run / "generator.safetensors"
    picture(1, 32, 32).save(tmp_path / "1.png")
    arguments = ("translate", tiny_run, tmp_path / "1.png", "--out", tmp_path / "out")
    shutil.copy(tiny_run / "discriminator.safetensors", weights)
    assert problem(*arguments).startswith(f"{weights} holds the weights of another network")
    weights.write_bytes(safetensors.torch.save({}))
    assert problem(*arguments).startswith(f"{weights} holds the weights of another network")
    weights.unlink()
    assert problem(*arguments).startswith(f"{weights} is not there: the run has saved no weights yet")
    assert not (tmp_path / "out").exists()


# --- translate -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("width", "height"), [(50, 64), (61, 33), (20, 32), (3, 5)])
def test_a_picture_of_any_size_keeps_its_size(p2p, tiny_run, picture, tmp_path, width, height):
    picture(1, width, height).save(tmp_path / "1.png")
    code, _, err = p2p("translate", tiny_run, tmp_path / "1.png", "--out", tmp_path / "out")
    assert code == 0
    assert err.startswith("Note: ")
    with Image.open(tmp_path / "out" / "1.png") as written:
        assert written.size == (width, height)


@pytest.mark.parametrize("kind", [*BAD, "folder", "missing", "other kind"])
def test_one_bad_picture_among_good_ones_and_nothing_is_written(
    problem, tiny_run, picture, bad_pictures, tmp_path, kind
):
    picture(1, 32, 32).save(tmp_path / "1.png")
    sentence = problem(
        "translate", tiny_run, tmp_path / "1.png", bad_pictures[kind], "--out", tmp_path / "out", "--size", 32
    )
    assert sentence.startswith(str(bad_pictures[kind]))
    assert not (tmp_path / "out").exists()


def test_other_mistakes_in_translating(problem, tiny_run, picture, tmp_path):
    (tmp_path / "none").mkdir()
    picture(1, 32, 32).save(tmp_path / "1.png")
    shutil.copy(tmp_path / "1.png", tmp_path / "1.jpg")
    picture(1, 65, 32).save(tmp_path / "odd.png")
    out = tmp_path / "out"
    assert "none holds no pictures" in problem("translate", tiny_run, tmp_path / "none", "--out", out)
    sentence = problem("translate", tiny_run, tmp_path / "1.png", tmp_path / "1.jpg", "--out", out)
    assert f"would both become {out / '1.png'}" in sentence
    assert "overwritten by its own translation" in problem("translate", tiny_run, tmp_path / "1.png", "--out", tmp_path)
    assert "odd.png is 65 px wide" in problem("translate", tiny_run, tmp_path / "odd.png", "--pairs", "--out", out)
    for size in (0, -32):
        sentence = problem("translate", tiny_run, tmp_path / "1.png", "--size", size, "--out", out)
        assert sentence == f"--size must be 1 px or more, not {size}."
    assert "device" in problem("translate", tiny_run, tmp_path / "1.png", "--device", "tpu", "--out", out)
    long = tmp_path / ("x" * 300 + ".png")
    assert "cannot be read (file name too long)" in problem("translate", tiny_run, long, "--out", out)
    for seed in (-1, 2**70):
        sentence = problem("translate", tiny_run, tmp_path / "1.png", "--out", out, "--seed", seed)
        assert sentence == f"--seed must be a whole number from 0 to 2**63 - 1, not {seed}."
    assert not out.exists()


def test_files_and_folders_are_translated_at_their_own_size(p2p, tiny_run, picture, tmp_path):
    (tmp_path / "photos").mkdir()
    picture(1, 64, 32).save(tmp_path / "photos" / "wide.JPG")
    picture(2, 32, 32).convert("L").save(tmp_path / "photos" / "grey.png")
    picture(3, 32, 96).save(tmp_path / "tall.webp")
    code, out, _ = p2p("translate", tiny_run, tmp_path / "photos", tmp_path / "tall.webp", "--out", tmp_path / "out")
    assert code == 0
    assert out.endswith(f"3 pictures written to {tmp_path / 'out'}\n")
    sizes = {path.name: Image.open(path).size for path in (tmp_path / "out").iterdir()}
    assert sizes == {"wide.png": (64, 32), "grey.png": (32, 32), "tall.png": (32, 96)}
    assert all(Image.open(path).mode == "RGB" for path in (tmp_path / "out").iterdir())


def test_size_resizes_first(p2p, tiny_run, picture, tmp_path):
    picture(1, 50, 70).save(tmp_path / "1.png")
    assert p2p("translate", tiny_run, tmp_path / "1.png", "--out", tmp_path / "out", "--size", 64)[0] == 0
    assert Image.open(tmp_path / "out" / "1.png").size == (64, 64)


def translated(p2p, run: Path, picture: Path, *options: object) -> bytes:
    out = run.parent / f"out {' '.join(map(str, options))}"
    shutil.rmtree(out, ignore_errors=True)
    assert p2p("translate", run, picture, "--out", out, *options)[0] == 0
    return (out / f"{picture.stem}.png").read_bytes()


def test_what_repeats_and_what_does_not(p2p, tiny_run, picture, tmp_path):
    path = tmp_path / "1.png"
    picture(1, 64, 64).save(path)
    repeatable = translated(p2p, tiny_run, path, "--repeatable")
    assert translated(p2p, tiny_run, path, "--repeatable") == repeatable
    assert translated(p2p, tiny_run, path, "--repeatable", "--seed", 5) == repeatable  # no noise, no seed
    noisy = translated(p2p, tiny_run, path)
    assert translated(p2p, tiny_run, path) == noisy  # the seed is 0 unless said
    assert noisy != repeatable
    assert translated(p2p, tiny_run, path, "--seed", 5) not in (noisy, repeatable)


def test_the_picture_decides_what_comes_out(p2p, tiny_run, picture, tmp_path):
    results = set()
    for number in (1, 2):
        picture(number, 32, 32).save(tmp_path / f"{number}.png")
        results.add(translated(p2p, tiny_run, tmp_path / f"{number}.png", "--repeatable"))
    assert len(results) == 2


@pytest.mark.parametrize(("direction", "side"), [("AtoB", 0), ("BtoA", 1)])
def test_pairs_are_cut_and_the_runs_input_half_is_translated(p2p, tiny_run, picture, tmp_path, direction, side):
    config = tiny_run / "config.json"
    config.write_text(config.read_text().replace('"AtoB"', f'"{direction}"'))
    halves = picture(1, 32, 32), picture(2, 32, 32)
    both = Image.new("RGB", (64, 32))
    for i, half in enumerate(halves):
        both.paste(half, (32 * i, 0))
    both.save(tmp_path / "1.png")
    halves[side].save(tmp_path / "half.png")
    alone = Image.open(io.BytesIO(translated(p2p, tiny_run, tmp_path / "half.png", "--repeatable")))
    sheet = Image.open(io.BytesIO(translated(p2p, tiny_run, tmp_path / "1.png", "--repeatable", "--pairs")))
    columns = [
        sheet.crop((6 + i * 134, 28, 134 + i * 134, 156)).resize((32, 32), Image.Resampling.NEAREST) for i in range(3)
    ]
    for column, expected in zip(columns, (halves[side], alone, halves[1 - side]), strict=True):
        assert (np.asarray(column) == np.asarray(expected)).all()


def test_a_note_for_what_may_be_a_mistake(p2p, tiny_run, picture, tmp_path):
    picture(1, 64, 32).save(tmp_path / "pair.png")
    picture(1, 128, 128).save(tmp_path / "large.png")
    picture(1, 16, 16).save(tmp_path / "small.png")
    picture(1, 32, 32).save(tmp_path / "right.png")
    for name, note in (
        ("pair", "Note: pair.png is twice as wide as high; if it is a side-by-side pair, add --pairs.\n"),
        (
            "large",
            "Note: the run was trained at 32 px and large.png has 128 px. If it shows more than the training pictures, "
            "leave it; if it shows the same larger, --size 32 makes it alike.\n",
        ),
        ("small", "Note: the run was trained at 32 px and small.png has 16 px. If it shows less than the training"),
        ("right", ""),
    ):
        code, _, err = p2p("translate", tiny_run, tmp_path / f"{name}.png", "--out", tmp_path / "out")
        assert code == 0
        assert err.startswith(note) if note else err == ""


# --- train and data --------------------------------------------------------------------------------


def test_a_run_from_beginning_to_end(p2p, pair_folder, tmp_path):
    run = tmp_path / "run"
    code, out, _ = p2p("train", pair_folder("A B"), "--out", run, *SMALL, "--direction", "BtoA")
    assert code == 0
    assert "4 pairs in two folders, held in memory" in out
    assert "input is B (right)" in out
    assert {p.name for p in run.iterdir()} == {
        "config.json", "metrics.csv", "samples", "generator.safetensors", "discriminator.safetensors", "state.pt",
    }  # fmt: skip
    assert [p.name for p in (run / "samples").iterdir()] == ["epoch_0001.png"]
    assert zipfile.is_zipfile(run / "state.pt")


def test_data_list_names_every_set(p2p):
    code, out, err = p2p("data", "list")
    assert (code, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()] == list(CATALOGUE)
    assert "drawn from a seed" in out


def test_data_draw_writes_pairs_that_train_and_repeat(p2p, tmp_path):
    for name in ("one", "two"):
        code, out, _ = p2p("data", "draw", "facades", "--out", tmp_path / name, "--count", 3, "--size", 32, "--seed", 4)
        assert code == 0
        assert "3 pairs written" in out
    p2p("data", "draw", "facades", "--out", tmp_path / "other", "--count", 3, "--size", 32, "--seed", 5)
    files = {name: [(tmp_path / name / f"{i}.png").read_bytes() for i in (1, 2, 3)] for name in ("one", "two", "other")}
    assert files["one"] == files["two"]
    assert not set(files["one"]) & set(files["other"])
    assert len(set(files["one"])) == 3
    assert Image.open(tmp_path / "one" / "1.png").size == (64, 32)


def test_mistakes_about_data(problem, tmp_path):
    assert "'houses' cannot be drawn; choose facades or maps" in problem(
        "data", "draw", "houses", "--out", tmp_path / "x"
    )
    assert "drawn from a seed and has no folder" in problem("data", "download", "synthetic-maps")
    for name in ("houses", "nosuch/", "."):
        assert "is not a name of the catalogue (facades, maps" in problem("data", "download", name)
    for option, value in (("--count", 0), ("--count", -1), ("--size", 0), ("--size", -4)):
        sentence = problem("data", "draw", "facades", "--out", tmp_path / "x", option, value)
        assert option.lstrip("-") in sentence
    assert not (tmp_path / "x").exists()
