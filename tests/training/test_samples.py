"""Sheets of samples: written, and read again pixel for pixel."""

import pytest
import torch

from p2plib.data.augment import to_bytes
from p2plib.errors import UserError
from p2plib.training.samples import KINDS, read_sheet, write_sheet


@pytest.mark.parametrize(("count", "size"), [(1, 32), (3, 64), (8, 96), (2, 256)])
def test_a_sheet_is_read_as_it_was_written(count, size, tmp_path):
    draw = torch.Generator().manual_seed(size)
    columns = {kind: torch.rand(count, 3, size, size, generator=draw) * 2 - 1 for kind in KINDS}
    write_sheet(tmp_path / "sheet.png", columns)
    read = read_sheet(tmp_path / "sheet.png", size)
    assert list(read) == list(KINDS)
    for kind, batch in columns.items():
        assert torch.equal(read[kind], to_bytes(batch))


def test_another_picture_is_no_sheet(tmp_path, picture):
    picture(1, 400, 150).save(tmp_path / "other.png")
    with pytest.raises(UserError, match=r"other.png is no sheet of three columns with pictures of 64 px"):
        read_sheet(tmp_path / "other.png", 64)
