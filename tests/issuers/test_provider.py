"""A running OpenID provider: its discovery document leads to its keys, its access tokens are taken."""

import jwt


def bearer(token) -> dict:
    return {"Authorization": f"Bearer {token}"}


def test_a_token_of_the_provider_reads_its_users_profile(cgi, provider, trust):
    assert trust.fetch()["listed"] == 1
    token = provider.token()
    assert jwt.get_unverified_header(token) == {"alg": "RS256", "typ": "at+jwt", "kid": "old"}
    answer = cgi.get(bearer(token), ME_CONF=str(trust.conf))
    assert answer.status == 200 and answer.json["id"] == provider.client, answer


def test_a_token_changes_the_profile(cgi, provider, trust):
    trust.fetch()
    answer = cgi.patch(bearer(provider.token()), {"name": "By a provider's token"}, ME_CONF=str(trust.conf))
    assert answer.status == 200 and answer.json["name"] == "By a provider's token", answer


def test_a_key_that_the_provider_adds_is_fetched(cgi, provider, trust, keys):
    trust.fetch()
    provider.rotate(keys["new"], keys["old"])
    token = provider.token()
    assert jwt.get_unverified_header(token)["kid"] == "new"
    answer = cgi.get(bearer(token), ME_CONF=str(trust.conf))
    assert answer.status == 401 and answer.events()[-1]["reason"] == "no_key", answer
    assert trust.fetch()["added"] == 1
    assert cgi.get(bearer(token), ME_CONF=str(trust.conf)).status == 200


def test_the_tokens_of_another_provider_are_not_taken(cgi, provider, trust, tokens, keys, users):
    """Its keys are not ours, whatever it says of itself."""
    trust.fetch()
    forged = tokens.mint(provider.client, algorithm="RS256", key=keys["new"].pem, headers={"kid": "old"}, iss=provider.url)
    answer = cgi.get(bearer(forged), ME_CONF=str(trust.conf))
    assert answer.status == 401 and answer.events()[-1]["reason"] == "bad_signature", answer
