"""Issuers that run on Node: token libraries, and an OpenID provider."""

import base64
import json
import shutil
import ssl
import subprocess
import tempfile
import urllib.parse
import urllib.request
from pathlib import Path

from support.paths import SOURCE, clean_environment

SCRIPTS = SOURCE / "tests" / "issuers"
INSTALLED = SOURCE / "build" / "issuers"


def script(name: str) -> Path:
    """A copy beside the packages, which is where Node looks for them."""
    if not (INSTALLED / "node_modules").is_dir():
        raise RuntimeError(f"{INSTALLED}/node_modules is missing: scripts/test --only issuers installs it")
    return Path(shutil.copy(SCRIPTS / name, INSTALLED / name))


def node(name: str, task: dict):
    """What the script answers to the task."""
    done = subprocess.run(["node", str(script(name))], input=json.dumps(task), capture_output=True, text=True,
                          check=False, timeout=60, env=clean_environment())
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


class Provider:
    """A running oidc-provider with one client, whose tokens are for the user of the same id."""

    def __init__(self, authority, keys, client, audience, lifetime_s=300):
        self.client, self.audience = client, audience
        self.secret = "a secret of the client, 32 bytes"
        certificate, certificate_key = authority.certify()
        self.context = ssl.create_default_context(cafile=authority.file)
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            ["node", str(script("provider.mjs"))], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self.log, text=True, env=clean_environment())
        self.url = self._tell({
            "certificate": str(certificate), "key": str(certificate_key), "keys": [key.private_jwk() for key in keys],
            "client": client, "secret": self.secret, "audience": audience, "lifetime": lifetime_s})["url"]

    def _tell(self, message: dict) -> dict:
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"the provider has ended: {self._logged()}"
        return json.loads(line)

    def _logged(self) -> str:
        self.log.seek(0)
        return self.log.read()

    def rotate(self, *keys):
        """Lists these from now on, and signs with the first."""
        assert self._tell({"keys": [key.private_jwk() for key in keys]})["keys"] == [key.kid for key in keys]

    def token(self) -> str:
        """By the grant client_credentials (RFC 6749, section 4.4), for the audience (RFC 8707)."""
        credentials = base64.b64encode(f"{self.client}:{urllib.parse.quote_plus(self.secret)}".encode()).decode()
        request = urllib.request.Request(
            self.url + "/token", headers={"Authorization": f"Basic {credentials}"},
            data=urllib.parse.urlencode({"grant_type": "client_credentials", "resource": self.audience}).encode())
        with urllib.request.urlopen(request, context=self.context, timeout=30) as answer:
            return json.loads(answer.read())["access_token"]

    def stop(self):
        """It ends with its input."""
        self.process.communicate(timeout=10)
        logged = self._logged()
        self.log.close()
        assert self.process.returncode == 0, logged
