"""Files and frames to judgments and gold, and tables to files."""

from consensus.formats.reading import read, read_gold
from consensus.formats.reading import read_gold as read_model_votes  # until it exists

__all__ = ["read", "read_gold", "read_model_votes"]
