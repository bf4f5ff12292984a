"""Several processes at once on one user."""

from support.together import at_once

VALUES = {
    "name": "Grace Hopper", "bio": "together", "avatarUrl": "https://example.com/x", "locale": "en-GB",
    "timezone": "Europe/Amsterdam",
}


def test_patches_of_different_members_lose_nothing(cgi, tokens, users):
    for _ in range(3):
        user = users.add()
        bearer = tokens.bearer(user)
        answers = at_once([
            lambda member=member, value=value: cgi.patch(bearer, {member: value})
            for member, value in VALUES.items()
        ])
        assert [answer.status for answer in answers] == [200] * len(VALUES)
        shown = cgi.get(bearer).json
        assert {member: shown[member] for member in VALUES} == VALUES


def test_of_several_patches_of_one_state_exactly_one_succeeds(cgi, tokens, users):
    for _ in range(2):
        user = users.add()
        bearer = tokens.bearer(user)
        headers = {**bearer, "If-Match": cgi.get(bearer).etag}
        answers = at_once([lambda n=n: cgi.patch(headers, {"bio": f"by {n}"}) for n in range(8)])
        assert sorted(answer.status for answer in answers) == [200] + [412] * 7
        winner = next(answer for answer in answers if answer.status == 200)
        assert cgi.get(bearer).body == winner.body


def test_a_reader_sees_whole_patches(cgi, tokens, users):
    """Both members of a patch are changed, or neither is."""
    user = users.add("state 0", bio="state 0")
    bearer = tokens.bearer(user)

    def write():
        return [cgi.patch(bearer, {"name": f"state {n}", "bio": f"state {n}"}).status for n in range(1, 9)]

    def read():
        return [(answer["name"], answer["bio"]) for answer in (cgi.get(bearer).json for _ in range(16))]

    written, *reads = at_once([write, read])
    assert written == [200] * 8
    assert all(name == bio for name, bio in reads[0])


def test_updated_at_of_concurrent_patches_is_never_the_same(cgi, tokens, users):
    user = users.add()
    bearer = tokens.bearer(user)
    answers = at_once([lambda n=n: cgi.patch(bearer, {"bio": f"{n}"}) for n in range(6)])
    assert len({answer.json["updatedAt"] for answer in answers}) == 6
