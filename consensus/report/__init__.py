"""The output folder: all tables and the summary of a run, written whole or not at all."""
