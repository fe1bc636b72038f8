"""One outcome for whatever an answer does, in words that are the same at every run, and nothing left behind."""

from __future__ import annotations

import builtins
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
import warnings

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from p2plib.checks import check, engine, registry, render, sandbox, state
from p2plib.checks.ch00_start import half
from p2plib.checks.engine import judge
from p2plib.checks.outcome import CheckFailed, Status
from p2plib.checks.registry import Exercise, Part
from p2plib.errors import UserError

PASSED, WRONG, CRASHED = Status.PASSED, Status.WRONG, Status.CRASHED
NOT_ATTEMPTED, TOO_SLOW = Status.NOT_ATTEMPTED, Status.TOO_SLOW


def left(p):
    return p[:, :, : p.shape[2] // 2]


@pytest.fixture
def quick(monkeypatch):
    """Exercise 0.1 with a limit of 0.3 s."""
    exercise = registry.find("0.1")
    short = Exercise(exercise.id, exercise.title, exercise.parts, exercise.check, exercise.hints, limit=0.3)
    monkeypatch.setattr(registry, "find", lambda id: short)
    return short


# --- what answers do --------------------------------------------------------------------------


def prints(p):
    print("noise " * 5000)
    sys.stderr.write("more")
    warnings.warn("look out", stacklevel=1)
    return left(p)


def recurses(p):
    return recurses(p)


def leaves(p):
    sys.exit(3)


def leaves_hard(p):
    os._exit(1)


def interrupts(p):
    raise KeyboardInterrupt


class Own(BaseException):
    def __str__(self):
        raise RuntimeError("not even this")


def raises_its_own(p):
    raise Own


def asks(p):
    return input("which half? ")


def changes_all(p):
    torch.manual_seed(0)
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002
    torch.set_default_dtype(torch.float64)
    torch.set_default_device("meta")
    torch.set_grad_enabled(False)
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark = True
    torch.autograd.set_detect_anomaly(True)
    torch.set_autocast_enabled("cpu", True)
    warnings.simplefilter("error")
    os.chdir("/")
    os.environ["X_LEFT"] = "1"
    sys.path.insert(0, "/nowhere")
    sys.setrecursionlimit(5000)
    sys.settrace(lambda *a: None)
    sys.stdout = sys.stderr = None
    mpl.rcParams["font.size"] = 3
    plt.figure()
    np.seterr(all="raise")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return left(p)


async def awaits(p):
    return left(p)


class Strange:
    def __eq__(self, other):
        raise RuntimeError

    __hash__ = None


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        (left, PASSED, ""),
        (prints, PASSED, ""),
        (changes_all, PASSED, ""),
        (recurses, CRASHED, "RecursionError"),
        (leaves, CRASHED, "SystemExit: 3"),
        (leaves_hard, CRASHED, "SystemExit: 1"),
        (interrupts, CRASHED, "KeyboardInterrupt"),
        (raises_its_own, CRASHED, "Own"),
        (asks, CRASHED, "an answer cannot ask"),
        (lambda: 1, CRASHED, "TypeError"),
        (lambda p: Strange(), WRONG, "a Strange"),
        (lambda p: 3, WRONG, "`3`"),
        (lambda p: "left", WRONG, '"left"'),
        (lambda p: p.numpy(), WRONG, "NumPy array"),
        (lambda p: [left(p)], WRONG, "a list of 1"),
        (lambda p: None, WRONG, "returned `None`"),
        (lambda p: ..., NOT_ATTEMPTED, ""),
        (..., NOT_ATTEMPTED, ""),
        (None, WRONG, "`None` came"),
        (7, WRONG, "`7` came"),
        (awaits, WRONG, "a coroutine"),
        (lambda p: (yield left(p)), WRONG, "a generator"),
        (lambda p: torch.empty(0), WRONG, "shape (0,)"),
        (lambda p: left(p).float() * float("nan"), WRONG, "float32; expected was uint8"),
        (lambda p: left(p).to(torch.complex64), WRONG, "complex64"),
        (lambda p: left(p).to_sparse(), WRONG, ""),
        (lambda p: left(p).to("meta"), WRONG, "meta"),
    ],
)
def test_one_outcome_and_nothing_left(answer, status, words, everything, capfd):
    state = everything()
    outcome = judge("0.1", answer)
    after = everything()
    assert outcome.status is status, outcome
    assert words in outcome.message
    assert [k for k in state if state[k] != after[k]] == []
    assert capfd.readouterr() == ("", "")
    assert outcome == judge("0.1", answer)  # the same again, word for word


