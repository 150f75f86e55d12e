"""Files and frames to judgments, gold, costs, votes of models, workers to ask, earlier output; and tables to files."""

from consensus.formats.costs import read_costs
from consensus.formats.earlier import read_previous
from consensus.formats.model_votes import read_model_votes
from consensus.formats.pools import read_workers
from consensus.formats.reading import columns_of, read, read_gold

__all__ = ["columns_of", "read", "read_costs", "read_gold", "read_model_votes", "read_previous", "read_workers"]
