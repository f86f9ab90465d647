"""What the agent does with a batch: one transaction, by the newest policy we know."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import structlog
from opentelemetry import trace
from opentelemetry.trace import SpanKind

from hourbook_contracts.topics import LEDGER
from hourbook_kit.control import ControlTail
from hourbook_kit.crash import die
from hourbook_kit.health import Health
from hourbook_kit.telemetry import trace_of
from hourbook_reconciler.metrics import BATCH_SECONDS, MESSAGES, PROPOSALS, QUARANTINED
from hourbook_reconciler.record import GapError, Record
from hourbook_reconciler.session import Session
from hourbook_reconciler.store import Applied, OutdatedPolicyError, apply

log = structlog.get_logger()

LEARNING_SECONDS = 5


class Commit:
    """Applies batches, one at a time; what cannot be applied ends the process."""

    def __init__(
        self, session: Session, tail: ControlTail, health: Health, cluster_id: str
    ) -> None:
        self._session, self._tail, self._health = session, tail, health
        self._cluster_id = cluster_id

    async def __call__(self, records: list[Record]) -> None:
        with _span(records), BATCH_SECONDS.time():
            done = await self._apply(records)
        MESSAGES.inc(done.messages)
        PROPOSALS.inc(done.proposals)
        QUARANTINED.inc(done.quarantined)
        for book in done.halted:
            log.error("book_halted", book=book)

    async def _apply(self, records: list[Record]) -> Applied:
        while True:
            policy = self._tail.installation.policy
            try:
                done = await self._session.run(
                    partial(apply, records=records, policy=policy, cluster_id=self._cluster_id)
                )
            except OutdatedPolicyError as error:
                self._health.hinder("policy", f"Waits to learn policy {error.version}")
                await self._tail.until(error.version - 1, seconds=LEARNING_SECONDS)
            except GapError as error:
                die("a gap in the ledger", error=str(error))
            else:
                self._health.clear("policy")
                return done


@contextmanager
def _span(records: list[Record]) -> Iterator[None]:
    """One span a batch, linked to every message in it."""
    tracer = trace.get_tracer("hourbook")
    with tracer.start_as_current_span(f"process {LEDGER.name}", kind=SpanKind.CONSUMER) as span:
        if span.is_recording():
            for record in records:
                caused = trace.get_current_span(trace_of(record.headers)).get_span_context()
                if caused.is_valid:
                    span.add_link(caused)
        yield