def test_what_was_changed_is_said_and_put_back():
    (note,) = judge("0.1", changes_all).notes
    for words in ("default dtype", "default device", "gradients", "working folder", "put this back"):
        assert words in note
    assert judge("0.1", left).notes == ()


def test_no_answer_and_too_many():
    assert judge("0.1").status is NOT_ATTEMPTED
    assert judge("0.1", left, left).status is WRONG
    assert judge("1.2", left).message.startswith('expected was `check("1.2", to_signed, to_bytes)`, 2 answers')


@pytest.mark.parametrize("id", ["9.9", 1.1, None, "x"])
def test_an_exercise_that_does_not_exist(id):
    with pytest.raises(UserError, match=r"There is no exercise .*0\.1, 1\.1"):
        judge(id, left)


@pytest.mark.parametrize("seed", [-1, 1.5, True, "1"])
def test_a_seed_that_is_none(seed):
    with pytest.raises(UserError, match="seed"):
        judge("0.1", left, seed=seed)


def test_the_seed_repeats_a_failure(monkeypatch):
    monkeypatch.setenv("P2PLIB_BUDGET", "learner")
    wrong = lambda p: p[:, :, 1 : 1 + p.shape[2] // 2]
    outcome = judge("0.1", wrong)
    assert f'check("0.1", half, seed={outcome.seed})' in render.text(outcome)
    assert judge("0.1", wrong, seed=outcome.seed) == outcome
    assert len({judge("0.1", wrong).seed for _ in range(8)}) > 1
    monkeypatch.setenv("P2PLIB_BUDGET", "test")
    assert judge("0.1", wrong).seed == engine.TEST_SEED


# --- time ---------------------------------------------------------------------------------------


def loops(p):
    while True:
        p + 1


def catches_all(p):
    while True:
        try:  # noqa: SIM105
            loops(p)
        except:  # noqa: E722
            pass


def catches_once(p):
    try:
        loops(p)
    except BaseException:
        return left(p)


def sleeps(p):
    time.sleep(30)


@pytest.mark.parametrize("answer", [loops, catches_all, catches_once, sleeps])
def test_python_that_never_ends_is_stopped(answer, quick, everything):
    state, began = everything(), time.monotonic()
    outcome = judge("0.1", answer)
    assert outcome.status is TOO_SLOW
    assert "was stopped" in outcome.message
    assert time.monotonic() - began < 8
    time.sleep(0.15)  # a late alarm would come now
    after = everything()
    assert [k for k in state if state[k] != after[k]] == []


def test_native_code_is_reported_when_it_returns(monkeypatch):
    ran = sandbox.run(lambda: sum(range(30_000_000)), limit=0.05)
    assert ran.too_slow


@pytest.mark.parametrize("answer", [loops, catches_once, left, recurses])
def test_outside_of_the_main_thread(answer, quick):
    came = []
    thread = threading.Thread(target=lambda: came.append(judge("0.1", answer)))
    thread.start()
    thread.join(10)
    assert came[0].status is {left: PASSED, recurses: CRASHED}.get(answer, TOO_SLOW)
    time.sleep(0.1)


def test_where_there_is_no_alarm(quick, monkeypatch):
    monkeypatch.setattr(sandbox, "_has_alarm", lambda: False)
    for _ in range(3):
        assert judge("0.1", loops).status is TOO_SLOW
        assert judge("0.1", left).status is PASSED


@settings(max_examples=25, deadline=None)
@given(st.floats(0.001, 0.01), st.booleans())
def test_an_alarm_never_escapes(limit, alarm):
    """Answers that end just when their time does."""
    before, sandbox._has_alarm = sandbox._has_alarm, lambda: alarm
    try:
        ran = sandbox.run(lambda: [None for _ in range(int(limit * 2e7))], limit=limit)
    finally:
        sandbox._has_alarm = before
    assert ran.error is None or isinstance(ran.error, sandbox.TimeUp)
    for _ in range(1000):
        pass


def test_a_timer_of_somebody_else_goes_on(quick):
    rung = []
    handler = signal.signal(signal.SIGALRM, lambda *a: rung.append(1))
    timer = signal.setitimer(signal.ITIMER_REAL, 0.6)
    try:
        assert judge("0.1", loops).status is TOO_SLOW
        assert not rung
        time.sleep(0.5)
        assert rung
    finally:
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, *timer)


