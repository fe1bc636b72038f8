"""Things to turn and to click, one module each: sliders for a town, questions before an experiment, …

Only what ipywidgets 7.7 (Colab) and 8 share is used; every widget works by keyboard and says in words
what it shows.  Pointing by mouse comes on top where anywidget is installed.
"""

from p2plib.widgets.explorer import OutputExplorer
from p2plib.widgets.field import FieldChooser
from p2plib.widgets.mix import MixExplorer
from p2plib.widgets.monitor import Monitor
from p2plib.widgets.predict import predict
from p2plib.widgets.shapes import ShapeTracer
from p2plib.widgets.slopes import SlopePlot
from p2plib.widgets.town import TownExplorer, choose_city

__all__ = [
    "FieldChooser",
    "MixExplorer",
    "Monitor",
    "OutputExplorer",
    "ShapeTracer",
    "SlopePlot",
    "TownExplorer",
    "choose_city",
    "predict",
]
