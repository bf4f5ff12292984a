<?php

/*
 * The same service, GET and PATCH /me, as it would be written in PHP: PDO with a persistent connection, OpenSSL, and
 * opcache under it. It does what the measurements need: tokens, sessions, the whole resource with its ETag, the merge
 * patch. Of what is seldom it leaves out much that the contract wants, to its advantage.
 */

declare(strict_types=1);

require __DIR__ . '/token.php';
require __DIR__ . '/database.php';
require __DIR__ . '/profile.php';

const LENGTHS = ['name' => 255, 'bio' => 4096, 'avatarUrl' => 2048, 'locale' => 255, 'timezone' => 64];

function refuse(int $status, string $code): never
{
    http_response_code($status);
    header('Content-Type: application/json');
    if ($status === 401) {
        header('WWW-Authenticate: Bearer error="invalid_token"');
    }
    $body = json_encode(['code' => $code]);
    header('Content-Length: ' . strlen($body));
    exit($body);
}

function is_valid(string $member, mixed $value): bool
{
    if ($value === null) {
        return $member !== 'name';
    }
    return is_string($value) && trim($value) !== '' && code_points($value) <= LENGTHS[$member];
}

/** In code points, without an extension that may not be there. */
function code_points(string $text): int
{
    return (int)preg_match_all('/./us', $text);
}

function read_patch(): array
{
    $patch = json_decode(file_get_contents('php://input'), true);
    if (!is_array($patch)) {
        refuse(400, 'invalid_json');
    }
    foreach ($patch as $member => $value) {
        if (!isset(LENGTHS[$member]) || !is_valid($member, $value)) {
            refuse(422, 'validation_failed');
        }
    }
    return $patch;
}

/** What of the user and the session refuses the request. */
function judge(array $rows): void
{
    $user = $rows[0] ?? null;
    if ($user === null || $user[13] === 'deleted' || (int)$user[6] !== SESSION_ACTIVE) {
        refuse(401, 'unauthorized');
    }
    if ($user[13] === 'banned') {
        refuse(403, 'user_banned');
    }
}

function respond(array $profile): void
{
    $body = json_encode($profile, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_THROW_ON_ERROR);
    $etag = '"' . rtrim(strtr(base64_encode(substr(hash('sha256', $body, true), 0, 16)), '+/', '-_'), '=') . '"';
    header("ETag: $etag");
    header('Cache-Control: private, no-cache');
    header('Vary: Authorization');
    header('X-Content-Type-Options: nosniff');
    if (($_SERVER['HTTP_IF_NONE_MATCH'] ?? '') === $etag && $_SERVER['REQUEST_METHOD'] === 'GET') {
        http_response_code(304);
        return;
    }
    header('Content-Type: application/json');
    header('Content-Length: ' . strlen($body));
    echo $body;
}

function answer(): void
{
    $is_patch = $_SERVER['REQUEST_METHOD'] === 'PATCH';
    if (!$is_patch && $_SERVER['REQUEST_METHOD'] !== 'GET') {
        refuse(405, 'method_not_allowed');
    }
    $authorization = $_SERVER['HTTP_AUTHORIZATION'] ?? '';
    $claims = str_starts_with($authorization, 'Bearer ') ? verify_token(substr($authorization, 7)) : null;
    if ($claims === null) {
        refuse(401, 'unauthorized');
    }
    $patch = $is_patch ? read_patch() : [];
    $database = connect();
    update_user($database, $claims['sub'], $claims['sid'], $patch);
    $rows = read_rows($database, $claims['sub'], $claims['sid']);
    judge($rows);
    respond(profile_of($rows, $claims['sub']));
}

try {
    answer();
} catch (PDOException $error) {
    error_log($error->getMessage());
    refuse(503, 'service_unavailable');
}