def test_a_real_interrupt_interrupts(everything):
    state = everything()
    for answer in (loops, catches_once):
        timer = threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGINT))
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            judge("0.1", answer)
        timer.join()
    after = everything()
    assert [k for k in state if state[k] != after[k]] == []


# --- the learner's line ---------------------------------------------------------------------------


def test_the_line_is_theirs():
    def deep(p):
        return torch.cat([p, p[:, 1:]], dim=0)

    outcome = judge("0.1", deep)
    assert outcome.line == (deep.__code__.co_firstlineno + 1, "return torch.cat([p, p[:, 1:]], dim=0)")
    assert judge("0.1", lambda p: p[9, 9, 9, 9]).line[1].startswith("assert judge")


def test_the_line_of_exec_and_of_a_cell():
    space: dict = {}
    exec("def f(p):\n    return 1 / 0", space)
    assert judge("0.1", space["f"]).line == (2, "")
    assert "at your line 2." in render.text(judge("0.1", space["f"]))
    shell = pytest.importorskip("IPython.core.interactiveshell").InteractiveShell()
    shell.run_cell("def f(p):\n    x = 1\n    return p @ 'x'")
    assert judge("0.1", shell.user_ns["f"]).line == (3, "return p @ 'x'")


def test_debug_shows_all_and_nothing_else_does(capsys):
    def noisy(p):
        print("so far so good")
        return 1 / 0

    check("0.1", noisy)
    quiet = capsys.readouterr().out
    check("0.1", noisy, debug=True)
    loud = capsys.readouterr().out
    assert "Traceback" not in quiet
    assert "so far" not in quiet
    assert "Traceback" in loud
    assert "so far so good" in loud


def test_a_stub_deep_inside_torch_is_a_crash():
    def reflect(p):
        return torch._foreach_add([p.to_sparse()], [p])

    outcome = judge("0.1", reflect)
    assert outcome.status is CRASHED


# --- kinds of answers ------------------------------------------------------------------------------


class WithCall:
    def __call__(self, p):
        return left(p)

    def method(self, p):
        return left(p)


@pytest.mark.parametrize("answer", [WithCall(), WithCall, WithCall().method, lambda bild, n=2: left(bild)])
def test_whatever_can_be_called(answer):
    assert judge("0.1", answer).counts


def test_ours_is_told_apart_from_theirs():
    import functools

    assert judge("0.1", half).ours
    assert judge("0.1", functools.partial(half)).ours
    assert "that is ours" in render.text(judge("0.1", half))
    assert not judge("0.1", lambda p: left(p)).ours


def test_a_fault_of_the_check_is_not_laid_at_the_answers_door(monkeypatch):
    broken = Exercise("0.1", "half", (Part("half", ("picture",), half),), lambda t: 1 / 0, ())
    monkeypatch.setattr(registry, "find", lambda id: broken)
    outcome = judge("0.1", left)
    assert outcome.status is Status.UNCHECKED
    assert "not of your answer" in outcome.message


