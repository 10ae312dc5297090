"""What is kept so that a copy of the database does not give it away: account numbers, and files that hold them.

Fernet (AES-128-CBC with HMAC-SHA256) by `settings.PAYEE_KEYS`: the first key seals, every key opens, so a new key is put
in front and `manage.py reseal_accounts` writes everything with it. Without keys one is derived from SECRET_KEY.
"""

import base64
import zlib
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.crypto import salted_hmac


@lru_cache(maxsize=4)
def _fernet(keys: tuple[str, ...], secret: str) -> MultiFernet:
    if keys:
        return MultiFernet([Fernet(key) for key in keys])
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"payouts.sealing").derive(secret.encode())
    return MultiFernet([Fernet(base64.urlsafe_b64encode(derived))])


def _keys() -> MultiFernet:
    return _fernet(tuple(settings.PAYEE_KEYS), settings.SECRET_KEY)


def seal(text: str) -> str:
    return _keys().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    return _opened(sealed.encode()).decode()


def seal_file(content: bytes) -> bytes:
    return _keys().encrypt(zlib.compress(content))


def unseal_file(sealed: bytes) -> bytes:
    return zlib.decompress(_opened(sealed))


def reseal(sealed: bytes) -> bytes:
    """The same content under the first key, whichever sealed it."""
    return _keys().rotate(sealed)


def _opened(sealed: bytes) -> bytes:
    try:
        return _keys().decrypt(sealed)
    except InvalidToken:
        raise ImproperlyConfigured(
            "Something sealed cannot be opened: the key that sealed it is not in PAYEE_KEYS (without PAYEE_KEYS:"
            " SECRET_KEY changed). Put the old key back, behind the new one."
        ) from None


def fingerprint(number: str) -> str:
    """The same for the same account number, and useless to find the number: for seeing that two payees share one."""
    return salted_hmac("payouts.account", number, algorithm="sha256").hexdigest()
