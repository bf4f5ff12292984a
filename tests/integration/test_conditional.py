"""Entity tags: If-None-Match on reads, If-Match on PATCH (RFC 9110, section 13)."""

import pytest


def lists_with(etag):
    return {
        "the tag": etag,
        "any": "*",
        "first of a list": f'{etag}, "other"',
        "last of a list": f'"other", W/"weak","x",{etag}',
        "blanks around": f'  {etag}\t',
        "a tag with a comma before it": f'"a,b", {etag}',
        "empty items of a list": f', ,{etag},',
    }


def lists_without(etag):
    return {
        "another tag": '"other"',
        "the tag without quotes": etag.strip('"'),
        "a beginning of the tag": etag[:-2] + '"',
        "the tag and more": etag[:-1] + 'x"',
        "inside another tag": f'"x{etag[1:]}',
        "another case": etag.swapcase(),
        "malformed": f'{etag} {etag}',
        "an open quote": etag[:-1],
    }


WITH = list(lists_with('"x"'))
WITHOUT = list(lists_without('"x"'))


@pytest.fixture(scope="module")
def etag(cgi, tokens, reader):
    return cgi.get(tokens.bearer(reader)).etag


# ---- the tag

def test_the_same_representation_has_the_same_tag(cgi, tokens, reader, etag):
    assert cgi.get(tokens.bearer(reader, algorithm="RS256")).etag == etag


def test_another_users_tag_differs(cgi, tokens, users, etag):
    assert cgi.get(tokens.bearer(users.add())).etag != etag


@pytest.mark.parametrize("change", [
    lambda users, user: users.set_column(user, "bio", "new"),
    lambda users, user: users.set_column(user, "status", "pending"),
    lambda users, user: users.add_email(user),
    lambda users, user: users.add_phone(user),
    lambda users, user: users.add_identity(user),
    lambda users, user: users.add_badge(user, "a:b"),
    lambda users, user: users.set_fraud_score(user, 1),
    lambda users, user: users.add_session(user),
], ids=["bio", "status", "email", "phone number", "identity", "badge", "fraud score", "session"])
def test_a_change_of_anything_shown_changes_the_tag(cgi, tokens, users, user, change):
    bearer = tokens.bearer(user)
    before = cgi.get(bearer).etag
    change(users, user)
    assert cgi.get(bearer).etag != before


def test_a_change_and_its_undoing_by_patch_differ_in_updated_at_alone(cgi, tokens, user):
    bearer = tokens.bearer(user)
    before = cgi.get(bearer)
    cgi.patch(bearer, {"bio": "x"})
    after = cgi.patch(bearer, {"bio": None})
    assert after.etag != before.etag
    assert {**after.json, "updatedAt": None} == {**before.json, "updatedAt": None}


# ---- If-None-Match

@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("form", WITH)
def test_a_known_representation_is_not_sent_again(cgi, tokens, reader, etag, method, form):
    answer = cgi(method, headers={**tokens.bearer(reader), "If-None-Match": lists_with(etag)[form]})
    assert answer.status == 304 and answer.etag == etag, answer


def test_if_none_match_compares_weakly(cgi, tokens, reader, etag):
    assert cgi.get({**tokens.bearer(reader), "If-None-Match": f"W/{etag}"}).status == 304


@pytest.mark.parametrize("form", WITHOUT)
def test_another_representation_is_sent(cgi, tokens, reader, etag, form):
    answer = cgi.get({**tokens.bearer(reader), "If-None-Match": lists_without(etag)[form]})
    assert answer.status == 200, answer


def test_not_modified_has_the_header_of_the_representation(cgi, tokens, reader, etag):
    bearer = tokens.bearer(reader)
    full, short = cgi.get(bearer), cgi.get({**bearer, "If-None-Match": etag})
    for name in ("ETag", "Cache-Control", "Vary"):
        assert short.headers[name] == full.headers[name]


def test_after_a_change_the_old_tag_is_worth_nothing(cgi, tokens, user):
    bearer = tokens.bearer(user)
    before = cgi.get(bearer).etag
    cgi.patch(bearer, {"bio": "x"})
    assert cgi.get({**bearer, "If-None-Match": before}).status == 200


def test_a_refused_request_is_not_not_modified(cgi, tokens, users):
    user = users.add(status="banned")
    assert cgi.get({**tokens.bearer(user), "If-None-Match": "*"}).status == 403


# ---- If-Match

@pytest.mark.parametrize("form", WITH)
def test_a_patch_of_the_state_that_the_client_knows(cgi, tokens, user, form):
    bearer = tokens.bearer(user)
    etag = cgi.get(bearer).etag
    answer = cgi.patch({**bearer, "If-Match": lists_with(etag)[form]}, {"bio": "x"})
    assert answer.status == 200 and answer.json["bio"] == "x", answer


