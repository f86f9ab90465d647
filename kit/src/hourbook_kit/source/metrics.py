"""Every number the reading of sources counts, with its sentence."""

from prometheus_client import Counter, Histogram

REQUESTS = Counter("hourbook_reread_requests", "Requests to read a ticket again by reason", ["why"])
READINGS = Counter("hourbook_ticket_readings", "Tickets read again by outcome", ["outcome"])
READING_SECONDS = Histogram("hourbook_ticket_reading_seconds", "From the number to the outbox")
FACTS = Counter("hourbook_ingest_facts", "Facts put on the ledger by type", ["type"])
PULLS = Counter("hourbook_zammad_pulls", "Polls and sweeps that ended", ["kind"])
PARKED = Counter("hourbook_parked_messages", "Inbox messages nobody could act on")
