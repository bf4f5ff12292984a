-- Profiles out of a table of users that an application has already: views in the place of me-fcgi's own tables.
--
-- The application's database is "shop" here and its table shop.users; me-fcgi's is "profile", which is what
-- database.name in me.conf says. Nothing is copied: what either side writes, the other sees at once. Of the
-- application's table this supposes
--
--     id INT, email, password_hash, display_name, about, photo_url, language, time_zone, phone, role, blocked,
--     email_confirmed_at, deleted_at, created_at, updated_at
--
-- with times in UTC. Put the names of yours in their place; where yours lacks one, put what stands in the view instead,
-- such as NULL AS bio. To be run by one who may do everything, whose rights the views then have, in this order:
--
--     mectl migrate --print-grants --for mectl | mariadb      makes the database "profile"
--     mariadb <existing-users.sql
--     mectl migrate --print-grants --for worker | mariadb
--
-- Do not run "mectl migrate" itself there: there are no tables that it could look after. "mectl user show", "list" and
-- "export" read through the views; the other commands that write users do not work, since the application does that.
-- "mectl user export" is also the way to move over to tables of me-fcgi's own, on another day.

-- What me-fcgi needs and the application did not have. INVISIBLE keeps the id out of the application's "SELECT *" and
-- of its INSERTs that name no columns; each new row gets one by itself. Columns that a PATCH writes have to hold what
-- it may write, and updated_at milliseconds: the entity tag of an answer would not be that of the next one otherwise.
-- MODIFY forgets what is not said again: repeat what yours have besides, such as NOT NULL, DEFAULT and COMMENT.
ALTER TABLE shop.users
    ADD COLUMN profile_id BINARY(16) INVISIBLE NOT NULL DEFAULT (UNHEX(REPLACE(UUID(), '-', ''))),
    ADD UNIQUE KEY users_profile_id (profile_id),
    MODIFY display_name VARCHAR(255) CHARACTER SET utf8mb4 NOT NULL,
    MODIFY about VARCHAR(4096) CHARACTER SET utf8mb4 NULL,
    MODIFY photo_url VARCHAR(2048) CHARACTER SET utf8mb4 NULL,
    MODIFY language VARCHAR(255) CHARACTER SET utf8mb4 NULL,
    MODIFY time_zone VARCHAR(64) CHARACTER SET utf8mb4 NULL,
    MODIFY updated_at DATETIME(3) NOT NULL DEFAULT UTC_TIMESTAMP(3);

-- A member that is unset is NULL, and never an empty text. Where the application goes on to write empty texts, show
-- NULLIF(about, '') in the view; but then a PATCH cannot write that member.
UPDATE shop.users
   SET about = NULLIF(about, ''), photo_url = NULLIF(photo_url, ''), language = NULLIF(language, ''),
       time_zone = NULLIF(time_zone, '');

USE profile;

-- The five members that a PATCH writes, and updated_at, are columns and nothing but columns: only then can they be
-- written through the view. MERGE makes sure that each request is a lookup by the id.
CREATE ALGORITHM = MERGE VIEW users AS
SELECT profile_id   AS id,
       CASE WHEN deleted_at IS NOT NULL     THEN 'deleted'
            WHEN blocked                    THEN 'banned'
            WHEN email_confirmed_at IS NULL THEN 'pending'
            ELSE 'active' END AS status,
       display_name AS name,
       about        AS bio,
       photo_url    AS avatar_url,
       language     AS locale,
       time_zone    AS timezone,
       created_at,
       updated_at,
       0            AS revision
  FROM shop.users;

-- Nothing here tells a worker that a profile is still as it was, so it keeps none.
CREATE VIEW revision_guard AS
SELECT 0 AS stands, 0 AS epoch;

