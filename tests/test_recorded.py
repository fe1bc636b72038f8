"""Records of runs: what was written comes back, and a damaged one says so."""

from __future__ import annotations

import pytest
import torch

from p2plib import recorded
from p2plib.errors import UserError
from p2plib.plots import as_array

ROWS = [{"images": i, "loss_d": 0.5 + i / 3, "held_out_l1": 0.25 if i % 50 == 0 else None} for i in range(1, 301)]


def a_record(name: str = "group/one") -> recorded.Record:
    torch.manual_seed(0)
    pictures = {kind: torch.rand(4, 3, 8, 10) * 2 - 1 for kind in ("input", "output")}
    return recorded.Record(name, "a command", {"size": 8}, ROWS, {"gap": 0.123456789}, pictures, {"torch": "2"})


def test_what_was_written_comes_back(tmp_path):
    made = a_record()
    recorded.write(made, tmp_path)
    back = recorded.read("group/one", tmp_path)
    assert back.settings == {"size": 8}
    assert back.measures == {"gap": 0.12346}
    assert list(back.pictures) == ["input", "output"]
    for kind, batch in back.pictures.items():
        assert batch.shape == (4, 3, 8, 10)
        for i in range(4):
            assert (as_array(batch[i]) == as_array(made.pictures[kind][i])).all()


def test_curves_are_thinned_and_keep_their_ends_and_the_held_out_points(tmp_path):
    recorded.write(a_record(), tmp_path)
    rows = recorded.read("group/one", tmp_path).rows
    assert rows[0]["images"] == 1
    assert rows[-1]["images"] == 300
    assert len([row for row in rows if row["held_out_l1"]]) == 6
    assert len(rows) <= recorded.ROWS + 7


def test_a_group_is_listed(tmp_path):
    for name in ("group/two", "group/one", "other/one"):
        recorded.write(a_record(name), tmp_path)
    assert recorded.names("group", tmp_path) == ["group/one", "group/two"]


def test_a_missing_or_damaged_record_says_so(tmp_path):
    with pytest.raises(UserError, match="no record 'group/one'"):
        recorded.read("group/one", tmp_path)
    path = recorded.write(a_record(), tmp_path)
    (path / "pictures.png").write_bytes(b"no picture")
    with pytest.raises(UserError, match="is damaged"):
        recorded.read("group/one", tmp_path)
    (path / "record.json").write_text("{")
    with pytest.raises(UserError, match="is damaged"):
        recorded.read("group/one", tmp_path)
