"""Pictures in chunks: one label map from many masks, and the chunks that are worth a click."""