-- One address for each user, the default one. Its updated_at is not that of the users row, which moves with every
-- PATCH: the answer of a PATCH, and its entity tag, would not be those of the next GET. The last two columns are for
-- mectl.
CREATE ALGORITHM = MERGE VIEW user_emails AS
SELECT profile_id                     AS id,
       profile_id                     AS user_id,
       email,
       email_confirmed_at IS NOT NULL AS verified,
       password_hash IS NOT NULL      AS password_set,
       FALSE                          AS token_set,
       TRUE                           AS is_default,
       created_at,
       created_at                     AS updated_at,
       LOWER(email)                   AS email_key,
       1                              AS default_slot
  FROM shop.users;

-- Numbers that are not E.164 are not shown.
CREATE ALGORITHM = MERGE VIEW user_phone_numbers AS
SELECT profile_id AS id,
       profile_id AS user_id,
       phone      AS number,
       FALSE      AS verified,
       TRUE       AS is_primary,
       created_at,
       created_at AS updated_at,
       1          AS primary_slot
  FROM shop.users
 WHERE phone REGEXP '^[+][1-9][0-9]{1,14}$' AND phone NOT REGEXP '[^+0-9]';

CREATE ALGORITHM = MERGE VIEW user_badges AS
SELECT profile_id AS user_id, 'shop' AS scope, role AS name, created_at
  FROM shop.users
 WHERE role <> 'customer';

-- What the application has nothing of: views without rows.
CREATE ALGORITHM = MERGE VIEW user_fraud_information AS
SELECT profile_id AS user_id, 0 AS score, created_at, updated_at
  FROM shop.users
 WHERE FALSE;

-- me.conf then has to say token.sessions = off.
CREATE ALGORITHM = MERGE VIEW sessions AS
SELECT profile_id AS user_id, CAST('' AS CHAR(255)) AS id, created_at, updated_at AS expires_at,
       CAST(NULL AS DATETIME(3)) AS revoked_at
  FROM shop.users
 WHERE FALSE;

-- Tokens name a user by the claim sub. Where the application issues them itself it can put the profile's id there:
--
--     SELECT INSERT(INSERT(INSERT(INSERT(LOWER(HEX(profile_id)), 9, 0, '-'), 14, 0, '-'), 19, 0, '-'), 24, 0, '-')
--       FROM shop.users WHERE id = 42;
--
-- Where they have the application's own number, "sub": "42", or the name that another system knows the user by, me.conf
-- says token.subject = identity, and a table tells whom each issuer and subject is. No view can: a number that is
-- compared with text has no index, or takes "42x" for 42. So this one is a table, and triggers keep it.
CREATE TABLE user_identities (
    id         BINARY(16)    NOT NULL DEFAULT (UNHEX(REPLACE(UUID(), '-', ''))),
    user_id    BINARY(16)    NOT NULL,
    issuer     VARCHAR(255)  NOT NULL,
    subject    VARCHAR(255)  NOT NULL,
    provider   VARCHAR(255)  NOT NULL,
    name       VARCHAR(255)  NULL,
    email      VARCHAR(254)  NULL,
    avatar_url VARCHAR(2048) NULL,
    created_at DATETIME(3)   NOT NULL DEFAULT UTC_TIMESTAMP(3),
    updated_at DATETIME(3)   NOT NULL DEFAULT UTC_TIMESTAMP(3),
    PRIMARY KEY (user_id, id),
    UNIQUE KEY user_identities_one_user (issuer, subject)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_nopad_bin;

CREATE TRIGGER shop.users_profile_added AFTER INSERT ON shop.users FOR EACH ROW
    INSERT INTO profile.user_identities (user_id, issuer, subject, provider)
    VALUES (NEW.profile_id, 'https://shop.example.com', NEW.id, 'shop');

CREATE TRIGGER shop.users_profile_removed AFTER DELETE ON shop.users FOR EACH ROW
    DELETE FROM profile.user_identities WHERE user_id = OLD.profile_id;

INSERT INTO profile.user_identities (user_id, issuer, subject, provider)
SELECT profile_id, 'https://shop.example.com', id, 'shop' FROM shop.users;
