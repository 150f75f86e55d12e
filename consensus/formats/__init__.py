"""Files and frames to judgments, gold, costs and votes of models, and tables to files."""

from consensus.formats.costs import read_costs
from consensus.formats.model_votes import read_model_votes
from consensus.formats.reading import columns_of, read, read_gold

__all__ = ["columns_of", "read", "read_costs", "read_gold", "read_model_votes"]
