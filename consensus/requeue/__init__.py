"""Back to the platforms: what to ask for, and what was found, in files that a platform takes. One module a platform."""

from consensus.requeue.files import PLATFORMS, Sent, export, requeue, settle

__all__ = ["PLATFORMS", "Sent", "export", "requeue", "settle"]
