"""What a run remembers, how it is taken up again, and the sentences that say how to go on."""

from __future__ import annotations

import hashlib
import math
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch

from p2plib.data.pairs import FolderPairs
from p2plib.errors import UserError
from p2plib.training import checkpoint
from p2plib.training.config import Config
from p2plib.training.exchange import refuse_imported
from p2plib.training.keeper import Snapshot, copied
from p2plib.training.losses_read import NotFinite

if TYPE_CHECKING:
    from p2plib.training.trainer import Trainer

LISTED = 5_000  # names that are kept one by one, so that a missing file can be named


def saved_state(run: Path | None, config: Config, resume: bool) -> dict[str, Any] | None:
    """The saved state, if the run is to go on; a run that never came to save begins again.

    Raises:
        UserError: if the folder holds a run and none was asked for, or the other way round, or a damaged one, or
            imported weights, which have no state.
    """
    refuse_imported(run)
    saved = run is not None and (run / "state.pt").exists()
    if run is None or not resume:
        if saved:
            raise UserError(
                f'{run} already holds a run: go on with it by --resume (in Python: resume="auto"), or choose another '
                f"folder."
            )
        return None
    checkpoint.read_config(run)  # says so if this is no run
    if not saved:
        print(f"{run} has no saved state yet: beginning at the start.")
        return None
    return checkpoint.load_state(run / "state.pt", "cpu")


def snapshot(trainer: Trainer) -> Snapshot:
    """The run as it is now, copied, so that training may go on while it is written.

    Raises:
        NotFinite: if a loss or a weight is not finite: a broken network is never saved over a good one.
    """
    trainer.check_losses()
    for net in trainer.networks:
        if not all(bool(torch.isfinite(p).all()) for p in net.parameters()):
            raise NotFinite(not_finite(trainer, "a weight", math.nan, trainer.step_number))
    trainer.clock.tick()
    state = copied(_state(trainer))
    names = [name for name in ("generator", "discriminator") if name in state]
    return Snapshot(trainer.config, state, {name: state[name] for name in names}, list(trainer.rows))


def _state(trainer: Trainer) -> dict[str, Any]:
    parts: dict[str, Any] = {
        "generator": trainer.generator,
        "optimizer_g": trainer.optimizer_g,
        "scaler": trainer.scaler,
    }
    if trainer.discriminator is not None and trainer.optimizer_d is not None:
        parts |= {"discriminator": trainer.discriminator, "optimizer_d": trainer.optimizer_d}
    return {
        **{name: part.state_dict() for name, part in parts.items()},
        "random": torch.get_rng_state(),
        "random_cuda": torch.cuda.get_rng_state() if trainer.config.device == "cuda" else None,
        "random_mps": torch.mps.get_rng_state() if trainer.config.device == "mps" else None,
        "step": trainer.step_number,
        "steps": trainer.steps,
        "pairs": len(trainer.source.train),
        "names": names_of(trainer),
        "pending": trainer.pending.steps,
        "rows": trainer.rows,
        "held_out_l1": trainer.held_out_l1,
        "seconds": trainer.clock.seconds,
        "session": trainer.session,
        "environment": checkpoint.environment(trainer.config),
    }


def restore(trainer: Trainer, state: dict[str, Any]) -> None:
    """Put a fresh trainer where the saved one stood, and say what is not as it was.

    Raises:
        UserError: if the number of pairs has changed, or the run would be cut.
    """
    _compare(trainer, state)
    trainer.generator.load_state_dict(state["generator"])
    _load_optimizer(trainer.optimizer_g, state["optimizer_g"])
    if trainer.discriminator is not None and trainer.optimizer_d is not None:
        trainer.discriminator.load_state_dict(state["discriminator"])
        _load_optimizer(trainer.optimizer_d, state["optimizer_d"])
    if state["scaler"]:  # empty where the run was in another precision before
        trainer.scaler.load_state_dict(state["scaler"])
    torch.set_rng_state(state["random"].cpu())
    if trainer.config.device == "cuda" and state["random_cuda"] is not None:
        torch.cuda.set_rng_state(state["random_cuda"].cpu())
    if trainer.config.device == "mps" and state.get("random_mps") is not None:
        torch.mps.set_rng_state(state["random_mps"].cpu())
    trainer.step_number, trainer.rows = state["step"], state["rows"]
    trainer.pending.steps = [losses.to(trainer.config.device) for losses in state["pending"]]
    trainer.held_out_l1, trainer.clock.seconds = state["held_out_l1"], state["seconds"]
    trainer.session = state.get("session", 1) + (trainer.step_number > 0)


def names_of(trainer: Trainer) -> dict[str, Any] | None:
    """Which files are trained on and which are held out, where the data are files."""
    sets = {"train": trainer.source.train, "held_out": trainer.source.held_out}
    if not all(isinstance(pairs, FolderPairs) for pairs in sets.values()):
        return None
    found: dict[str, Any] = {}
    for name, pairs in sets.items():
        files = [file.a.stem for file in cast(FolderPairs, pairs).files]
        digest = hashlib.sha256("\n".join(files).encode()).hexdigest()
        found[name] = {"sha256": digest, "files": files if len(files) <= LISTED else None}
    return found


