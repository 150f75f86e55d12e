"""Why an item has its label: what everybody who judged it, and all that is known besides, does to its odds."""

from consensus.explanation.explained import Explanation, Push, Say
from consensus.explanation.taking_apart import explain, of_item

__all__ = ["Explanation", "Push", "Say", "explain", "of_item"]
