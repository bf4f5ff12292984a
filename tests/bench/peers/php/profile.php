<?php

declare(strict_types=1);

function format_id(string $bytes): string
{
    $hex = bin2hex($bytes);
    return substr($hex, 0, 8) . '-' . substr($hex, 8, 4) . '-' . substr($hex, 12, 4) . '-' . substr($hex, 16, 4)
        . '-' . substr($hex, 20);
}

function format_time(string $time): string
{
    return str_replace(' ', 'T', $time) . 'Z';
}

function without_nulls(array $members): array
{
    return array_filter($members, static fn($value) => $value !== null);
}

/* Behind the flag, by which the first one of some is told, come the members of the resource. */
function email_of(array $row, string $id): array
{
    return [(bool)$row[7], [
        'id' => format_id($row[1]), 'userId' => $id, 'email' => $row[8], 'verified' => (bool)$row[4],
        'passwordSet' => (bool)$row[5], 'tokenSet' => (bool)$row[6], 'createdAt' => format_time($row[2]),
        'updatedAt' => format_time($row[3]),
    ]];
}

function identity_of(array $row): array
{
    return [false, without_nulls([
        'id' => $row[8], 'name' => $row[10], 'email' => $row[13], 'avatarUrl' => $row[11], 'provider' => $row[9],
        'createdAt' => format_time($row[2]), 'updatedAt' => format_time($row[3]),
    ])];
}

function phone_of(array $row, string $id): array
{
    return [(bool)$row[5], [
        'id' => format_id($row[1]), 'userId' => $id, 'phoneNumber' => $row[8], 'verified' => (bool)$row[4],
        'primary' => (bool)$row[5], 'createdAt' => format_time($row[2]), 'updatedAt' => format_time($row[3]),
    ]];
}

/** The first one first, then by time and id; SQL promises no order. */
function sorted(array $items): array
{
    usort($items, static fn($a, $b) =>
        [$b[0], $a[1]['createdAt'], $a[1]['id']] <=> [$a[0], $b[1]['createdAt'], $b[1]['id']]);
    return $items;
}

function first_value(array $items, string $member): ?string
{
    return $items !== [] && $items[0][0] ? $items[0][1][$member] : null;
}

/** The resource, from the rows of one user. */
function profile_of(array $rows, string $id): array
{
    $user = null;
    $emails = $identities = $phones = $badges = [];
    foreach ($rows as $row) {
        switch ((int)$row[0]) {
            case 1: $user = $row; break;
            case 2: $emails[] = email_of($row, $id); break;
            case 3: $identities[] = identity_of($row); break;
            case 4: $phones[] = phone_of($row, $id); break;
            case 5: $badges[] = "$row[8]:$row[9]"; break;
        }
    }
    $emails = sorted($emails);
    $phones = sorted($phones);
    sort($badges, SORT_STRING);
    return without_nulls([
        'id' => $id, 'status' => $user[13], 'name' => $user[8], 'bio' => $user[12], 'activeSessions' => (int)$user[4],
        'createdAt' => format_time($user[2]), 'updatedAt' => format_time($user[3]),
        'emails' => array_column($emails, 1), 'defaultEmail' => first_value($emails, 'email'),
        'identities' => array_column(sorted($identities), 1), 'avatarUrl' => $user[11],
        'phoneNumber' => first_value($phones, 'phoneNumber'), 'phoneNumbers' => array_column($phones, 1),
        'locale' => $user[9], 'timezone' => $user[10], 'badges' => $badges,
        'userFraudInformation' => $user[5] === null ? null : ['score' => (int)$user[5], 'userId' => $id],
    ]);
}
