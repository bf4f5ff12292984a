<?php

declare(strict_types=1);

function decode_part(string $text): ?string
{
    $bytes = base64_decode(strtr($text, '-_', '+/'), true);
    return $bytes === false ? null : $bytes;
}

/** Each algorithm has its own key: what the token says of itself cannot make one be taken for the other. */
function is_signed(string $algorithm, string $signed, string $signature): bool
{
    switch ($algorithm) {
        case 'HS256':
            $secret = rtrim(file_get_contents(getenv('BENCH_SECRET_FILE')), "\r\n");
            return hash_equals(hash_hmac('sha256', $signed, $secret, true), $signature);
        case 'RS256':
            $key = file_get_contents(getenv('BENCH_PUBLIC_KEY_FILE'));
            return openssl_verify($signed, $signature, $key, OPENSSL_ALGO_SHA256) === 1;
        default:
            return false;
    }
}

function is_claimed_for_us(array $claims): bool
{
    $now = time();
    return is_int($claims['exp'] ?? null) && $claims['exp'] > $now && ($claims['nbf'] ?? 0) <= $now
        && ($claims['iss'] ?? null) === getenv('BENCH_ISSUER')
        && in_array(getenv('BENCH_AUDIENCE'), (array)($claims['aud'] ?? []), true)
        && is_string($claims['sid'] ?? null) && is_string($claims['sub'] ?? null)
        && preg_match('/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/D', $claims['sub']) === 1;
}

/** The claims of a token that is good, or null. */
function verify_token(string $token): ?array
{
    $parts = explode('.', $token);
    if (count($parts) !== 3) {
        return null;
    }
    $header = json_decode(decode_part($parts[0]) ?? '', true);
    $signature = decode_part($parts[2]);
    if (!is_array($header) || isset($header['crit']) || $signature === null
        || !is_signed((string)($header['alg'] ?? ''), "$parts[0].$parts[1]", $signature)) {
        return null;
    }
    $claims = json_decode(decode_part($parts[1]) ?? '', true);
    return is_array($claims) && is_claimed_for_us($claims) ? $claims : null;
}
