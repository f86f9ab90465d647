"""Personal text on a topic: readable with a key that can be destroyed, comparable without reading it."""

from hourbook_contracts.message import Value


class Sealed(Value):
    """Text under the key of a subject: a ticket's text under the ticket's, a comment under its author's.

    All four are text: `nonce`, `ciphertext` and `digest` in base64. The cipher is AES-256-GCM with the
    key's id and the field's name as associated data; the digest is an HMAC-SHA-256 of the plain text
    under the same key, by which two sealed values are compared. When the key is destroyed, the text is
    erased and everything still folds.
    """

    key_id: str
    nonce: str
    ciphertext: str
    digest: str

    def same_text(self, other: "Sealed | None") -> bool:
        """Whether both hold the same text, without opening either (same subject only)."""
        return other is not None and (self.key_id, self.digest) == (other.key_id, other.digest)