# --- grading -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["P2PLIB_STRICT", "NBGRADER_EXECUTION"])
def test_grading_raises_for_all_but_passed(name, monkeypatch, capsys):
    check("0.1", lambda p: p)
    monkeypatch.setenv(name, "1")
    check("0.1", left)
    for answer in (lambda p: p, ..., loops_not, half):
        with pytest.raises(CheckFailed, match=r"^0\.1 half a picture: "):
            check("0.1", answer)
    assert capsys.readouterr().err == ""


def loops_not(p):
    raise ValueError


# --- how it looks --------------------------------------------------------------------------------------


def all_outcomes():
    return [judge("0.1", a) for a in (left, half, lambda p: p, ..., recurses, changes_all)]


def test_signs_and_words_tell_the_outcomes_apart():
    texts = [render.text(o) for o in all_outcomes()]
    assert [t.split(" · ")[0] for t in texts] == [
        "✔ passed",
        "✔ passed",
        "✘ wrong",
        "○ not attempted",
        "⚠ your code raised",
        "✔ passed",
    ]
    assert len({render.colour_of(status) for status in Status}) == len(Status)


@settings(max_examples=40, deadline=None)
@given(st.text(min_size=1, max_size=60))
def test_any_message_is_shown_safely(words):
    def fails(p):
        raise ValueError(words)

    outcome = judge("0.1", fails)
    page = render.as_html(outcome)
    assert outcome.status is CRASHED
    assert re.sub(r"</?(div|span|b|code)( style=\"[^\"<>]*\")?>", "", page).count("<") == 0
    assert "\n" not in outcome.message


def test_addresses_do_not_show():
    def fails(p):
        raise ValueError(f"no {object()} here")

    assert "0x…" in judge("0.1", fails).message


def test_a_terminal_without_the_signs(tmp_path):
    code = "from p2plib.checks import check; check('0.1', ...)"
    env = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "not attempted" in done.stdout


def test_a_notebook_gets_both_forms(capsys):
    shell_module = pytest.importorskip("IPython.core.interactiveshell")
    from IPython.utils.capture import capture_output

    shell = shell_module.InteractiveShell.instance()
    try:
        with capture_output() as caught:
            shell.run_cell("from p2plib.checks import check\ncheck('0.1', lambda p: exit())\ndisplay(1)")
    finally:
        shell_module.InteractiveShell.clear_instance()
    (first, _) = caught.outputs
    assert set(first.data) == {"text/html", "text/plain"}
    assert "SystemExit" in first.data["text/plain"]


BLOCKS = """
import torch
from torch import nn
from p2plib.models import DownBlock


class UpBlock(nn.Module):
    def __init__(self, *sizes, **options):
        super().__init__()

    def forward(self, x, skip=None):
        return torch.cat([x, skip], dim=1)


class UNet3(nn.Module):
    def __init__(self, in_channels=3, out_channels=3, base=64):
        super().__init__()
        self.down = DownBlock(in_channels, base)
        self.up = UpBlock()

    def forward(self, x):
        return self.up(self.down(x), x)
"""


def test_the_line_shown_is_of_the_net_not_of_a_block_that_passed_before():
    shell = pytest.importorskip("IPython.core.interactiveshell").InteractiveShell()
    assert shell.run_cell(BLOCKS).success
    outcome = judge("2.4", shell.user_ns["UNet3"], seed=1)
    assert outcome.status is CRASHED
    assert outcome.line == (21, "return self.up(self.down(x), x)")


def test_a_user_error_is_shown_in_a_notebook_without_a_traceback(capsys):
    shell = pytest.importorskip("IPython.core.interactiveshell").InteractiveShell()
    shell.run_cell("from p2plib.checks import hint\nhint('0.1', n=9)")
    shown = capsys.readouterr()
    assert "UserError: 0.1 has 3 hints" in shown.out + shown.err
    assert "Traceback" not in shown.out + shown.err


# --- names of torch and of Python ------------------------------------------------------------------------


def watched():
    homes = [builtins, *(home for home, _ in state._HOMES)]
    return [dict(vars(home)) for home in homes], [dict(hooks) for hooks in state._HOOKS]


