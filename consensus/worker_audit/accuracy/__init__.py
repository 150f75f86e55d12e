"""How accurate each worker is, of which kind, worth what; and the verdict."""
