"""Back to the platforms: what to ask for, and what was found, in files that a platform takes. One module a platform."""

from consensus.requeue.files import PLATFORMS, REPORTS, Sent, export, requeue, settle

__all__ = ["PLATFORMS", "REPORTS", "Sent", "export", "requeue", "settle"]
