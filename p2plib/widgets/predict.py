"""A question before an experiment: commit to an answer, then look.  Nothing is scored or kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from p2plib.errors import UserError
from p2plib.widgets.base import label, put, words

_CHOSEN: dict[str, str] = {}  # question → answer: clicking a button makes its cell active, and it is run again


class Prediction:
    """The widget that `predict` shows.

    Attributes:
        chosen: the answer clicked, or None.
    """

    def __init__(self, question: str, choices: Sequence[str]) -> None:
        import ipywidgets

        if len(choices) < 2:
            raise UserError("predict() needs at least two answers to choose from.")
        self.question, self.choices = question, list(choices)
        self.chosen: str | None = None
        self.buttons = [ipywidgets.Button(description=choice, layout={"width": "auto"}) for choice in choices]
        for button in self.buttons:
            button.on_click(self._choose)
        self.said = ipywidgets.HTML(words("Choose what you expect; it is not graded. Then run the next cell."))
        row = ipywidgets.HBox(self.buttons, layout={"flex_flow": "row wrap"})
        self.widget = ipywidgets.VBox([label(question), row, self.said])
        for button in self.buttons:
            if button.description == _CHOSEN.get(question):
                self._choose(button)

    def _choose(self, button: Any) -> None:
        self.chosen = _CHOSEN[self.question] = button.description
        for other in self.buttons:
            other.button_style = "info" if other is button else ""
            other.icon = "check" if other is button else ""
        self.said.value = words(f"You expect: {self.chosen}. Now run the next cell and look.")


def predict(question: str, choices: Sequence[str]) -> None:
    """Ask what will happen, before it happens.

    Args:
        question: one sentence.
        choices: two or more short answers; three is best.
    """
    prediction = Prediction(question, choices)
    listed = " / ".join(prediction.choices)
    put(prediction.widget, alt=f"{question}  [{listed}]")
