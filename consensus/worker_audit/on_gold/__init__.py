"""Gold: how workers do on it, whether it is in order, what could become gold, whom to test with it."""
