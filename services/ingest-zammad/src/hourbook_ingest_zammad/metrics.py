"""Every number this service counts beside those of the kit, with its sentence."""

from prometheus_client import Counter

DELIVERIES = Counter("hourbook_webhook_deliveries", "Webhook deliveries by answer", ["status"])
CALLS = Counter("hourbook_zammad_calls", "Calls of Zammad's API by status", ["status"])
