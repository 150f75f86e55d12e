"""Other machines: results are pushed to a URL, and a Label Studio server is read from and written to."""
