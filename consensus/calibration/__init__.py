"""Confidence that gold has checked: how log odds are scaled so that they say what they mean."""
