"""The question by which a worker tells what it is, to those who know the secret of doctor.secret_file."""

import base64
import hashlib
import hmac
import os
import time

HEADER = "X-Me-Doctor"


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def digest(secret: str, purpose: str, text: str) -> bytes:
    return hmac.new(secret.encode(), f"me-fcgi {purpose}\n{text}".encode(), hashlib.sha256).digest()


def question(secret: str, age_s=0, nonce=None) -> dict:
    """The header with a question."""
    signed = f"{int(time.time()) - age_s}.{nonce or encoded(os.urandom(16))}"
    return {HEADER: f"{signed}.{encoded(digest(secret, 'question', signed))}"}
