"""What the tests with issuers of others share."""

import pytest

from support.fetcher import run_fetch
from support.installation import AUDIENCE
from support.issuer import Authority
from support.keys import SigningKey
from support.node import Provider


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def keys():
    return {kid: SigningKey(kid) for kid in ("old", "new")}


@pytest.fixture
def provider(authority, keys, users):
    """An OpenID provider that signs with its old key, for one user."""
    user = users.add()
    provider = Provider(authority, [keys["old"]], user.id, AUDIENCE)
    yield provider
    provider.stop()


class Trust:
    """A me.conf that trusts the keys of a provider, and of nobody else."""

    def __init__(self, installation, provider, authority, folder):
        self.file = folder / "jwks.json"
        self.conf = installation.write_conf(
            f"{folder.name}.conf", token__secret_file=None, token__public_key_file=None, token__jwks_file=self.file,
            token__issuer=provider.url, keys__ca=authority.file)

    def fetch(self, *arguments) -> dict:
        return run_fetch(self.conf, *arguments)


@pytest.fixture
def trust(installation, provider, authority, tmp_path):
    return Trust(installation, provider, authority, tmp_path)
