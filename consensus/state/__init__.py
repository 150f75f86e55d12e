"""A state on disk: judgments that were read and coded once, and what the last fit found; new ones are added to it."""

from consensus.state.results import Appended, Updated
from consensus.state.state import State
from consensus.state.streams import Stream

__all__ = ["Appended", "State", "Stream", "Updated"]
