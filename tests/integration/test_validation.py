"""What the members' values may be; all violations at once, each named."""

import json

import pytest

VALID = {
    "name": [
        "x", "x" * 255, "👍" * 255, " padded ", "a\u00a0b", "王", "O'Brien; DROP TABLE users--", "Zo\u00eb", "Zoe\u0308",
        "\ufeffAda", "\u202eadA", "\ufffe\uffff", "\U0010ffff", "\u1112\u1161\u11ab", "\u200b",
    ],
    "bio": ["", "x" * 4096, "👍" * 4096, "a\tb\nc", "   ", "Zo\u00eb and Zoe\u0308", "\u2028\u2029", "\ud7ff\ue000", '"\\/'],
    "avatarUrl": [
        "http://example.com", "https://example.com/", "HTTPS://EXAMPLE.COM/", "https://example.com:8443/x?y=z#f",
        "https://192.0.2.1/a", "https://[2001:db8::1]/a", "https://example.com/%20", "https://localhost/a",
        "https://example.com/" + "a" * 2028, "https://xn--bcher-kva.example/",
    ],
    "timezone": ["UTC", "Europe/Amsterdam", "Asia/Calcutta", "Asia/Kolkata", "America/Indiana/Knox", "Etc/GMT+12"],
    "locale": [
        "en", "en-GB", "zh-Hant-TW", "de-CH-1901", "sl-rozaj-biske", "es-419", "x-private", "de-DE-u-co-phonebk",
        "zh-yue-HK", "qaa-Qaaa-QM-x-southern", "iw-IL", "de-DD", "i-klingon", "cel-gaulish",
    ],
}
LOCALES = {
    "en-us": "en-US", "EN": "en", "zh-hant-tw": "zh-Hant-TW", "ZH-HANT": "zh-Hant", "DE-ch-1901": "de-CH-1901",
    "ES-419": "es-419", "X-Foo-BAR": "x-foo-bar", "en-US-X-Twain": "en-US-x-twain",
    "de-DE-U-CO-PHONEBK": "de-DE-u-co-phonebk", "SGN-be-FR": "sgn-BE-FR", "en-gb-OED": "en-GB-oed",
    "HY-latn-it-AREVELA": "hy-Latn-IT-arevela",
}
INVALID = {
    "name": {
        "blank": ["", " ", "   ", "\u00a0", "\u3000 \u2003"],
        "too_long": ["x" * 256, "👍" * 256],
        "control_character": ["a\nb", "a\tb", "\t", "a\x7fb", "a\u0085b", "a\x01"],
        "invalid_type": [1, 1.5, True, [], {}, ["x"]],
        "not_nullable": [None],
    },
    "bio": {
        "too_long": ["x" * 4097, "👍" * 4097],
        "control_character": ["a\rb", "a\x01b", "\x1b[31m", "a\u009fb", "\x7f"],
        "invalid_type": [1, False, [], {}],
    },
    "avatarUrl": {
        "invalid_url": [
            "", "x", "example.com", "//example.com/a", "/a", "ftp://example.com/a", "javascript:alert(1)",
            "data:image/png;base64,AA", "https:", "https://", "https:///a", "https://?x", "https://#x", "http:/example.com",
            "https://user@example.com/", "https://user:pw@example.com/", "https://@example.com/",
            "https://example.com/a b", "https://example.com/\u00fc", "https://b\u00fccher.example/",
            "https://example.com/<a>", 'https://example.com/"', "https://example.com/\\", "https://example.com/%2",
            "https://example.com/%zz", "https://example.com:port/", "https://example.com:99999/", "https://[::1/", "https://[::g]/",
            " https://example.com/", "https://example.com/ ", "https://exa mple.com/", "https://example.com/{x}",
            "https://example.com/a\n", "https://example.com#a#b",
        ],
        "too_long": ["https://example.com/" + "a" * 2029],
        "invalid_type": [1, True, [], {}],
    },
    "locale": {
        "invalid_locale": [
            "", "e", "en_US", "en-", "-en", "en--US", "english language", "en-US ", " en", "en-USA1x9toolong", "12", "en-a",
            "en-u", "en-US-US", "de-1901-1901", "en-a-bbb-a-ccc", "a-en", "x-", "x", "en-x", "é", "en\n",
            "xx", "eng", "root", "en-UK", "en-Abcd", "en-cmn", "zh-cmn-yue", "de-1999", "i-unknown", "zh-min-nan-TW",
        ],
        "invalid_type": [1, True, [], {}],
    },
    "timezone": {
        "invalid_timezone": [
            "", "europe/amsterdam", "Europe/amsterdam", "EUROPE/AMSTERDAM", "Europe", "Europe/", "Europe/Nowhere", "/etc/passwd",
            "/usr/share/zoneinfo/UTC", "../zoneinfo/UTC", "./UTC", "Europe/../UTC", "Europe//Amsterdam", "UTC ", " UTC", "utc",
            "zone.tab", "tzdata.zi", "posix/UTC", "right/UTC", "posixrules", "localtime", "leapseconds", "+02:00", "UTC+2",
            "UTC\n", "Europe/Amsterdam/", "iso3166.tab", "a" * 300,
        ],
        "invalid_type": [2, True, [], {}],
    },
}
READ_ONLY = {
    "id": "8c1e0a4e-7d2b-4b63-9d5a-2f0f6d1c0e11", "status": "active", "activeSessions": 1,
    "createdAt": "2025-07-03T02:14:22.094Z", "updatedAt": "2025-07-03T02:14:22.094Z", "emails": [],
    "defaultEmail": "a@example.com", "identities": [], "phoneNumber": "+12025550123", "phoneNumbers": [],
    "badges": ["messagebird:cx"], "userFraudInformation": {"score": 0},
}
UNKNOWN = ["Name", "nAme", "name ", "avatar_url", "avatarURL", "email", "password", "", "revision", "__proto__", "名", "a\tb", "n" * 300]


