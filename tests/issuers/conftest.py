"""What the tests with issuers of others share."""

import pytest

from support.fetcher import Trust
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


@pytest.fixture
def trusting(provider, authority):
    """The changes to me.conf that make it such a one; they name the file of keys by its name alone."""
    return {"token__secret_file": None, "token__public_key_file": None, "token__jwks_file": "jwks.json",
            "token__issuer": provider.url, "keys__ca": authority.file}


@pytest.fixture
def trust(installation, trusting, tmp_path):
    file = tmp_path / "jwks.json"
    return Trust(installation.write_conf(f"{tmp_path.name}.conf", **{**trusting, "token__jwks_file": file}), file)
