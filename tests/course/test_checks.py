"""Each exercise, with many answers whose outcome is known: right ones pass, wrong ones are told what they are."""

from __future__ import annotations

import pytest

from p2plib.checks import (
    ch00_start,
    ch01_pairs,
    condition,
    constants,
    d_loss,
    descent,
    edges,
    g_loss,
    map_sizes,
    norm_forms,
    patch_field,
    patch_map,
    pixel,
    registry,
    schedule,
    table,
    which_loss,
)
from p2plib.checks.engine import judge
from p2plib.checks.outcome import Status

KNOWN = table.known_answers()
EXERCISES = registry.all_exercises()


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: f"{known.exercise} {known.name}")
def test_each_known_answer_comes_to_its_outcome(known, seeds):
    for seed in seeds(known.exercise, known.name):
        outcome = judge(known.exercise, *known.answers, seed=seed)
        # the sizes in messages are those of seed 1 where they are named
        fault = known.fault(outcome)
        assert fault is None or (seed > 1 and fault.startswith("message") and outcome.status is known.status), fault
        right = known.status is Status.PASSED
        assert not (right and [note for note in outcome.notes if "whole program" in note]), "it changed no name"


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.id)
def test_there_are_enough_known_answers(exercise):
    of = [k for k in KNOWN if k.exercise == exercise.id]
    assert sum(k.status is Status.PASSED for k in of) >= 3
    assert sum(k.status not in (Status.PASSED, Status.NOT_ATTEMPTED) for k in of) >= 6
    assert any(k.status is Status.NOT_ATTEMPTED for k in of)


@pytest.mark.parametrize("exercise", [e for e in EXERCISES if all(p.ours for p in e.parts)], ids=lambda e: e.id)
def test_ours_passes_and_is_not_counted(exercise):
    for seed in range(5):
        outcome = judge(exercise.id, *(part.ours for part in exercise.parts), seed=seed)
        assert outcome.status is Status.PASSED, outcome
        assert outcome.ours
        assert not outcome.counts


def likes():
    pairs = (
        ("0.1", ch00_start.MISTAKES, lambda like: (like,)),
        ("1.1", ch01_pairs.SPLIT_MISTAKES, lambda like: (like,)),
        ("1.2", ch01_pairs.SIGNED_MISTAKES, lambda like: (like, ch01_pairs.to_bytes)),
        ("1.2", ch01_pairs.BYTES_MISTAKES, lambda like: (ch01_pairs.to_signed, like)),
        ("2.1", map_sizes.CONV_MISTAKES, lambda like: (like, map_sizes.transposed_side)),
        ("2.1", map_sizes.TRANSPOSED_MISTAKES, lambda like: (map_sizes.conv_side, like)),
        ("2.6", norm_forms.MISTAKES, lambda like: (like, lambda: "b")),
        ("3.1", pixel.L1_MISTAKES, lambda like: (like, pixel.l2_loss)),
        ("3.1", pixel.L2_MISTAKES, lambda like: (pixel.l1_loss, like)),
        ("3.2", constants.L1_MISTAKES, lambda like: (like, constants.best_l2)),
        ("3.2", constants.L2_MISTAKES, lambda like: (constants.best_l1, like)),
        ("3.3", descent.MISTAKES, lambda like: (like,)),
        ("3.4", which_loss.MISTAKES, lambda like: (like,)),
        ("3.5", edges.PLACES_MISTAKES, lambda like: (like, edges.l1_profile)),
        ("3.5", edges.PROFILE_MISTAKES, lambda like: (edges.edge_places, like)),
        ("4.1", d_loss.MISTAKES, lambda like: (like,)),
        ("4.2", g_loss.MISTAKES, lambda like: (like,)),
        ("4.3", condition.MISTAKES, lambda like: (like,)),
        ("5.1", patch_field.FIELD_MISTAKES, lambda like: (like,)),
        ("5.2", patch_field.DEPTH_MISTAKES, lambda like: (like,)),
        ("5.4", patch_map.MAP_MISTAKES, lambda like: (like,)),
        ("6.4", schedule.MISTAKES, lambda like: (like,)),
    )
    return [(id, m.cause, answers(like)) for id, mistakes, answers in pairs for m in mistakes for like in m.like]


@pytest.mark.parametrize(("id", "cause", "answers"), likes())
def test_the_inputs_tell_the_known_mistakes_apart(id, cause, answers, seeds):
    for seed in seeds(id, cause):
        outcome = judge(id, *answers, seed=seed)
        assert outcome.status is Status.WRONG
        assert outcome.cause == cause


ANSWERS = """from p2plib.checks.outcome import Status
from p2plib.checks.table import right, wrong


@right("0.1")
def left(p):
    return p[:, :, : p.shape[2] // 2]


@{mark}("0.1"{cause})
def right_half(p):
    return p[:, :, p.shape[2] // 2 :]


@wrong("0.1", status=Status.NOT_ATTEMPTED)
def stub(p):
    raise NotImplementedError
"""


def table_of(folder, mark, cause=""):
    (folder / "ch00.py").write_text(ANSWERS.format(mark=mark, cause=cause))
    return table.rows(folder, seed=1)


def test_the_table_counts_what_the_checks_make_of_the_answers(tmp_path):
    first, *others = table_of(tmp_path, "wrong", ', cause="right half"')
    assert [first.exercise, *(row.exercise for row in others)] == [e.id for e in EXERCISES]
    assert (first.right, first.wrong, first.named, first.faults) == ((1, 1), (2, 2), 1, ())
    assert {(row.right, row.wrong, row.named, row.faults) for row in others} == {((0, 0), (0, 0), 0, ())}
    assert "amiss" not in table.table([first, *others])


@pytest.mark.parametrize(("mark", "cause"), [("wrong", ', cause="upper half"'), ("wrong", ""), ("right", "")])
def test_the_table_says_what_is_amiss(mark, cause, tmp_path):
    rows = table_of(tmp_path, mark, cause)
    assert len(rows[0].faults) == 1
    assert "\namiss: 0.1 right half: " in table.table(rows)


def test_hints_do_not_hold_the_whole_answer():
    for exercise in EXERCISES:
        assert 2 <= len(exercise.hints) <= 4
        assert not any("def " in hint or "\n" in hint for hint in exercise.hints)
