"""Sealing: AES-256-GCM under a subject's key, with an HMAC of the plain text to compare by."""

import base64
import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hourbook_contracts.sealed import Sealed

KEY_BYTES = 64
"""32 for the cipher, 32 for the digest."""
_NONCE_BYTES = 12


class TamperedError(Exception):
    """A sealed value does not open under its own key: it was changed, or belongs to another field."""


def new_key() -> bytes:
    return os.urandom(KEY_BYTES)


def seal(text: str, *, key: bytes, subject: str, field: str) -> Sealed:
    nonce = os.urandom(_NONCE_BYTES)
    ciphertext = AESGCM(key[:32]).encrypt(nonce, text.encode(), _bound_to(subject, field))
    return Sealed(
        key_id=subject,
        nonce=_text(nonce),
        ciphertext=_text(ciphertext),
        digest=digest(text, key=key, field=field),
    )


def digest(text: str, *, key: bytes, field: str) -> str:
    """By which sealed values are compared without opening them."""
    return _text(hmac.new(key[32:], f"{field}\0{text}".encode(), hashlib.sha256).digest())


def unseal(sealed: Sealed, *, key: bytes, field: str) -> str:
    """The text; raises `TamperedError`. Never log what this gives."""
    try:
        opened = AESGCM(key[:32]).decrypt(
            base64.b64decode(sealed.nonce),
            base64.b64decode(sealed.ciphertext),
            _bound_to(sealed.key_id, field),
        )
    except (InvalidTag, ValueError) as error:
        raise TamperedError(f"{field} of {sealed.key_id}") from error
    return opened.decode()


def _bound_to(subject: str, field: str) -> bytes:
    return f"{subject}|{field}".encode()


def _text(octets: bytes) -> str:
    return base64.b64encode(octets).decode()
