"""
Tokens and JWKs as the vectors have them, to be read by people: tests/unit/template.h says what stands for what, and
tests/unit/template.c does the same for the unit tests.
"""

import base64
import hashlib
import hmac
import re

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

from support.paths import SOURCE
from support.tokens import base64url

SECRET = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"  # RFC 7515, A.1.1
ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_ESCAPES = {b"t": b"\t", b"n": b"\n", b"r": b"\r"}


def vectors(name: str) -> list:
    """The rows of a file of tests/vectors: the fields of each, as bytes."""
    lines = (SOURCE / "tests" / "vectors" / name).read_bytes().split(b"\n")
    return [[_unescape(field) for field in line.split(b"\t")] for line in lines if line and line[:1] != b"#"]


def _unescape(field: bytes) -> bytes:
    return re.sub(
        rb"\\(x[0-9a-f]{2}|.)",
        lambda found: bytes.fromhex(found[1][1:].decode()) if len(found[1]) == 3 else _ESCAPES.get(found[1], found[1]),
        field, flags=re.DOTALL,
    )


def expand(template: bytes) -> bytes:
    """What the template stands for."""
    done = b""
    for text, key, change, value, other in re.findall(
            rb"<([^>]*)>|@([a-z0-9-]+)(?:/([a-z0-9-]+))?|\$([a-z0-9-]+)|([^<@$])", template, flags=re.DOTALL):
        if key:
            done += _signature(key.decode(), change.decode(), done[:-1])
        elif value:
            done += base64url(_value(value.decode())).encode()
        else:
            done += other or base64url(text).encode()
    return done


def _pair(name: str):
    return serialization.load_pem_private_key((SOURCE / "tests" / "vectors" / f"{name}.pem").read_bytes(), None)


def _public(encoding) -> bytes:
    return _pair("rfc7515").public_key().public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)


def _modulus(name: str) -> bytes:
    return _pair(name).public_key().public_numbers().n.to_bytes(256, "big")


def _secret() -> bytes:
    return base64.urlsafe_b64decode(SECRET + "==")


OTHER_SECRET = b"another secret of at least 32 bytes"
SECRETS = {
    "secret": _secret,
    "other-secret": lambda: OTHER_SECRET,
    "empty": lambda: b"",
    # what a forger knows of the RSA key
    "pem": lambda: _public(serialization.Encoding.PEM),
    "der": lambda: _public(serialization.Encoding.DER),
    "modulus": lambda: _modulus("rfc7515"),
    "n": lambda: base64url(_modulus("rfc7515")).encode(),
}
PAIRS = {"rsa": "rfc7515", "other-rsa": "rfc7520"}
CHANGES = {
    "": lambda b: b,
    "cut": lambda b: b[:-1],
    "zero-behind": lambda b: b + b"\0",
    "zero-before": lambda b: b"\0" + b,
    "first-bit": lambda b: bytes([b[0] ^ 0x80]) + b[1:],
    "last-bit": lambda b: b[:-1] + bytes([b[-1] ^ 1]),
    "twice": lambda b: b + b,
    "ones": lambda b: b"\xff" * len(b),
    "zeros": lambda b: bytes(len(b)),
}
VALUES = {
    "k": _secret,
    "other-k": lambda: OTHER_SECRET,
    "n": lambda: _modulus("rfc7515"),
    "other-n": lambda: _modulus("rfc7520"),
}
NUMBERED = {
    "zeros-n": lambda count: bytes(count) + _modulus("rfc7515"),
    "odd": lambda bits: (2 ** (bits - 1) + 3).to_bytes((bits + 7) // 8, "big"),
    "even": lambda bits: (2 ** (bits - 1) + 2).to_bytes((bits + 7) // 8, "big"),
    "bytes": lambda count: b"b" * count,
}


def _signature(key: str, change: str, signed: bytes) -> bytes:
    if key in PAIRS:
        made = _pair(PAIRS[key]).sign(signed, padding.PKCS1v15(), hashes.SHA256())
    else:
        made = hmac.new(SECRETS[key](), signed, hashlib.sha256).digest()
    if change != "spare-bit":
        return base64url(CHANGES[change](made)).encode()
    text = base64url(made).encode()
    return text[:-1] + ALPHABET[ALPHABET.index(text[-1]) | 1:][:1]


def _value(name: str) -> bytes:
    if name in VALUES:
        return VALUES[name]()
    kind, _, number = name.rpartition("-")
    return NUMBERED[kind](int(number))
