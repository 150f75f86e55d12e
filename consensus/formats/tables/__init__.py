"""Tables as files and frames: CSV, JSON lines, Parquet, data frames; to columns of text by role."""
