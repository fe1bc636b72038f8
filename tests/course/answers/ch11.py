"""Right and wrong answers to the exercises of chapter 11: run folders, a function that reads curves, claims."""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import shutil
import statistics
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from p2plib.checks.outcome import Status
from p2plib.checks.table import right, wrong
from p2plib.evaluation import evaluate_run
from p2plib.training import Trainer, checkpoint, configure

# --- run folders, made when a check first asks for them ---------------------------------------------

TINY = dict(size=32, base=2, batch=20, images=1000, device="cpu", patch=16, schedule="constant", learning_rate=5e-3)


@functools.cache
def root():
    """A folder for this process, with 100 small pairs to train on and ten held out."""
    folder = Path(tempfile.mkdtemp(prefix="p2p-ch11-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    draw = np.random.default_rng(0)
    for split, count in (("train", 100), ("val", 10)):
        (folder / "pairs" / split).mkdir(parents=True)
        for i in range(count):
            halves = [draw.integers(low, low + 100, (2, 2, 3)) for low in (0, 150)]  # dark to light: soon learned
            picture = Image.fromarray(np.concatenate(halves, axis=1).astype(np.uint8))
            picture.resize((64, 32), Image.Resampling.NEAREST).save(folder / "pairs" / split / f"{i}.png")
    return folder


@functools.cache
def trained(name, stop=5, go_on=True, **settings):
    """A run folder of 50 steps: stopped after `stop` of its ten epochs, then gone on with; 0: never stopped."""
    run, config = root() / name, configure(root() / "pairs", "laptop", **(TINY | settings))
    Trainer(config, run).fit(progress=False, turns=stop or None)
    if stop and go_on:
        Trainer(config, run, resume=True).fit(progress=False)
    return run


class Folder(os.PathLike):
    """A run folder as an answer, made when its path is asked for."""

    def __init__(self, make, name):
        self.make, self.__name__ = functools.cache(make), name

    def __fspath__(self):
        return str(self.make())


def spoilt(name, spoil, of=lambda: trained("whole")):
    """A copy of a run, with something done to it."""

    def make():
        shutil.copytree(of(), root() / name)
        spoil(root() / name)
        return root() / name

    return Folder(make, name)


def rewrite(path, change):
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")


# --- 11.1 -------------------------------------------------------------------------------------------

right("11.1")(Folder(lambda: trained("whole"), "whole"))
right("11.1")(Folder(lambda: trained("l1", objective="L1"), "without_an_adversary"))


@right("11.1")
def from_a_function():
    return str(trained("whole"))


def longer():
    """Trained in one piece, and then for longer."""
    run = root() / "longer"
    shutil.copytree(trained("one_piece", stop=0), run)
    config = configure(root() / "pairs", "laptop", **(TINY | {"images": 1100}))
    with contextlib.redirect_stdout(None):  # "Note: 55 steps in place of 50."
        Trainer(config, run, resume=True).fit(progress=False)
    return run


right("11.1")(Folder(longer, "longer"))

wrong("11.1", status=Status.NOT_ATTEMPTED)(...)
wrong("11.1", found="expected was the path of a run folder; `None` came")(None)
wrong("11.1", found="the path of a run folder; `3` came")(3)
wrong("11.1", found="the path of a run folder")(b"run")
wrong("11.1", found="there is no folder", cause="`--out` named")("no/such/run")
wrong("11.1", found="is no run folder")(Folder(lambda: root() / "pairs", "no_run"))


@wrong("11.1", status=Status.NOT_ATTEMPTED)
def to_be_written():
    raise NotImplementedError


wrong("11.1", found="at step 25 of 50; go on with: `python -m p2plib train")(
    Folder(lambda: trained("stopped", go_on=False), "stopped")
)
wrong("11.1", found="trained in one session. Stop a run once with Ctrl-C")(
    Folder(lambda: trained("one_piece", stop=0), "in_one_piece")
)
wrong("11.1", found="no state.pt")(spoilt("without_state", lambda run: (run / "state.pt").unlink()))
wrong("11.1", found="is damaged")(spoilt("damaged_state", lambda run: (run / "state.pt").write_bytes(b"PK")))
wrong("11.1", found="generator.safetensors is not there; `python -m p2plib train")(
    spoilt("without_weights", lambda run: (run / "generator.safetensors").unlink())
)
wrong("11.1", found="is damaged")(
    spoilt("half_the_weights", lambda run: os.truncate(run / "generator.safetensors", 2000))
)
wrong("11.1", found="config.json is damaged")(
    spoilt("spoilt_config", lambda run: rewrite(run / "config.json", lambda text: text[:100]))
)
wrong("11.1", found="metrics.csv is not there; `python -m p2plib train")(
    spoilt("without_metrics", lambda run: (run / "metrics.csv").unlink())
)
wrong("11.1", found="metrics.csv holds 1 of 50 rows")(
    spoilt(
        "short_metrics", lambda run: rewrite(run / "metrics.csv", lambda text: "\n".join(text.split("\n")[:2]) + "\n")
    )
)


def twice(text):
    lines = text.splitlines(keepends=True)
    return "".join([*lines[:10], lines[9], *lines[11:]])


wrong("11.1", found="comes after step")(spoilt("step_twice", lambda run: rewrite(run / "metrics.csv", twice)))


def with_value(column, value, at=-1):
    def change(text):
        lines = [line.split(",") for line in text.splitlines()]
        lines[at][lines[0].index(column)] = value
        return "\n".join(map(",".join, lines)) + "\n"

    return change


for name, column, value, found in (
    ("nan", "loss_pixel", "nan", "`loss_pixel` is nan at step 50"),
    ("infinite", "loss_d", "inf", "`loss_d` is inf at step 50"),
    ("without_look", "held_out_l1", "", "no row with a held-out L1 at its end"),
    ("other_end", "step", "60", "no row of its last step"),
):
    change = functools.partial(rewrite, change=with_value(column, value))
    wrong("11.1", found=found)(spoilt(name, lambda run, change=change: change(run / "metrics.csv")))


def lengthen(run):
    """As after `--resume --images 2000` that was killed before it saved."""
    rewrite(run / "config.json", lambda text: text.replace('"images": 1000', '"images": 2000'))


wrong("11.1", found="at step 50 of 100")(spoilt("lengthened", lengthen))


def not_finite(run):
    net = checkpoint.load_generator(run)
    with torch.no_grad():
        next(net.parameters()).fill_(torch.nan)
    checkpoint.save_weights(run / "generator.safetensors", net)


wrong("11.1", found="NaN or infinite")(spoilt("weights_of_nan", not_finite))


# --- 11.2 -------------------------------------------------------------------------------------------


@right("11.2")
def loops(rows):
    best_epoch, best, last = None, float("inf"), None
    for row in rows:
        value = row["held_out_l1"]
        if value is None:
            continue
        last = value
        if value < best:
            best, best_epoch = value, row["epoch"]
    pixel, right_ = [], []
    for row in rows[::-1]:
        if row["epoch"] != rows[-1]["epoch"]:
            break
        pixel.append(row["loss_pixel"])
        if row["d_accuracy"] is not None:
            right_.append(row["d_accuracy"])
    return {
        "best_epoch": best_epoch,
        "best_l1": best,
        "last_l1": last,
        "gap": last - sum(pixel) / len(pixel),
        "d_accuracy": sum(right_) / len(right_) if right_ else None,
    }


@right("11.2")
def by_numpy(rows):
    held = np.array([np.nan if r["held_out_l1"] is None else r["held_out_l1"] for r in rows])
    epochs = np.array([r["epoch"] for r in rows])
    last = epochs == epochs[-1]
    judged = [r["d_accuracy"] for r, is_last in zip(rows, last, strict=True) if is_last and r["d_accuracy"] is not None]
    last_l1 = held[~np.isnan(held)][-1]
    return dict(
        best_epoch=epochs[np.nanargmin(held)],
        best_l1=np.nanmin(held),
        last_l1=last_l1,
        gap=last_l1 - np.array([r["loss_pixel"] for r in rows])[last].mean(),
        d_accuracy=np.mean(judged) if judged else None,
    )


@right("11.2")
def by_torch_and_groups(rows):
    by_epoch = defaultdict(list)
    for row in rows:
        by_epoch[row["epoch"]].append(row)
    looks = {e: r["held_out_l1"] for e, group in by_epoch.items() for r in group if r["held_out_l1"] is not None}
    best = sorted(looks, key=lambda e: (looks[e], e))[0]
    final = by_epoch[max(by_epoch)]
    judged = torch.tensor([r["d_accuracy"] for r in final if r["d_accuracy"] is not None])
    return {
        "best_epoch": torch.tensor(best),
        "best_l1": torch.tensor(looks[best]),
        "last_l1": looks[max(looks)],
        "gap": torch.tensor(looks[max(looks)]) - torch.tensor([r["loss_pixel"] for r in final]).mean(),
        "d_accuracy": judged.mean() if len(judged) else None,
        "note": "more than was asked for",
    }


@right("11.2")
def by_statistics(rows):
    held = [(row["held_out_l1"], row["epoch"]) for row in rows if row["held_out_l1"] is not None]
    final = [row for row in rows if row["epoch"] == rows[-1]["epoch"]]
    try:
        judged = statistics.fmean(row["d_accuracy"] for row in final if row["d_accuracy"] is not None)
    except statistics.StatisticsError:
        judged = None
    best = min(held)
    return {
        "d_accuracy": judged,
        "gap": held[-1][0] - statistics.fmean(row["loss_pixel"] for row in final),
        "last_l1": held[-1][0],
        "best_l1": best[0],
        "best_epoch": float(best[1]),
    }


def changed(**changes):
    """A right answer but for some values: key → function of (rows, looks, final)."""

    def answer(rows):
        found = loops(rows)
        looks = [row for row in rows if row["held_out_l1"] is not None]
        final = [row for row in rows if row["epoch"] == rows[-1]["epoch"]]
        return {**found, **{key: change(rows, looks, final) for key, change in changes.items()}}

    return answer


def average(rows, name):
    return sum(row[name] for row in rows) / len(rows)


def some(rows, name):
    return [row[name] for row in rows if row[name] is not None]


def l1(row):
    return row["held_out_l1"]


def told_wrong(cause, found="", status=Status.WRONG, **changes):
    answer = changed(**changes)
    answer.__name__ = f"{'_'.join(changes)}: {cause or found}"
    wrong("11.2", cause=cause, found=found, status=status)(answer)


told_wrong("place in a list", best_epoch=lambda r, k, f: r.index(min(k, key=l1)), found="`best_epoch` is")
told_wrong("place in a list", best_epoch=lambda r, k, f: k.index(min(k, key=l1)))
told_wrong("place in a list", best_epoch=lambda r, k, f: min(k, key=l1)["step"])
told_wrong(
    "Is the first asked for", best_epoch=lambda r, k, f: min(k, key=lambda x: (x["held_out_l1"], -x["epoch"]))["epoch"]
)
told_wrong("largest", best_epoch=lambda r, k, f: max(k, key=l1)["epoch"])
told_wrong("where the run ended", best_epoch=lambda r, k, f: k[-1]["epoch"])
told_wrong("taken for one with 0", best_epoch=lambda r, k, f: min(r, key=lambda x: x["held_out_l1"] or 0)["epoch"])
told_wrong("the L1 itself", best_epoch=lambda r, k, f: min(map(l1, k)))
told_wrong("lowest `loss_pixel`", best_epoch=lambda r, k, f: min(r, key=lambda x: x["loss_pixel"])["epoch"])
told_wrong(None, best_epoch=lambda r, k, f: "3", found='`best_epoch` is "3"')
told_wrong("largest", best_l1=lambda r, k, f: max(map(l1, k)))
told_wrong("lowest `loss_pixel`", best_l1=lambda r, k, f: min(x["loss_pixel"] for x in r))
told_wrong("first held-out L1", best_l1=lambda r, k, f: l1(k[0]))
told_wrong("taken for one with 0", best_l1=lambda r, k, f: min(x["held_out_l1"] or 0 for x in r))
told_wrong(
    "taken from the last row", last_l1=lambda r, k, f: l1(r[-1]), found="stopped within an epoch: `last_l1` is `None`"
)
told_wrong("lowest held-out L1", last_l1=lambda r, k, f: min(map(l1, k)))
told_wrong("first held-out L1", last_l1=lambda r, k, f: l1(k[0]))
told_wrong("other sign", gap=lambda r, k, f: average(f, "loss_pixel") - l1(k[-1]))
told_wrong("sign is lost", gap=lambda r, k, f: abs(l1(k[-1]) - average(f, "loss_pixel")))
told_wrong("whole run", gap=lambda r, k, f: l1(k[-1]) - average(r, "loss_pixel"))
told_wrong("whole run", gap=lambda r, k, f: l1(k[-1]) - average(k, "loss_pixel"))
told_wrong(
    "came to its end",
    gap=lambda r, k, f: l1(k[-1]) - average([x for x in r if x["epoch"] == k[-1]["epoch"]], "loss_pixel"),
)
told_wrong("last row alone", gap=lambda r, k, f: l1(k[-1]) - r[-1]["loss_pixel"])
told_wrong("lowest held-out L1", gap=lambda r, k, f: min(map(l1, k)) - average(f, "loss_pixel"))
told_wrong("`loss_gan` stands in the place", gap=lambda r, k, f: l1(k[-1]) - average(f, "loss_gan"), found="`gap` is")
told_wrong("`loss_d` stands in the place", gap=lambda r, k, f: l1(k[-1]) - average(f, "loss_d"))
told_wrong("division by their number", gap=lambda r, k, f: l1(k[-1]) - sum(x["loss_pixel"] for x in f))
told_wrong("ratio", gap=lambda r, k, f: l1(k[-1]) / average(f, "loss_pixel"))
told_wrong(None, gap=lambda r, k, f: 0.123, found="`gap` is 0.123")
told_wrong(
    "whole run",
    d_accuracy=lambda r, k, f: (
        sum(some(r, "d_accuracy")) / len(some(r, "d_accuracy")) if some(r, "d_accuracy") else None
    ),
)
told_wrong("last row alone", d_accuracy=lambda r, k, f: r[-1]["d_accuracy"])
told_wrong(
    "taken for one with 0",
    d_accuracy=lambda r, k, f: sum(x["d_accuracy"] or 0 for x in f) / len(f) if some(f, "d_accuracy") else None,
)
told_wrong("a number came", d_accuracy=lambda r, k, f: sum(some(f, "d_accuracy")) / max(1, len(some(f, "d_accuracy"))))
told_wrong("a number came", d_accuracy=lambda r, k, f: float(np.mean(some(f, "d_accuracy") or [np.nan])))
told_wrong(
    "mean of no number", found="a run without an adversary: ", status=Status.CRASHED,
    d_accuracy=lambda r, k, f: sum(some(f, "d_accuracy")) / len(some(f, "d_accuracy")),
)  # fmt: skip
told_wrong(
    "mean of no number", found="a run without an adversary: ", status=Status.CRASHED,
    d_accuracy=lambda r, k, f: statistics.mean(some(f, "d_accuracy")),
)  # fmt: skip
told_wrong(
    "A `None` is compared", found="adversary", status=Status.CRASHED,
    d_accuracy=lambda r, k, f: average(f, "d_accuracy"),
)  # fmt: skip


@wrong("11.2", cause="A `None` is compared", status=Status.CRASHED)
def compares_none(rows):
    best = min(rows, key=lambda row: row["held_out_l1"])
    return {"best_epoch": best["epoch"], "best_l1": best["held_out_l1"]}


@wrong(
    "11.2",
    cause="A `None` is compared",
    found="a finished run: all is right; a run that was stopped within an epoch: your code",
    status=Status.CRASHED,
)
def reckons_with_none(rows):
    found = loops(rows)
    final = [row["loss_pixel"] for row in rows if row["epoch"] == rows[-1]["epoch"]]
    return found | {"gap": rows[-1]["held_out_l1"] - sum(final) / len(final)}


@wrong("11.2", cause="A row with 0 is left out", found="`d_accuracy`")
def zero_is_none(rows):
    right_of_last = [row["d_accuracy"] for row in rows if row["epoch"] == rows[-1]["epoch"] and row["d_accuracy"]]
    return {**loops(rows), "d_accuracy": sum(right_of_last) / len(right_of_last) if right_of_last else None}


@wrong("11.2", found="the dict has no `gap`; it has `best_epoch`")
def one_is_missing(rows):
    found = loops(rows)
    del found["gap"]
    return found


@wrong("11.2", found="a tuple of 5 came; expected was a dict")
def as_a_tuple(rows):
    return tuple(loops(rows).values())


@wrong("11.2", cause="forget `return`")
def says_nothing(rows):
    loops(rows)


@wrong("11.2", cause="writes into `rows`", found="changed in place")
def sorts_in_place(rows):
    found = loops(rows)
    rows.reverse()
    return found


@wrong("11.2", status=Status.NOT_ATTEMPTED)
def stub(rows):
    raise NotImplementedError


# --- 11.3 -------------------------------------------------------------------------------------------


@functools.cache
def evaluated(name, **settings):
    run = trained(name, **settings)
    evaluate_run(run, progress=False).write(run)
    return run


def reported(name, of="whole", **measures):
    """A run with a report in which some measures are (value, low, high)."""

    def change(run):
        path = run / "report.json"
        content = json.loads(path.read_text(encoding="utf-8"))
        for key, values in measures.items():
            content["measures"][key] = dict(zip(("value", "low", "high"), values, strict=True))
        path.write_text(json.dumps(content), encoding="utf-8")

    return spoilt(f"reported_{name}", change, lambda: evaluated(of))


ONE = reported("one", l1=(0.2, 0.19, 0.21), sharpness=(0.9, 0.88, 0.92), lab_a=(0.8, 0.78, 0.82), lab_b=(0.7, 0.6, 0.8))
TWO = reported(
    "two", l1=(0.18, 0.17, 0.185), sharpness=(0.5, 0.48, 0.52), lab_a=(0.6, 0.58, 0.62), lab_b=(0.75, 0.65, 0.85)
)
CLAIMS = [("sharpness", ">"), ("l1", ">"), ("lab_a", ">")]

right("11.3", TWO, CLAIMS)(ONE)
right("11.3", ONE, (("lab_a", "<"), ("l1", "<"), ["sharpness", "<"]))(TWO)
right("11.3", TWO, lambda: CLAIMS)(ONE)
right("11.3", TWO, dict(CLAIMS))(ONE)


def no_worse_than_trained():
    """Two runs as they are: one trained, one that has hardly moved."""
    return str(evaluated("whole"))


right("11.3", lambda: evaluated("idle", learning_rate=1e-9), [("l1", "<"), ("l1_train", "<"), ("lab_l", ">")])(
    no_worse_than_trained
)

wrong("11.3", TWO, [*CLAIMS, ("lab_b", "<")], found="`lab_b` is 0.700 (0.600 to 0.800) for the first run and 0.750")(
    ONE
)
wrong("11.3", TWO, [*CLAIMS, ("lab_b", ">")], found="they overlap, so the numbers do not decide it")(ONE)
wrong(
    "11.3",
    TWO,
    [*CLAIMS[1:], ("sharpness", "<"), ("lab_b", "<")],
    found="the first lies above; `lab_b` is 0.700",
    cause="contrary",
)(ONE)
wrong("11.3", TWO, [("sharpness", ">"), ("l1", "<"), ("lab_a", ">")], found="the first lies above", cause="contrary")(
    ONE
)
wrong("11.3", ONE, CLAIMS, found="the first lies below", cause="Which run is which")(TWO)
wrong("11.3", TWO, CLAIMS[:2], found="asked are 3 or more; 2 came.")(ONE)
wrong("11.3", TWO, [*CLAIMS[:2], CLAIMS[0]], found="2 came (one stands there twice)")(ONE)
wrong("11.3", TWO, [*CLAIMS, ("l1", "<")], found="both larger and smaller")(ONE)
wrong("11.3", TWO, [*CLAIMS, ("beauty", ">")], found='"beauty" is none of the measures; they are l1, ')(ONE)
wrong("11.3", TWO, [*CLAIMS, (">", "lab_b")], found="none of the measures", cause="changed places")(ONE)
wrong("11.3", TWO, [*CLAIMS, ("lab_b", ">=")], found='the sign of `lab_b` is ">="')(ONE)
wrong("11.3", TWO, [*CLAIMS, "lab_b >"], found='"lab_b >" stands in the list')(ONE)
wrong("11.3", TWO, "sharpness > l1", found="expected was a list")(ONE)
wrong("11.3", ONE, CLAIMS, found="both are the same run", cause="which other run")(ONE)
wrong("11.3", TWO, CLAIMS, found="has no report yet: make one with python -m p2plib evaluate")(
    Folder(lambda: trained("unmeasured", stop=0, images=1000), "without_a_report")
)
wrong("11.3", TWO, CLAIMS, found="is older than the weights")(
    spoilt("another_net", not_finite, lambda: evaluated("whole"))
)
wrong("11.3", TWO, CLAIMS, found="report.json is damaged")(
    spoilt(
        "half_a_report", lambda run: rewrite(run / "report.json", lambda text: text[:300]), lambda: evaluated("whole")
    )
)


def with_report(**changes):
    def change(run):
        path = run / "report.json"
        content = json.loads(path.read_text(encoding="utf-8"))
        for key, values in changes.items():
            content[key] |= values
        path.write_text(json.dumps(content), encoding="utf-8")

    return change


wrong("11.3", TWO, CLAIMS, found="cannot be compared: the pictures have another size: 64 px and 32 px")(
    spoilt("other_size", with_report(run={"size": 64}), lambda: evaluated("whole"))
)
wrong("11.3", TWO, CLAIMS, found="the held-out pairs are others: 10 of 10 targets differ")(
    spoilt("other_pairs", with_report(per_picture={"target": [0.9] * 10}), lambda: evaluated("whole"))
)
wrong(
    "11.3",
    TWO,
    CLAIMS,
    found="the two runs differ in `limit` (4 and None) and `seed` (3 and 0)",
    cause="Of which of them",
)(spoilt("two_things_differ", with_report(run={"limit": 4, "seed": 3}), lambda: evaluated("whole")))
wrong("11.3", "no/such/run", CLAIMS, found="there is no folder", cause="`--out` named")(ONE)
wrong("11.3", None, CLAIMS, found="`None` came")(ONE)
wrong("11.3", TWO, to_be_written, status=Status.NOT_ATTEMPTED)(ONE)
wrong("11.3", status=Status.NOT_ATTEMPTED)(...)
