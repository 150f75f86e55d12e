"""Files and frames to judgments, gold and votes of models, and tables to files."""

from consensus.formats.model_votes import read_model_votes
from consensus.formats.reading import read, read_gold

__all__ = ["read", "read_gold", "read_model_votes"]
