<?php

declare(strict_types=1);

/* One round trip: the rows of all tables, each with the kind of what it is. */
const READ_SQL = <<<'SQL'
SELECT 1 AS kind, c.id AS id, c.created_at AS created, c.updated_at AS updated,
 (SELECT COUNT(*) FROM sessions a WHERE a.user_id = c.id AND a.revoked_at IS NULL
 AND a.expires_at > UTC_TIMESTAMP(3)) AS number1, f.score AS number2,
 CASE WHEN s.id IS NULL THEN 0 WHEN s.revoked_at IS NOT NULL THEN 2
 WHEN s.expires_at <= UTC_TIMESTAMP(3) THEN 3 ELSE 1 END AS number3,
 NULL AS number4, c.name AS text1, c.locale AS text2, c.timezone AS text3,
 c.avatar_url AS text4, c.bio AS text5, c.status AS text6
 FROM users c LEFT JOIN user_fraud_information f ON f.user_id = c.id
 LEFT JOIN sessions s ON s.user_id = c.id AND s.id = ? WHERE c.id = ?
 UNION ALL SELECT 2, c.id, c.created_at, c.updated_at, c.verified, c.password_set,
 c.token_set, c.is_default, c.email, NULL, NULL, NULL, NULL, NULL
 FROM user_emails c WHERE c.user_id = ?
 UNION ALL SELECT 3, NULL, c.created_at, c.updated_at, NULL, NULL, NULL, NULL,
 c.subject, c.provider, c.name, c.avatar_url, NULL, c.email
 FROM user_identities c WHERE c.user_id = ?
 UNION ALL SELECT 4, c.id, c.created_at, c.updated_at, c.verified, c.is_primary,
 NULL, NULL, c.number, NULL, NULL, NULL, NULL, NULL
 FROM user_phone_numbers c WHERE c.user_id = ?
 UNION ALL SELECT 5, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
 c.scope, c.name, NULL, NULL, NULL, NULL
 FROM user_badges c WHERE c.user_id = ?
SQL;

const COLUMNS = [
    'name' => 'name', 'bio' => 'bio', 'avatarUrl' => 'avatar_url', 'locale' => 'locale', 'timezone' => 'timezone',
];
const SESSION_ACTIVE = 1;

/** Kept from one request to the next; statements go as text, which is one round trip where preparing is two. */
function connect(): PDO
{
    return new PDO(getenv('BENCH_PDO'), getenv('BENCH_ACCOUNT'), getenv('BENCH_PASSWORD'), [
        PDO::ATTR_PERSISTENT => true,
        PDO::ATTR_EMULATE_PREPARES => true,
        PDO::ATTR_STRINGIFY_FETCHES => false,
        PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION,
    ]);
}

function id_bytes(string $id): string
{
    return hex2bin(str_replace('-', '', $id));
}

function run(PDO $database, string $sql, array $values): PDOStatement
{
    $statement = $database->prepare($sql);
    foreach ($values as $i => $value) {
        $statement->bindValue($i + 1, $value, is_bool($value) ? PDO::PARAM_BOOL : PDO::PARAM_STR);
    }
    $statement->execute();
    return $statement;
}

/** All rows of a user; the id goes as a literal that needs no character set. */
function read_rows(PDO $database, string $id, string $session): array
{
    $literal = "x'" . bin2hex(id_bytes($id)) . "'";
    $sql = str_replace(['c.id = ?', 'user_id = ?'], ["c.id = $literal", "user_id = $literal"], READ_SQL);
    return run($database, $sql, [$session])->fetchAll(PDO::FETCH_NUM);
}

/** Changes nothing of a user who is refused: the read says so afterwards. */
function update_user(PDO $database, string $id, string $session, array $patch): void
{
    $differs = $assigned = [];
    foreach ($patch as $member => $value) {
        $differs[] = 'NOT c.' . COLUMNS[$member] . ' <=> ?';
        $assigned[] = 'c.' . COLUMNS[$member] . ' = ?';
    }
    /* updated_at is first, since MariaDB assigns from left to right, and moves only where a value does. */
    $sql = 'UPDATE users c SET c.updated_at = IF(' . implode(' OR ', $differs) . ',
        GREATEST(UTC_TIMESTAMP(3), c.updated_at + INTERVAL 1000 MICROSECOND), c.updated_at), '
        . implode(', ', $assigned) . " WHERE c.id = x'" . bin2hex(id_bytes($id)) . "'
        AND c.status NOT IN ('deleted', 'banned') AND EXISTS (SELECT 1 FROM sessions s WHERE s.user_id = c.id
        AND s.id = ? AND s.revoked_at IS NULL AND s.expires_at > UTC_TIMESTAMP(3))";
    if ($patch !== []) {
        run($database, $sql, [...array_values($patch), ...array_values($patch), $session]);
    }
}
