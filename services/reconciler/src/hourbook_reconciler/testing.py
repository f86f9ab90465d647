"""A ledger in memory, to test with: gives each message the record that Kafka would hold."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from hourbook_contracts.codec import encode
from hourbook_contracts.ledger import LedgerMessage
from hourbook_reconciler.record import Record


@dataclass
class Ledger:
    """Of several partitions; messages of one book go to one of them."""

    partitions: int = 1
    records: list[Record] = field(default_factory=list)

    def tell(self, *messages: LedgerMessage) -> list[Record]:
        """Append; gives the new records."""
        return [self.append(*encode(message)) for message in messages]

    def append(
        self,
        key: bytes | None,
        value: bytes | None,
        headers: Iterable[tuple[str, bytes]] = (),
    ) -> Record:
        """Append anything, also what no service of ours would write."""
        partition = sum(key or b"") % self.partitions
        offset = sum(record.partition == partition for record in self.records)
        record = Record(partition, offset, key, value, tuple(headers))
        self.records.append(record)
        return record
