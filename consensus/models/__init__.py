"""Models: judgments in, a consensus out. ``fit`` prepares the inputs and calls the model that the settings name."""

from consensus.models.base import fit

__all__ = ["fit"]
