"""A state on HTTP: judgments come in, and a router asks what is next. It needs the extra ``serve``."""
