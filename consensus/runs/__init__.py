"""The run: everything that is known is read once, everything that is found is made once, and all rooms use it."""

from consensus.runs.checking import Check, check
from consensus.runs.listening import SILENT, Listener
from consensus.runs.questions import Questions, run_by
from consensus.runs.run_inputs import Inputs, SideInputs
from consensus.runs.whole_run import Run, run

__all__ = ["SILENT", "Check", "Inputs", "Listener", "Questions", "Run", "SideInputs", "check", "run", "run_by"]
