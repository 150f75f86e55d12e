"""A state on disk: judgments that were read and coded once, and what the last fit found; new ones are added to it."""

from consensus.state.state import Appended, State, Updated

__all__ = ["Appended", "State", "Updated"]