@pytest.mark.parametrize("form", [*WITHOUT, "weak"])
def test_a_patch_of_another_state_changes_nothing(cgi, tokens, users, user, form):
    bearer = tokens.bearer(user)
    etag = cgi.get(bearer).etag
    header = {**lists_without(etag), "weak": f"W/{etag}"}[form]
    answer = cgi.patch({**bearer, "If-Match": header}, {"bio": "x"})
    assert (answer.status, answer.code) == (412, "precondition_failed"), answer
    assert users.column(user, "bio") is None


def test_the_tag_that_a_patch_answered_is_good_for_the_next(cgi, tokens, user):
    bearer = tokens.bearer(user)
    etag = cgi.get(bearer).etag
    for number in range(3):
        answer = cgi.patch({**bearer, "If-Match": etag}, {"bio": str(number)})
        assert answer.status == 200, answer
        etag = answer.etag


def test_a_tag_from_before_a_change_of_a_child_row_fails(cgi, tokens, users, user):
    bearer = tokens.bearer(user)
    etag = cgi.get(bearer).etag
    users.add_badge(user, "a:b")
    assert cgi.patch({**bearer, "If-Match": etag}, {"bio": "x"}).status == 412


def test_if_match_holds_for_a_patch_that_changes_nothing(cgi, tokens, user):
    bearer = tokens.bearer(user)
    assert cgi.patch({**bearer, "If-Match": '"other"'}, {}).status == 412
    assert cgi.patch({**bearer, "If-Match": cgi.get(bearer).etag}, {}).status == 200


def test_a_failed_precondition_tells_the_current_tag(cgi, tokens, user):
    bearer = tokens.bearer(user)
    answer = cgi.patch({**bearer, "If-Match": '"other"'}, {"bio": "x"})
    assert answer.status == 412
    assert answer.etag == cgi.get(bearer).etag


@pytest.mark.parametrize("header, why", [
    ('"other"', ""), ("other", ": If-Match is no list of entity tags, each in double quotes"),
    ("{etag} {etag}", ": If-Match is no list of entity tags, each in double quotes"),
    ("W/{etag}", ": in If-Match a weak entity tag (W/) matches nothing"), ('W/"other"', ""),
])
@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_the_message_tells_what_can_never_match(cgi, tokens, reader, etag, method, header, why):
    header = header.format(etag=etag)
    headers = {**tokens.bearer(reader), "If-Match": header, "Content-Type": "application/json"}
    answer = cgi(method, headers=headers, body=b"{}")
    assert answer.status == 412, answer
    assert answer.json["message"] == "The resource is not in the state that the request demands" + why


@pytest.mark.parametrize("form", WITH)
def test_a_patch_of_a_state_that_the_client_has_excluded(cgi, tokens, users, user, form):
    bearer = tokens.bearer(user)
    etag = cgi.get(bearer).etag
    answer = cgi.patch({**bearer, "If-None-Match": lists_with(etag)[form]}, {"bio": "x"})
    assert answer.status == 412 and answer.etag == etag
    assert users.column(user, "bio") is None


# ---- If-Match on reads (RFC 9110, section 13.1.1: for every method)

@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("form", WITH)
def test_a_read_of_the_state_that_the_client_demands(cgi, tokens, reader, etag, method, form):
    assert cgi(method, headers={**tokens.bearer(reader), "If-Match": lists_with(etag)[form]}).status == 200


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("form", [*WITHOUT, "weak"])
def test_a_read_of_another_state_fails(cgi, tokens, reader, etag, method, form):
    header = {**lists_without(etag), "weak": f"W/{etag}"}[form]
    answer = cgi(method, headers={**tokens.bearer(reader), "If-Match": header})
    assert answer.status == 412 and answer.etag == etag


def test_if_match_is_judged_before_if_none_match(cgi, tokens, reader, etag):
    bearer = tokens.bearer(reader)
    assert cgi.get({**bearer, "If-Match": '"other"', "If-None-Match": etag}).status == 412
    assert cgi.get({**bearer, "If-Match": etag, "If-None-Match": etag}).status == 304


# ---- request.require_if_match (RFC 6585, section 3)

REQUIRED = {"ME_REQUEST_REQUIRE_IF_MATCH": "on"}


def test_a_patch_without_if_match_may_be_refused(cgi, tokens, users, user):
    answer = cgi.patch(tokens.bearer(user), {"bio": "x"}, **REQUIRED)
    assert (answer.status, answer.code) == (428, "precondition_required"), answer
    assert users.column(user, "bio") is None


def test_a_patch_with_if_match_is_done_where_it_is_required(cgi, tokens, user):
    bearer = tokens.bearer(user)
    for header in (cgi.get(bearer).etag, "*"):
        assert cgi.patch({**bearer, "If-Match": header}, {"bio": header}, **REQUIRED).status == 200


def test_if_none_match_is_not_enough(cgi, tokens, user):
    headers = {**tokens.bearer(user), "If-None-Match": '"other"'}
    assert cgi.patch(headers, {"bio": "x"}, **REQUIRED).status == 428


def test_a_read_needs_no_if_match(cgi, tokens, user):
    assert cgi.get(tokens.bearer(user), **REQUIRED).status == 200
