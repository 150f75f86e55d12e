"""Files and frames to judgments and gold, and tables to files."""

from consensus.formats.reading import read, read_gold

__all__ = ["read", "read_gold"]
