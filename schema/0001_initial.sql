-- The tables that me-fcgi reads, and that your own applications (login, sign-up, administration) write.
--
-- For those who connect an application of their own:
--   * An id is a UUID as 16 bytes. UNHEX(REPLACE('01890a5d-ac96-774b-bcce-b302099a8057', '-', '')) makes one from
--     text. Version 7 (RFC 9562), whose first bytes are the time, keeps rows that are made together together.
--   * A time is UTC with milliseconds, whatever the time zone of the connection: write UTC_TIMESTAMP(3), not NOW().
--     The columns created_at and updated_at have it as their default. Nothing moves updated_at by itself: set it
--     with every change, and to later than it was.
--   * Text is UTF-8 and compared byte by byte, trailing blanks included; addresses of users are the exception, see
--     user_emails. A member that is unset is NULL, never an empty text.
--   * Rows of a user go when the users row is deleted. To close an account and keep its rows, set its status to
--     'deleted': its tokens are refused from then on.

CREATE TABLE users (
    id         BINARY(16)    NOT NULL,
    -- pending, active and invited users are served; deleted ones are answered 401, banned ones 403
    status     ENUM ('pending', 'active', 'deleted', 'invited', 'banned') NOT NULL DEFAULT 'pending',
    name       VARCHAR(255)  NOT NULL,
    bio        VARCHAR(4096) NULL,
    avatar_url VARCHAR(2048) NULL,
    locale     VARCHAR(255)  NULL, -- a BCP 47 tag in canonical case: en-US
    timezone   VARCHAR(64)   NULL, -- an IANA zone name: Europe/Amsterdam
    created_at DATETIME(3)   NOT NULL DEFAULT UTC_TIMESTAMP(3),
    updated_at DATETIME(3)   NOT NULL DEFAULT UTC_TIMESTAMP(3),
    PRIMARY KEY (id),
    CONSTRAINT users_name_is_not_blank CHECK (TRIM(name) <> '')
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_nopad_bin;

-- An address belongs to one user, whatever its case: email_key, which the database computes, is unique. At most one
-- address of a user is the default: default_slot is 1 for it and NULL for the others, of which there may be any
-- number. To change the default, clear the old one first, in the same transaction.
CREATE TABLE user_emails (
    id           BINARY(16)   NOT NULL,
    user_id      BINARY(16)   NOT NULL,
    email        VARCHAR(254) NOT NULL,
    verified     BOOLEAN      NOT NULL DEFAULT FALSE,
    password_set BOOLEAN      NOT NULL DEFAULT FALSE,
    token_set    BOOLEAN      NOT NULL DEFAULT FALSE,
    is_default   BOOLEAN      NOT NULL DEFAULT FALSE,
    created_at   DATETIME(3)  NOT NULL DEFAULT UTC_TIMESTAMP(3),
    updated_at   DATETIME(3)  NOT NULL DEFAULT UTC_TIMESTAMP(3),
    email_key    VARCHAR(254) AS (LOWER(email)) STORED,
    default_slot TINYINT      AS (IF(is_default, 1, NULL)) STORED,
    PRIMARY KEY (user_id, id),
    UNIQUE KEY user_emails_one_user (email_key),
    UNIQUE KEY user_emails_one_default (user_id, default_slot),
    CONSTRAINT user_emails_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT user_emails_email_is_set CHECK (email <> ''),
    CONSTRAINT user_emails_flags CHECK (verified IN (0, 1) AND password_set IN (0, 1)
                                        AND token_set IN (0, 1) AND is_default IN (0, 1))
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_nopad_bin;

-- Who a user is elsewhere: the issuer and subject of an OpenID Connect provider, or the like. The pair belongs to one
-- user and is compared byte by byte, as RFC 7519 wants it; provider is the short name that is shown.
CREATE TABLE user_identities (
    id         BINARY(16)    NOT NULL,
    user_id    BINARY(16)    NOT NULL,
    issuer     VARCHAR(255)  COLLATE utf8mb4_nopad_bin NOT NULL,
    subject    VARCHAR(255)  COLLATE utf8mb4_nopad_bin NOT NULL,
    provider   VARCHAR(255)  NOT NULL,
    name       VARCHAR(255)  NULL,
    email      VARCHAR(254)  NULL, -- as the provider tells it; it is no key of anything here
    avatar_url VARCHAR(2048) NULL,
    created_at DATETIME(3)   NOT NULL DEFAULT UTC_TIMESTAMP(3),
    updated_at DATETIME(3)   NOT NULL DEFAULT UTC_TIMESTAMP(3),
    PRIMARY KEY (user_id, id),
    UNIQUE KEY user_identities_one_user (issuer, subject),
    CONSTRAINT user_identities_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT user_identities_are_set CHECK (issuer <> '' AND subject <> '' AND provider <> '')
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_nopad_bin;

-- Numbers are E.164: a plus and 2 to 15 digits. Users may share one. At most one number of a user is the primary one,
-- by primary_slot as with the default address.
CREATE TABLE user_phone_numbers (
    id           BINARY(16)  NOT NULL,
    user_id      BINARY(16)  NOT NULL,
    number       VARCHAR(16) NOT NULL,
    verified     BOOLEAN     NOT NULL DEFAULT FALSE,
    is_primary   BOOLEAN     NOT NULL DEFAULT FALSE,
    created_at   DATETIME(3) NOT NULL DEFAULT UTC_TIMESTAMP(3),
    updated_at   DATETIME(3) NOT NULL DEFAULT UTC_TIMESTAMP(3),
    primary_slot TINYINT     AS (IF(is_primary, 1, NULL)) STORED,
    PRIMARY KEY (user_id, id),
    UNIQUE KEY user_phone_numbers_once (user_id, number),
    UNIQUE KEY user_phone_numbers_one_primary (user_id, primary_slot),
    CONSTRAINT user_phone_numbers_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    -- the second pattern refuses a line feed at the end, which $ would let pass
    CONSTRAINT user_phone_numbers_are_e164 CHECK (number REGEXP '^[+][1-9][0-9]{1,14}$'
                                                  AND number NOT REGEXP '[^+0-9]'),
    CONSTRAINT user_phone_numbers_flags CHECK (verified IN (0, 1) AND is_primary IN (0, 1))
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_nopad_bin;

-- Shown as scope:name, so a scope has no colon.
CREATE TABLE user_badges (
    user_id    BINARY(16)  NOT NULL,
    scope      VARCHAR(64) COLLATE utf8mb4_nopad_bin NOT NULL,
    name       VARCHAR(64) COLLATE utf8mb4_nopad_bin NOT NULL,
    created_at DATETIME(3) NOT NULL DEFAULT UTC_TIMESTAMP(3),
    PRIMARY KEY (user_id, scope, name),
    CONSTRAINT user_badges_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT user_badges_are_set CHECK (scope <> '' AND name <> '' AND LOCATE(':', scope) = 0)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_nopad_bin;

-- No row: nothing is known of the user, and nothing is shown.
CREATE TABLE user_fraud_information (
    user_id    BINARY(16)  NOT NULL,
    score      INT         NOT NULL,
    created_at DATETIME(3) NOT NULL DEFAULT UTC_TIMESTAMP(3),
    updated_at DATETIME(3) NOT NULL DEFAULT UTC_TIMESTAMP(3),
    PRIMARY KEY (user_id),
    CONSTRAINT user_fraud_information_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_nopad_bin;

-- Written by the login system. The id is what its tokens carry in their session claim (sid), any string. A session is
-- active until expires_at, unless revoked_at is set, whatever its value; a row that is deleted ends its tokens too.
CREATE TABLE sessions (
    user_id    BINARY(16)   NOT NULL,
    id         VARCHAR(255) COLLATE utf8mb4_nopad_bin NOT NULL,
    created_at DATETIME(3)  NOT NULL DEFAULT UTC_TIMESTAMP(3),
    expires_at DATETIME(3)  NOT NULL,
    revoked_at DATETIME(3)  NULL,
    PRIMARY KEY (user_id, id),
    CONSTRAINT sessions_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT sessions_id_is_set CHECK (id <> '')
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_nopad_bin;
