"""Login tokens, minted by a JWT library that is not the tested one, or forged by hand."""

import base64
import hashlib
import hmac
import json
import time
from functools import lru_cache

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_private_key


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def as_json(value) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


@lru_cache(maxsize=64)
def loaded(pem: str):
    """A private key: what reads one checks it, which takes many times as long as to sign by it."""
    return load_pem_private_key(pem.encode(), None)


class Tokens:
    """Mints what the configured issuer would; every part of it can be made wrong."""

    def __init__(self, secret: str, private_pem: str, public_pem: str, issuer: str, audience: str):
        self.secret = secret
        self.private_pem = private_pem
        self.public_pem = public_pem
        self.issuer = issuer
        self.audience = audience

    def claims(self, sub, **changes) -> dict:
        """Good claims for an hour with the changes made; a claim changed to None is left out."""
        now = int(time.time())
        claims = {
            "iss": self.issuer, "aud": self.audience, "sub": str(sub),
            "iat": now, "exp": now + 3600, **changes,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def mint(self, sub, *, algorithm="HS256", headers=None, key=None, **changes) -> str:
        """A signed token; `headers` are header parameters that are added."""
        is_rsa = algorithm.startswith("RS")
        if key is None:
            key = self.private_pem if is_rsa else self.secret
        key = loaded(key) if is_rsa else key
        return jwt.encode(self.claims(sub, **changes), key, algorithm=algorithm, headers=headers)

    def forge(self, header, payload, secret=None) -> str:
        """An HMAC over exactly these parts, each bytes or a value to be written as JSON."""
        header, payload = (
            part if isinstance(part, bytes) else as_json(part) for part in (header, payload)
        )
        return self.sign_text(f"{base64url(header)}.{base64url(payload)}", secret)

    def sign_text(self, signed: str, secret=None) -> str:
        secret = self.secret if secret is None else secret
        secret = secret.encode() if isinstance(secret, str) else secret
        return f"{signed}.{base64url(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"

    def bearer(self, sub, **more) -> dict:
        """The request header of a user, for the `headers` of a request."""
        return {"Authorization": f"Bearer {self.mint(sub, **more)}"}
