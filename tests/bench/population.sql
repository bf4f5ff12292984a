-- The users from @FIRST@ to @LAST@ with the rows that such users have, made by the server itself out of the digits of a
-- digest, so that they are the same each time: one to three addresses, none to two identities and phone numbers, none to four badges,
-- a score for a third, a bio for a half, one to four sessions of which the first is active.

CREATE TABLE bench_users (
    n  INT UNSIGNED NOT NULL PRIMARY KEY,
    h  CHAR(32) CHARACTER SET utf8mb4 NOT NULL,
    id BINARY(16) NOT NULL,
    made DATETIME(3) NOT NULL
) ENGINE = InnoDB;
INSERT INTO bench_users
SELECT seq, MD5(seq),
       UNHEX(CONCAT(LPAD(HEX(1600000000000 + seq * 100000), 12, '0'), '7', LEFT(MD5(seq), 3),
                    'a', SUBSTR(MD5(seq), 4, 15))),
       '2020-09-13 12:26:40.000' + INTERVAL seq * 100 SECOND
           + INTERVAL CONV(LEFT(MD5(seq), 2), 16, 10) * 1000 MICROSECOND
FROM seq_@FIRST@_to_@LAST@;

INSERT INTO users (id, status, name, bio, avatar_url, locale, timezone, created_at, updated_at)
SELECT id, ELT(1 + (n MOD 50 = 7) + 2 * (n MOD 50 = 9), 'active', 'pending', 'invited'),
       CONCAT(ELT(1 + n MOD 8, 'Ada', 'Grace', 'Zoë', 'Jürgen', 'Mei', 'Ngozi', 'Óscar', 'Łucja'), ' Example ', n),
       IF(h < '8', CONCAT('Writes about ', REPEAT(CONCAT(SUBSTR(h, 3, 7), ' and '), 4 + n MOD 20), 'more.'), NULL),
       IF(h < 'c', CONCAT('https://images.example.com/avatars/', h, '.png'), NULL),
       IF(h < 'e', ELT(1 + n MOD 5, 'en-US', 'de-DE', 'nl-NL', 'pt-BR', 'zh-Hant-TW'), NULL),
       IF(h < 'e', ELT(1 + n MOD 4, 'Europe/Amsterdam', 'America/New_York', 'Asia/Tokyo', 'Etc/UTC'), NULL),
       made, made + INTERVAL n MOD 5000 HOUR
FROM bench_users;

INSERT INTO user_emails (id, user_id, email, verified, password_set, token_set, is_default, created_at, updated_at)
SELECT UNHEX(CONCAT(LEFT(HEX(id), 12), '7', seq, SUBSTR(MD5(CONCAT('email', n)), 1, 2), 'b', SUBSTR(h, 1, 15))), id,
       CONCAT('user', n, '.', seq, ELT(seq, '@example.com', '@example.org', '@mail.example.net')),
       seq < 3, seq = 1, seq = 2, seq = 1, made + INTERVAL seq MINUTE, made + INTERVAL seq HOUR
FROM bench_users JOIN seq_1_to_3 WHERE seq <= 1 + CONV(SUBSTR(h, 5, 1), 16, 10) DIV 6 ORDER BY id, seq;

INSERT INTO user_identities (id, user_id, issuer, subject, provider, name, email, avatar_url, created_at, updated_at)
SELECT UNHEX(CONCAT(LEFT(HEX(id), 12), '7', seq, SUBSTR(MD5(CONCAT('identity', n)), 1, 2), 'b', SUBSTR(h, 1, 15))), id,
       ELT(seq, 'https://accounts.example.com', 'https://login.example.org'),
       CONCAT(LPAD(n, 8, '1'), CONV(SUBSTR(h, 9, 12), 16, 10)), ELT(seq, 'example', 'example-org'), CONCAT('User ', n),
       CONCAT('user', n, '@example.com'), IF(seq = 1, CONCAT('https://accounts.example.com/photo/', h), NULL),
       made + INTERVAL seq MINUTE, made + INTERVAL seq MINUTE
FROM bench_users JOIN seq_1_to_2 WHERE seq <= CONV(SUBSTR(h, 6, 1), 16, 10) DIV 6 ORDER BY id, seq;

INSERT INTO user_phone_numbers (id, user_id, number, verified, is_primary, created_at, updated_at)
SELECT UNHEX(CONCAT(LEFT(HEX(id), 12), '7', seq, SUBSTR(MD5(CONCAT('phone', n)), 1, 2), 'b', SUBSTR(h, 1, 15))), id,
       CONCAT('+3161', LPAD(n, 7, '0'), seq), seq = 1, seq = 1, made + INTERVAL seq MINUTE, made + INTERVAL seq MINUTE
FROM bench_users JOIN seq_1_to_2 WHERE seq <= CONV(SUBSTR(h, 7, 1), 16, 10) DIV 6 ORDER BY id, seq;

INSERT INTO user_badges (user_id, scope, name, created_at)
SELECT id, ELT(seq, 'example', 'messagebird', 'forum', 'support'), ELT(1 + n MOD 3, 'cx', 'tester', 'partner'), made
FROM bench_users JOIN seq_1_to_4 WHERE seq <= CONV(SUBSTR(h, 8, 1), 16, 10) DIV 3.5 ORDER BY id, seq;

INSERT INTO user_fraud_information (user_id, score, created_at, updated_at)
SELECT id, CONV(SUBSTR(h, 9, 2), 16, 10), made, made FROM bench_users WHERE n MOD 3 = 0 ORDER BY id;

INSERT INTO sessions (user_id, id, created_at, expires_at, revoked_at)
SELECT id, CONCAT(INSERT(INSERT(LEFT(h, 22), 9, 0, '-'), 14, 0, '-'), '-', seq), made,
       IF(seq = 3, '2021-01-01', '2099-01-01'), IF(seq = 4, made, NULL)
FROM bench_users JOIN seq_1_to_4 WHERE seq <= 1 + CONV(SUBSTR(h, 10, 1), 16, 10) DIV 4 ORDER BY id, seq;

DROP TABLE bench_users;
