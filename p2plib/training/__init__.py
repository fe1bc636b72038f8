"""Training: settings, the loop, run folders, translating with what was trained."""

from p2plib.training.config import PRESETS, Config, configure
from p2plib.training.race import race
from p2plib.training.trainer import Trainer
from p2plib.training.translate import translate, translating

__all__ = ["PRESETS", "Config", "Trainer", "configure", "race", "translate", "translating"]
