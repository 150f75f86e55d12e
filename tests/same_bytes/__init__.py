"""The same judgments give the same bytes, however they are written, ordered, split and run."""
