"""Files and frames to judgments, gold, costs, votes of models, workers to ask, earlier output; and tables to files."""

from consensus.formats.costs_table import read_costs
from consensus.formats.earlier_output import read_previous
from consensus.formats.opening import columns_of
from consensus.formats.pool_table import read_workers
from consensus.formats.reading import read, read_gold
from consensus.formats.votes_table import read_model_votes

__all__ = ["columns_of", "read", "read_costs", "read_gold", "read_model_votes", "read_previous", "read_workers"]