def named(home, name, value):
    """An answer that is right and leaves a name changed."""

    def answer(p):
        setattr(home, name, value)
        return left(p)

    return answer


def without(home, name):
    def answer(p):
        delattr(home, name)
        return left(p)

    return answer


def hooks_all(p):
    nn.modules.module.register_module_forward_hook(lambda *a: None)
    nn.modules.module.register_module_full_backward_hook(lambda *a: None)
    return left(p)


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (named(nn, "Conv2d", nn.Linear), "torch.nn.Conv2d"),
        (named(nn.Conv2d, "forward", lambda self, x: x), "torch.nn.Conv2d.forward"),
        (named(nn.Conv2d, "__call__", lambda self, x: x), "torch.nn.Conv2d.__call__"),
        (named(nn.Conv2d, "__len__", lambda self: 0), "torch.nn.Conv2d.__len__"),
        (named(nn.BatchNorm2d, "weight", None), "torch.nn.BatchNorm2d.weight"),
        (named(nn.modules.conv._ConvNd, "__init__", None), "torch.nn.modules.conv._ConvNd.__init__"),
        (named(nn.Module, "train", lambda self, on=True: self), "torch.nn.Module.train"),
        (named(torch.Tensor, "chunk", None), "torch.Tensor.chunk"),
        (named(torch.Tensor, "backward", None), "torch.Tensor.backward"),
        (named(F, "conv2d", lambda *a, **k: a[0]), "torch.nn.functional.conv2d"),
        (named(torch, "equal", lambda a, b: True), "torch.equal"),
        (named(torch.autograd, "grad", None), "torch.autograd.grad"),
        (named(builtins, "sum", max), "builtins.sum"),
        (without(torch, "stack"), "torch.stack"),
        (without(nn.Conv2d, "forward"), "torch.nn.Conv2d.forward"),
        (without(builtins, "len"), "builtins.len"),
        (hooks_all, "the hooks of all modules"),
    ],
)
def test_a_name_that_stands_for_something_else_is_put_back_and_told(answer, name):
    before = watched()
    outcome = judge("0.1", answer)
    after = watched()
    assert outcome.status is PASSED, outcome
    assert name in outcome.notes[0]
    assert outcome.notes[0].endswith("for the whole program; the check has put this back.")
    assert before == after
    assert judge("0.1", left).notes == ()


def test_a_name_is_put_back_however_the_answer_ends(quick):
    def raises(p):
        F.conv2d = None
        raise ValueError

    def never_ends(p):
        F.conv2d = None
        loops(p)

    conv = F.conv2d
    for answer, status in ((raises, CRASHED), (never_ends, TOO_SLOW)):
        outcome = judge("0.1", answer)
        assert outcome.status is status
        assert "conv2d" in outcome.notes[0]
        assert F.conv2d is conv


@pytest.mark.parametrize("alarm", [True, False])
def test_all_of_python_taken_away(alarm, monkeypatch):
    monkeypatch.setattr(sandbox, "_has_alarm", lambda: alarm)

    def empties(p):
        half = left(p)
        builtins.__dict__.update(dict.fromkeys(before))
        return half

    before = dict(vars(builtins))
    outcome = judge("0.1", empties)
    assert {name: vars(builtins).get(name, "gone") for name in before} == before
    assert outcome.status is CRASHED  # what waits for it to end needs them, too
    assert "other names" in outcome.notes[0]
    assert len(outcome.notes[0]) < 300


