"""A state on HTTP."""
