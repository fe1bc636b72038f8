"""Things to turn and to click, one module each: sliders for a town, questions before an experiment, …

Only what ipywidgets 7.7 (Colab) and 8 share is used; every widget works by keyboard and says in words
what it shows.
"""

from p2plib.widgets.mix import MixExplorer
from p2plib.widgets.predict import predict
from p2plib.widgets.shapes import ShapeTracer
from p2plib.widgets.town import TownExplorer, choose_city

__all__ = ["MixExplorer", "ShapeTracer", "TownExplorer", "choose_city", "predict"]
