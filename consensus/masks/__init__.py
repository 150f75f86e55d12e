"""Masks of pictures, as people and models painted them: label maps of one class table, read picture by picture."""