def rows(table):
    return [(member, value) for member, values in table.items() for value in values]


def shown(value):
    return ascii(value)[:50]


def codes(answer):
    """The violations' codes by member; every one has a message for people."""
    assert (answer.status, answer.code) == (422, "validation_failed"), answer
    details = answer.json["details"]
    for violations in details.values():
        assert violations, answer
        for violation in violations:
            assert set(violation) == {"code", "message"} and violation["message"], answer
    return {member: [violation["code"] for violation in violations] for member, violations in details.items()}


@pytest.fixture(scope="module")
def subject(users):
    """One user for all the values that are tried one after another."""
    return users.add(bio="before", avatar_url="https://example.com/before", locale="nl", timezone="Etc/GMT+1")


@pytest.mark.parametrize("member, value", rows(VALID), ids=shown)
def test_this_value_is_taken(cgi, tokens, subject, member, value):
    answer = cgi.patch(tokens.bearer(subject), {member: value})
    assert answer.status == 200 and answer.json[member] == value, answer


@pytest.mark.parametrize("tag, canonical", LOCALES.items())
def test_a_locale_is_kept_in_canonical_case(cgi, tokens, users, subject, tag, canonical):
    answer = cgi.patch(tokens.bearer(subject), {"locale": tag})
    assert answer.status == 200 and answer.json["locale"] == canonical, answer
    assert users.column(subject, "locale") == canonical


@pytest.mark.parametrize("member, code, value", [
    pytest.param(member, code, value, id=f"{member}-{shown(value)}")
    for member, by_code in INVALID.items() for code, values in by_code.items() for value in values
])
def test_this_value_is_refused(cgi, tokens, reader, member, code, value):
    assert codes(cgi.patch(tokens.bearer(reader), {member: value})) == {member: [code]}


@pytest.mark.parametrize("member, value", READ_ONLY.items(), ids=shown)
def test_a_read_only_member_is_named(cgi, tokens, reader, member, value):
    assert codes(cgi.patch(tokens.bearer(reader), {member: value})) == {member: ["read_only"]}


@pytest.mark.parametrize("member", ["id", "emails", "badges"])
def test_a_read_only_member_cannot_be_cleared(cgi, tokens, reader, member):
    assert codes(cgi.patch(tokens.bearer(reader), {member: None})) == {member: ["read_only"]}


def test_a_read_only_member_with_its_own_value_is_refused_too(cgi, tokens, reader):
    assert codes(cgi.patch(tokens.bearer(reader), {"id": reader.id})) == {"id": ["read_only"]}


@pytest.mark.parametrize("member", UNKNOWN, ids=shown)
@pytest.mark.parametrize("value", ["x", None], ids=repr)
def test_an_unknown_member_is_named(cgi, tokens, reader, member, value):
    assert codes(cgi.patch(tokens.bearer(reader), {member: value})) == {member: ["unknown_member"]}


def test_all_violations_are_told_at_once(cgi, tokens, reader):
    patch = {
        "name": None, "bio": 7, "avatarUrl": "ftp://example.com/", "locale": "en_US", "timezone": "Mars/Base",
        "id": "x", "shoeSize": 43,
    }
    assert codes(cgi.patch(tokens.bearer(reader), patch)) == {
        "name": ["not_nullable"], "bio": ["invalid_type"], "avatarUrl": ["invalid_url"], "locale": ["invalid_locale"],
        "timezone": ["invalid_timezone"], "id": ["read_only"], "shoeSize": ["unknown_member"],
    }


def test_only_what_is_wrong_is_named(cgi, tokens, reader):
    assert codes(cgi.patch(tokens.bearer(reader), {"bio": "fine", "locale": "?"})) == {"locale": ["invalid_locale"]}


def test_one_violation_changes_nothing_at_all(cgi, tokens, users, user):
    assert cgi.patch(tokens.bearer(user), {"name": "New", "bio": "New", "locale": "?"}).status == 422
    assert cgi.get(tokens.bearer(user)).json == user.expected()


def test_many_unknown_members_are_all_named(cgi, tokens, reader):
    patch = {f"member{number}": number for number in range(300)}
    assert list(codes(cgi.patch(tokens.bearer(reader), patch))) == list(patch)


def test_the_refused_value_is_not_reflected(cgi, tokens, reader):
    answer = cgi.patch(tokens.bearer(reader), {"avatarUrl": "<script>alert(1)</script>"})
    assert answer.status == 422 and b"script" not in answer.body


def test_details_are_json_of_their_own_members(cgi, tokens, reader):
    answer = cgi.patch(tokens.bearer(reader), {'quote"and\\': 1, "\u2028": 1})
    assert set(json.loads(answer.body)["details"]) == {'quote"and\\', "\u2028"}


def test_an_unknown_member_that_was_escaped_is_named(cgi, tokens, reader):
    answer = cgi.patch(tokens.bearer(reader), b'{"\\ud836\\udc00":1,"\\ud83d\\ude00":1}')
    assert codes(answer) == {"\U0001d800": ["unknown_member"], "\U0001f600": ["unknown_member"]}
