"""An issuer's signing keys, as PEM for signing and as JWK for publishing."""

import base64
import hashlib
import json

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


def base64url_of_number(number: int) -> str:
    data = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class SigningKey:
    """An RSA key with a kid."""

    def __init__(self, kid, bits=2048):
        self.kid = kid
        self.private = rsa.generate_private_key(public_exponent=65537, key_size=bits)

    @property
    def pem(self) -> str:
        return self.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()

    def jwk(self, **changes) -> dict:
        """The public key; a member changed to None is left out."""
        numbers = self.private.public_key().public_numbers()
        jwk = {
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid,
            "n": base64url_of_number(numbers.n), "e": base64url_of_number(numbers.e), **changes,
        }
        return {name: value for name, value in jwk.items() if value is not None}

    def private_jwk(self) -> dict:
        """With all that only the issuer may know."""
        numbers = self.private.private_numbers()
        secret = {"d": numbers.d, "p": numbers.p, "q": numbers.q, "dp": numbers.dmp1, "dq": numbers.dmq1,
                  "qi": numbers.iqmp}
        return {**self.jwk(), **{name: base64url_of_number(number) for name, number in secret.items()}}

    def thumbprint(self) -> str:
        """RFC 7638, section 3."""
        jwk = self.jwk()
        text = json.dumps({name: jwk[name] for name in ("e", "kty", "n")}, separators=(",", ":"))
        return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def jwks(*keys) -> bytes:
    """A JWK Set of keys and of JWKs."""
    return json.dumps({"keys": [key.jwk() if isinstance(key, SigningKey) else key for key in keys]}).encode()
