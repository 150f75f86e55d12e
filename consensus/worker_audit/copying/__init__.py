"""Who copies from whom, and what their judgments are worth together."""
