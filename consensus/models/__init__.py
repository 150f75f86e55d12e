"""Models: judgments in, a consensus out. Every model has ``fit(judgments, config, *, gold, backend, **settings)``."""
