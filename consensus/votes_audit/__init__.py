"""Rating the models that vote: how right each is, and what its votes are worth."""
