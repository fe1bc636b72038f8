"""What tests of several modules share: pictures and folders made on the spot, and one small trained run."""

from __future__ import annotations

import shutil
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from p2plib import cli
from p2plib.training import Trainer, configure

#: Settings of a run that takes a second.
TINY = dict(size=32, base=4, epochs=1, batch=2, limit=4, device="cpu", schedule="constant")


def _picture(number: int, width: int = 40, height: int = 40) -> Image.Image:
    """Smooth colours that no two numbers share, the red of the corner saying which number it is."""
    noise = np.random.default_rng(number).integers(0, 256, (5, 5, 3), dtype=np.uint8)
    picture = Image.fromarray(noise).resize((width, height), Image.Resampling.BILINEAR)
    picture.putpixel((0, 0), (number, 0, 0))
    return picture


def _beside(a: Image.Image, b: Image.Image) -> Image.Image:
    both = Image.new("RGB", (a.width + b.width, a.height))
    both.paste(a, (0, 0))
    both.paste(b, (a.width, 0))
    return both


@pytest.fixture(scope="session")
def picture():
    """picture(number, width=40, height=40): a picture that is the same at every call and unlike every other."""
    return _picture


@pytest.fixture(scope="session")
def seeds():
    """seeds(*words): 1, and one from 2 to 9999 that is the same at every run, and another for other words.

    Of many answers each is judged under two, together under many; `python -m p2plib checks` draws others each time.
    """
    return lambda *words: (1, 2 + zlib.crc32(" ".join(map(str, words)).encode()) % 9998)


@pytest.fixture
def pair_folder(tmp_path):
    """pair_folder(layout, count, size): a folder of PNG pairs; pair i has pictures i + 1 (A) and i + 101 (B).

    Layouts: "flat", "split" (train and val), "A B", "train/A", "A/train", "trainA".  With splits, val holds
    the pairs after the first `count`: two of them.
    """

    def make(layout: str = "flat", count: int = 6, size: tuple[int, int] = (40, 40), name: str = "pairs") -> Path:
        root = tmp_path / name
        with_splits = layout not in ("flat", "A B")
        for i in range(count + (2 if with_splits else 0)):
            split = "train" if i < count else "val"
            a, b = _picture(i + 1, *size), _picture(i + 101, *size)
            sides = {
                "A B": (root / "A", root / "B"),
                "train/A": (root / split / "A", root / split / "B"),
                "A/train": (root / "A" / split, root / "B" / split),
                "trainA": (root / f"{split}A", root / f"{split}B"),
            }.get(layout)
            for folder, content in (
                zip(sides, (a, b), strict=True)
                if sides
                else [(root / split if layout == "split" else root, _beside(a, b))]
            ):
                folder.mkdir(parents=True, exist_ok=True)
                content.save(folder / f"{i + 1}.png")
        return root

    return make


@pytest.fixture(scope="session")
def bad_pictures(tmp_path_factory) -> dict[str, Path]:
    """Files that are no usable pictures, by what is wrong with them; all but "folder" end as pictures do."""
    root = tmp_path_factory.mktemp("bad")
    whole = {}
    for suffix in ("jpg", "png", "webp"):
        _picture(1, 64, 32).save(root / f"whole.{suffix}")
        whole[suffix] = (root / f"whole.{suffix}").read_bytes()
    paths = {}
    for suffix, content in whole.items():
        paths[f"truncated {suffix}"] = root / f"truncated.{suffix}"
        paths[f"truncated {suffix}"].write_bytes(content[: len(content) * 2 // 3])
        paths[f"stump of a {suffix}"] = root / f"stump.{suffix}"
        paths[f"stump of a {suffix}"].write_bytes(content[:14])
    for name, file, content in (
        ("text", "text.jpg", b"these are words, no picture"),
        ("empty", "empty.jpg", b""),
        ("16-bit RGB", "deep_rgb.png", _png(8, 4, 16, 2, b"\0" * (1 + 8 * 6) * 4)),
        ("too large", "large.png", _large_png(20_000)),
        ("somewhat too large", "somewhat_large.png", _large_png(9_800)),
    ):
        paths[name] = root / file
        paths[name].write_bytes(content)
    paths["16-bit grey"] = root / "deep_grey.png"
    Image.fromarray(np.arange(64 * 32, dtype=np.uint16).reshape(32, 64)).save(paths["16-bit grey"])
    paths["CMYK"] = root / "print.jpg"
    _picture(1, 64, 32).convert("CMYK").save(paths["CMYK"])
    paths["folder"] = root / "folder.jpg"
    paths["folder"].mkdir()
    paths["other kind"] = root / "other.png"
    _picture(1, 64, 32).save(paths["other kind"], "BMP")
    paths["missing"] = root / "missing.jpg"
    return paths


def _png(width: int, height: int, bits: int, colour: int, rows: bytes | list[bytes]) -> bytes:
    """A PNG chunk by chunk, for what Pillow does not write."""
    packer = zlib.compressobj(1)
    data = b"".join(packer.compress(row) for row in ([rows] if isinstance(rows, bytes) else rows)) + packer.flush()
    chunks = ((b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)), (b"IDAT", data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


def _large_png(side: int) -> bytes:
    """White, 1 bit a pixel: 400 million pixels in 50 kB."""
    return _png(side, side, 1, 0, [b"\0" + b"\xff" * -(-side // 8)] * side)


@pytest.fixture(scope="session")
def _trained(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("trained")
    (root / "pairs").mkdir()
    for i in range(6):
        _beside(_picture(i + 1), _picture(i + 101)).save(root / "pairs" / f"{i + 1}.png")
    Trainer(configure(root / "pairs", "laptop", **TINY), root / "run").fit(progress=False)
    return root


@pytest.fixture
def tiny_run(_trained, tmp_path) -> Path:
    """A copy of a run folder, trained for two steps on 32 px; its own to spoil.  Its pairs lie in ../pairs."""
    shutil.copytree(_trained / "run", tmp_path / "run")
    shutil.copytree(_trained / "pairs", tmp_path / "pairs")
    return tmp_path / "run"


@pytest.fixture
def p2p(capsys):
    """p2p("train", FOLDER, "--out", RUN, …) → (exit code, stdout, stderr), as the command line gives them."""

    def run(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            code = cli.main([str(a) for a in arguments])
        except SystemExit as stop:  # how argparse leaves
            code = int(stop.code or 0)
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def snapshot():
    """snapshot(folder): every file below it with its bytes; to show that nothing was touched."""

    def take(folder: Path) -> dict[str, bytes | None]:
        return {str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None for p in folder.rglob("*")}

    return take
