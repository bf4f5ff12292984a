"""Time zones on hosts without a time zone database, or with one that knows more than the program does."""

import json

import pytest


@pytest.fixture
def zoneinfo(tmp_path):
    """A folder with one zone, of which no list knows."""
    zone = tmp_path / "zoneinfo" / "Atlantis" / "Poseidonis"
    zone.parent.mkdir(parents=True)
    zone.write_bytes(b"TZif2 and what follows")
    return tmp_path / "zoneinfo"


def patched(cgi, tokens, user, zone, folder):
    answer = cgi.patch(tokens.bearer(user), {"timezone": zone}, ME_PROFILE_ZONEINFO=str(folder))
    return answer.json["timezone"] if answer.status == 200 else answer.status


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Calcutta", "US/Pacific"])
def test_without_a_database_the_zones_that_are_built_in_are_taken(cgi, tokens, user, tmp_path, zone):
    assert patched(cgi, tokens, user, zone, tmp_path / "nowhere") == zone


@pytest.mark.parametrize("zone", ["Atlantis/Poseidonis", "europe/berlin", "../zoneinfo/UTC"])
def test_without_a_database_no_other_zone_is_taken(cgi, tokens, user, tmp_path, zone):
    assert patched(cgi, tokens, user, zone, tmp_path / "nowhere") == 422


def test_a_zone_of_the_database_alone_is_taken(cgi, tokens, user, zoneinfo):
    assert patched(cgi, tokens, user, "Atlantis/Poseidonis", zoneinfo) == "Atlantis/Poseidonis"
    assert patched(cgi, tokens, user, "atlantis/Poseidonis", zoneinfo) == 422
    assert patched(cgi, tokens, user, "Asia/Calcutta", zoneinfo) == "Asia/Calcutta"


def test_a_worker_knows_a_new_zone_without_a_restart(start_worker, tokens, user, zoneinfo):
    worker = start_worker(ME_PROFILE_ZONEINFO=str(zoneinfo))
    change = {"timezone": "Atlantis/New_Town"}
    assert worker.patch(tokens.bearer(user), change).status == 422
    (zoneinfo / "Atlantis" / "New_Town").symlink_to("Poseidonis")
    assert worker.patch(tokens.bearer(user), change).json["timezone"] == "Atlantis/New_Town"
    (zoneinfo / "Atlantis" / "New_Town").unlink()
    assert worker.patch(tokens.bearer(user), change).status == 422


def found(mectl, folder):
    """What mectl config check finds about locales and time zones; its exit status is 0."""
    done = mectl("config", "check", "--offline", "--json", ME_PROFILE_ZONEINFO=str(folder))
    return {row["what"]: (row["finding"], row["detail"]) for row in json.loads(done.stdout)}


def test_config_check_tells_how_old_the_lists_are(mectl, zoneinfo):
    findings = found(mectl, zoneinfo)
    assert findings["locale"][0] == "good" and "IANA registry of 20" in findings["locale"][1]
    assert findings["timezone"][0] == "good" and str(zoneinfo) in findings["timezone"][1]
    assert "release 20" in findings["timezone"][1]


def test_config_check_warns_of_a_missing_database_and_says_what_to_do(mectl, tmp_path):
    finding, detail = found(mectl, tmp_path / "nowhere")["timezone"]
    assert finding == "warning" and str(tmp_path / "nowhere") in detail and "apt-get install tzdata" in detail
