"""Why an item has its label: what everybody who judged it, and all that is known besides, does to its odds."""

from consensus.explanation.explained import Explanation, Push, Say
from consensus.explanation.taking_apart import MOST_COMPARED, explain, of_item

__all__ = ["MOST_COMPARED", "Explanation", "Push", "Say", "explain", "of_item"]
