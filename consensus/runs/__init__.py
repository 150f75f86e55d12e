"""The run: everything that is known is read once, everything that is found is made once, and all rooms use it."""

from consensus.runs.checking import Check, check
from consensus.runs.earlier_runs import Evaluation, diff, evaluate, load
from consensus.runs.fitting import fit
from consensus.runs.listening import SILENT, Listener
from consensus.runs.questions import Questions, run_by
from consensus.runs.run_inputs import Inputs, SideInputs
from consensus.runs.whole_run import Run, run

__all__ = [
    "SILENT",
    "Check",
    "Evaluation",
    "Inputs",
    "Listener",
    "Questions",
    "Run",
    "SideInputs",
    "check",
    "diff",
    "evaluate",
    "fit",
    "load",
    "run",
    "run_by",
]
