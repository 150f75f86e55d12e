"""The run: everything that is known is read once, everything that is found is made once, and all rooms use it."""

from consensus.runs.findings import Findings, run
from consensus.runs.inputs import Inputs, SideInputs
from consensus.runs.listening import SILENT, Listener

__all__ = ["SILENT", "Findings", "Inputs", "Listener", "SideInputs", "run"]
