"""Pictures in chunks: one label map from many masks, and the chunks that are worth a click."""

from consensus.chunks.answering import answers
from consensus.chunks.cuts import make
from consensus.chunks.evaluating import Evaluated, evaluate
from consensus.chunks.folder import load, save
from consensus.chunks.whole_run import ChunkRun, run

__all__ = ["ChunkRun", "Evaluated", "answers", "evaluate", "load", "make", "run", "save"]