def _other_pairs(then: dict[str, Any] | None, now: dict[str, Any] | None) -> str | None:
    """What differs between the files of then and now, in a few words; None if nothing does, or it is not known."""
    if then is None or now is None:
        return None
    for name, called in (("train", "trained on"), ("held_out", "held out")):
        if then[name]["sha256"] == now[name]["sha256"]:
            continue
        old, new = then[name]["files"], now[name]["files"]
        if old is None or new is None:
            return f"other files are {called}"
        gone, come = [f for f in old if f not in new], [f for f in new if f not in old]
        words = [f"{gone[0]} was {called} and is not now"] if gone else []
        words += [f"{come[0]} is {called} and was not"] if come else []
        return "; ".join(words) or f"those {called} are in another order"
    return None


def _load_optimizer(optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Its running means; how it works them out (fused, capturable) is a matter of the device, which may be another.

    So is how they lie in memory, channels last or not: they must lie as their weights do, or fused Adam takes one
    number for another.
    """
    how = [{key: group[key] for key in ("fused", "capturable")} for group in optimizer.param_groups]
    optimizer.load_state_dict(state)
    for group, own in zip(optimizer.param_groups, how, strict=True):
        group |= own
        group["lr"] = float(group["lr"])
        for weight in group["params"]:
            known = optimizer.state.get(weight, {})
            for name in ("exp_avg", "exp_avg_sq"):
                if name in known:
                    known[name] = torch.empty_like(weight, requires_grad=False).copy_(known[name])
            if "step" in known:
                there = weight.device if own["fused"] or own["capturable"] else "cpu"
                known["step"] = known["step"].to(there)


def _compare(trainer: Trainer, state: dict[str, Any]) -> None:
    pairs = len(trainer.source.train)
    if changes := checkpoint.environment_changes(state, trainer.config):
        trainer.say(
            f"Note: not as when the state was saved ({'; '.join(changes)}): results will differ in the last bits."
        )
    if state["pairs"] != pairs:
        raise UserError(
            f"{trainer.run} was trained on {state['pairs']} pairs and there are {pairs} now: put the data back as it "
            f"was, or begin a new run."
        )
    if why := _other_pairs(state.get("names"), names_of(trainer)):
        raise UserError(
            f"{trainer.config.source} does not hold the pairs that {trainer.run} was begun with ({why}): put the data "
            f"back as it was, or begin a new run; else held-out pairs would be trained on."
        )
    if trainer.steps < state["steps"]:
        raise UserError(
            f"{trainer.run} is a run of {state['steps']} steps and cannot be cut to {trainer.steps}: leave --epochs "
            f"and --images out, or give more of them to train longer."
        )
    if trainer.steps > state["steps"]:
        back = ", and the learning rate is that of the longer run" if trainer.config.schedule != "constant" else ""
        trainer.say(f"Note: {trainer.steps} steps in place of {state['steps']}{back}.")


# --- sentences -------------------------------------------------------------------------------


def command(trainer: Trainer) -> str:
    """The command that goes on with the run."""
    where = f"{shlex.quote(trainer.config.source)} --out {shlex.quote(str(trainer.run))}"
    return f"python -m p2plib train {where} --resume"


def how_to_go_on(trainer: Trainer, by: str) -> str:
    """Where it stopped, and by whom ("" where that is said already); where it is saved; how to go on."""
    at = f"Stopped{f' by {by}' if by else ''} after step {trainer.step_number} of {trainer.steps}"
    if trainer.run is None:
        return f"{at}; nothing was to be saved (no run folder was given)."
    return f"{at}; everything is saved in {trainer.run}. Go on with: {command(trainer)}"


def cut_short(trainer: Trainer) -> str:
    """A second Ctrl-C did not wait for the last save: what is whole, how to go on."""
    saved = trainer.run is not None and (trainer.run / "state.pt").exists()
    if not saved:
        return "Stopped at once; nothing was saved yet."
    return (
        f"Stopped at once after step {trainer.step_number} of {trainer.steps}. {trainer.run} stands at its last save "
        f"and is whole; the steps since then are done again. Go on with: {command(trainer)}"
    )


def not_finite(trainer: Trainer, name: str, value: float, step: int) -> str:
    """A loss or a weight became NaN: since when, what is whole, what to change."""
    c = trainer.config
    begin = f"Training broke at step {step} (epoch {(step - 1) // trainer.steps_per_epoch + 1}): {name} became {value}."
    gentler = f"--learning-rate {c.learning_rate / 2:g}" + (" --precision f32" if c.precision != "f32" else "")
    if trainer.run is None or not (trainer.run / "state.pt").exists():
        return f"{begin} Begin again with a lower learning rate ({gentler})."
    return (
        f"{begin} The state in {trainer.run} is from before it and is whole: go on from there with a lower learning "
        f"rate ({command(trainer)} {gentler})."
    )


def too_large(trainer: Trainer, at: str) -> str:
    """The memory was not enough: when, for what."""
    c = trainer.config
    return (
        f"The memory of {c.device} was not enough {at} for a batch of {c.batch} at "
        f"{c.size} px with base {c.base}: close other programs, or take a smaller --batch, --size or --base."
    )