LAZY = """
import torch, copy, pickle
from torch import nn
from p2plib.checks.engine import judge

def answer(p):
    import torch.func, torch.export
    net = nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3), nn.LeakyReLU(), nn.Dropout())
    torch.compile(net, backend="eager")(torch.zeros(1, 3, 4, 4))
    pickle.dumps(copy.deepcopy(net))
    torch.fx.symbolic_trace(net)
    nn.LazyConv2d(3, 1)(torch.zeros(1, 2, 3, 3))
    nn.Conv2d.__annotations__, nn.__annotations__
    handle = nn.modules.module.register_module_forward_hook(lambda *a: None)
    handle.remove()
    with torch.device("cpu"), torch.overrides.BaseTorchFunctionMode():
        return p[:, :, : p.shape[2] // 2]

for _ in range(2):
    outcome = judge("0.1", answer)
    assert outcome.counts and not outcome.notes, outcome
net = torch.compile(nn.Conv2d(3, 3, 1), backend="eager")
assert net(torch.zeros(1, 3, 4, 4)).shape == (1, 3, 4, 4)
"""


def test_what_torch_adds_by_itself_is_no_change():
    done = subprocess.run([sys.executable, "-c", LAZY], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


def test_names_that_nobody_changed_are_not_told():
    names = []
    for _ in range(20):
        names.append(state.Names())
        names[-1].put_back()
    assert not any(n.left for n in names)


# --- a second program --------------------------------------------------------------------------------------

#: Ways for a child to end, and the code with which it does.
ENDS = {
    "os._exit(3)": 3,
    "sys.exit(4)": 4,
    "sys.exit()": 0,
    "sys.exit('words')": 1,
    "return 5": 0,
    "1 / 0": 1,
    "import builtins; builtins.isinstance = None; sys.exit(8)": 8,
    "sandbox.run(lambda: os._exit(6), limit=5); os._exit(7)": 7,
}
FORKS = """
import os, sys
from p2plib.checks import sandbox

def answer():
    child = os.fork()
    if child == 0:
        {end}
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

came = sandbox.run(answer, limit=20)
print({number}, came.value, repr(came.error), flush=True)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_child_never_runs_on():
    """One that did would print what comes after it once more: its own line, and all below."""
    code = "\n".join(FORKS.format(end=end, number=number) for number, end in enumerate(ENDS))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.splitlines() == [f"{n} {code} None" for n, code in enumerate(ENDS.values())], done


def test_a_process_that_hides_its_number_goes_on(monkeypatch):
    monkeypatch.setattr(os, "getpid", lambda: 1)
    assert sandbox.run(lambda: setattr(os, "getpid", lambda: 2), limit=5).error is None
    assert isinstance(sandbox.run(lambda: os._exit(0), limit=5).error, SystemExit)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_workers_of_a_loader_come_to_their_end():
    def loads(p):
        loader = torch.utils.data.DataLoader([left(p)], batch_size=None, num_workers=1, multiprocessing_context="fork")
        return next(iter(loader))

    assert judge("0.1", loads).counts


# --- values that are not what they seem ----------------------------------------------------------------------


class Refusing(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        raise RuntimeError("not with me")


class Picky(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if getattr(func, "__name__", "") == "isnan":
            raise RuntimeError("not with me")
        return super().__torch_function__(func, types, args, kwargs)


class Plain(torch.Tensor):
    pass


def liar(kind):
    return type("Liar", (), {"__class__": property(lambda self: kind)})()


class NoClass:
    @property
    def __class__(self):
        raise RuntimeError("not with me")


@pytest.mark.parametrize("kind", [Refusing, Picky])
def test_a_tensor_that_refuses_is_a_crash(kind):
    outcome = judge("0.1", lambda p: left(p).as_subclass(kind))
    assert outcome.status is CRASHED
    assert "not with me" in outcome.message
    assert outcome.line[1] == 'raise RuntimeError("not with me")'
    assert judge("0.1", lambda p: left(p).as_subclass(Plain)).counts


@pytest.mark.parametrize("kind", [torch.Tensor, np.ndarray, list, tuple, nn.Module])
def test_an_object_that_lies_is_a_crash(kind):
    for id, answer in (("0.1", lambda p: liar(kind)), ("1.1", lambda *p: (liar(kind), liar(kind)))):
        outcome = judge(id, answer)
        assert outcome.status is CRASHED
        assert f"says that it is a {kind.__name__}" in outcome.message
    assert judge("0.1", lambda p: NoClass()).status is CRASHED
