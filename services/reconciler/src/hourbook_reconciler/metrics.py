"""What this service counts, each with its sentence."""

from prometheus_client import Counter, Gauge, Histogram

MESSAGES = Counter("hourbook_reconciler_messages", "Ledger messages applied")
PROPOSALS = Counter("hourbook_reconciler_proposals", "Decisions written into the outbox")
QUARANTINED = Counter(
    "hourbook_reconciler_quarantined", "Records that could not be folded, or wait"
)
BATCH_SECONDS = Histogram(
    "hourbook_reconciler_batch_seconds",
    "One transaction: fold, decide, store",
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
LAG = Gauge(
    "hourbook_reconciler_lag_messages", "Ledger messages that our partitions hold beyond our place"
)
