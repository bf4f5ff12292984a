-- optional: to make triggers takes the right TRIGGER and, where the server writes a binary log, either SUPER or
-- log_bin_trust_function_creators = 1; to make the view takes CREATE VIEW. Where they cannot be made, workers read each
-- profile anew: slower, and as right.
--
-- Triggers that move users.revision (0003_revision.sql), and a view by which workers see that all of them stand.
--
-- For those who connect an application of their own:
--   * A statement that writes a user's rows cannot read users besides: the trigger writes users, and MariaDB refuses
--     that with error 1442. Not "DELETE b FROM user_badges b JOIN users u ...", nor "INSERT INTO user_badges SELECT id,
--     ... FROM users": read the ids first.
--   * Each change of a user's row now locks the users row too, behind the row itself unless that is a new one. Whoever
--     changes several rows of a user in one transaction, or under REPEATABLE READ in one statement (WHERE user_id = ...),
--     locks the users row first (SELECT ... FOR UPDATE), as workers and mectl do, or tries again after error 1213.
--   * The account that makes the triggers is their definer: when it is dropped, every write fails with error 1449
--     until there is one of that name again. 'mectl migrate --again' makes them anew, by the account that it has.
--   * A trigger of your own on one of these tables has to be an AFTER one, and what you add to the tables no foreign
--     key with ON DELETE or ON UPDATE CASCADE or SET NULL; else workers keep nothing. An AFTER trigger of users
--     cannot write a user's rows: 1442 again.
--   * TRUNCATE of a table of users' rows is refused. With foreign_key_checks = 0 it is done, and not seen: restart the
--     server, or delete the rows instead.
--
-- Why they are as they are:
--   * A revision never comes twice: not where an application writes an old row back, nor where a user is deleted and
--     made again, nor after a rollback or a restore. Each is later than the one before, and mostly the clock's
--     microseconds. SYSDATE, since a session can set what NOW says.
--   * A worker sends the revision that it wants with a PATCH, later than the one before, and so knows it.
--   * BEFORE triggers lock the users row before a row of the user is written. AFTER INSERT ones deadlock where two rows
--     of one user are inserted at once: the foreign key's shared lock has to become an exclusive one.
--   * A row that goes from one user to another moves both.
--   * The view compares the text of each trigger with what stands here. Whoever changes one changes both.

CREATE OR REPLACE TRIGGER users_revision_insert BEFORE INSERT ON users FOR EACH ROW
    SET NEW.revision = CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED);
CREATE OR REPLACE TRIGGER users_revision_update BEFORE UPDATE ON users FOR EACH ROW
    SET NEW.revision = IF(NEW.revision > OLD.revision, NEW.revision,
                          GREATEST(OLD.revision + 1, CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED)));

CREATE OR REPLACE TRIGGER user_emails_revision_insert BEFORE INSERT ON user_emails FOR EACH ROW
    UPDATE users SET revision = GREATEST(revision + 1, CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED))
    WHERE id = NEW.user_id;
CREATE OR REPLACE TRIGGER user_emails_revision_update BEFORE UPDATE ON user_emails FOR EACH ROW
    UPDATE users SET revision = GREATEST(revision + 1, CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED))
    WHERE id IN (OLD.user_id, NEW.user_id);
CREATE OR REPLACE TRIGGER user_emails_revision_delete BEFORE DELETE ON user_emails FOR EACH ROW
    UPDATE users SET revision = GREATEST(revision + 1, CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED))
    WHERE id = OLD.user_id;

CREATE OR REPLACE TRIGGER user_identities_revision_insert BEFORE INSERT ON user_identities FOR EACH ROW
    UPDATE users SET revision = GREATEST(revision + 1, CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED))
    WHERE id = NEW.user_id;
CREATE OR REPLACE TRIGGER user_identities_revision_update BEFORE UPDATE ON user_identities FOR EACH ROW
    UPDATE users SET revision = GREATEST(revision + 1, CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED))
    WHERE id IN (OLD.user_id, NEW.user_id);
CREATE OR REPLACE TRIGGER user_identities_revision_delete BEFORE DELETE ON user_identities FOR EACH ROW
    UPDATE users SET revision = GREATEST(revision + 1, CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED))
    WHERE id = OLD.user_id;

CREATE OR REPLACE TRIGGER user_phone_numbers_revision_insert BEFORE INSERT ON user_phone_numbers FOR EACH ROW
    UPDATE users SET revision = GREATEST(revision + 1, CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED))
    WHERE id = NEW.user_id;
CREATE OR REPLACE TRIGGER user_phone_numbers_revision_update BEFORE UPDATE ON user_phone_numbers FOR EACH ROW
    UPDATE users SET revision = GREATEST(revision + 1, CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED))
    WHERE id IN (OLD.user_id, NEW.user_id);
CREATE OR REPLACE TRIGGER user_phone_numbers_revision_delete BEFORE DELETE ON user_phone_numbers FOR EACH ROW
    UPDATE users SET revision = GREATEST(revision + 1, CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED))
    WHERE id = OLD.user_id;

CREATE OR REPLACE TRIGGER user_badges_revision_insert BEFORE INSERT ON user_badges FOR EACH ROW
    UPDATE users SET revision = GREATEST(revision + 1, CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED))
    WHERE id = NEW.user_id;
CREATE OR REPLACE TRIGGER user_badges_revision_update BEFORE UPDATE ON user_badges FOR EACH ROW
    UPDATE users SET revision = GREATEST(revision + 1, CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED))
    WHERE id IN (OLD.user_id, NEW.user_id);
CREATE OR REPLACE TRIGGER user_badges_revision_delete BEFORE DELETE ON user_badges FOR EACH ROW
    UPDATE users SET revision = GREATEST(revision + 1, CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED))
    WHERE id = OLD.user_id;

CREATE OR REPLACE TRIGGER user_fraud_information_revision_insert BEFORE INSERT ON user_fraud_information FOR EACH ROW
    UPDATE users SET revision = GREATEST(revision + 1, CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED))
    WHERE id = NEW.user_id;
CREATE OR REPLACE TRIGGER user_fraud_information_revision_update BEFORE UPDATE ON user_fraud_information FOR EACH ROW
    UPDATE users SET revision = GREATEST(revision + 1, CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED))
    WHERE id IN (OLD.user_id, NEW.user_id);
CREATE OR REPLACE TRIGGER user_fraud_information_revision_delete BEFORE DELETE ON user_fraud_information FOR EACH ROW
    UPDATE users SET revision = GREATEST(revision + 1, CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED))
    WHERE id = OLD.user_id;

CREATE OR REPLACE TRIGGER sessions_revision_insert BEFORE INSERT ON sessions FOR EACH ROW
    UPDATE users SET revision = GREATEST(revision + 1, CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED))
    WHERE id = NEW.user_id;
CREATE OR REPLACE TRIGGER sessions_revision_update BEFORE UPDATE ON sessions FOR EACH ROW
    UPDATE users SET revision = GREATEST(revision + 1, CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED))
    WHERE id IN (OLD.user_id, NEW.user_id)
      AND NOT (NEW.user_id = OLD.user_id AND BINARY NEW.id = OLD.id AND NEW.expires_at = OLD.expires_at
               AND NEW.revoked_at <=> OLD.revoked_at);
CREATE OR REPLACE TRIGGER sessions_revision_delete BEFORE DELETE ON sessions FOR EACH ROW
    UPDATE users SET revision = GREATEST(revision + 1, CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED))
    WHERE id = OLD.user_id;

-- TRUNCATE fires no trigger. It is refused (error 1701) where another table refers to the one that it empties: this
-- one, in which no row can be. users needs none, the tables of a user's rows refer to it.
CREATE OR REPLACE TABLE revision_no_truncate (
    user_id BINARY(16) NOT NULL,
    PRIMARY KEY (user_id),
    CONSTRAINT revision_no_truncate_emails FOREIGN KEY (user_id) REFERENCES user_emails (user_id),
    CONSTRAINT revision_no_truncate_identities FOREIGN KEY (user_id) REFERENCES user_identities (user_id),
    CONSTRAINT revision_no_truncate_phone_numbers FOREIGN KEY (user_id) REFERENCES user_phone_numbers (user_id),
    CONSTRAINT revision_no_truncate_badges FOREIGN KEY (user_id) REFERENCES user_badges (user_id),
    CONSTRAINT revision_no_truncate_fraud FOREIGN KEY (user_id) REFERENCES user_fraud_information (user_id),
    CONSTRAINT revision_no_truncate_sessions FOREIGN KEY (user_id) REFERENCES sessions (user_id),
    CONSTRAINT revision_no_truncate_is_empty CHECK (FALSE)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_nopad_bin;

-- One row. stands is 1 where all of the above are there, word for word, and nothing that could get past them: no other
-- BEFORE trigger, no other table in the place of one, no foreign key by which rows are changed but that of users. epoch
-- is another number once a trigger or a table was made anew, as by a restore, or the server was started: what was kept
-- before that is of no use. A worker may see no triggers; through this view it sees them as its definer does.
CREATE OR REPLACE SQL SECURITY DEFINER VIEW revision_guard_made AS
SELECT fired.ours = 20 AND fired.early = 20 AND kept.good = 7 AND tied.loose = 0
           AND tied.against_truncate = 6 AS stands,
       CAST(fired.epoch + kept.epoch + (SELECT UNIX_TIMESTAMP() - VARIABLE_VALUE
                                          FROM information_schema.GLOBAL_STATUS
                                         WHERE VARIABLE_NAME = 'UPTIME') AS SIGNED) AS epoch
  FROM (SELECT COUNT(*) AS early,
               COALESCE(SUM(CRC32(CONCAT_WS(' ', TRIGGER_NAME, CREATED, DEFINER))), 0) AS epoch,
               COALESCE(SUM(REGEXP_REPLACE(ACTION_STATEMENT, '[[:space:]]+', ' ') = BINARY
                   CASE CONCAT(EVENT_OBJECT_TABLE, ' ', EVENT_MANIPULATION)
                   WHEN 'users INSERT' THEN
                       'SET NEW.revision = CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED)'
                   WHEN 'users UPDATE' THEN
                       'SET NEW.revision = IF(NEW.revision > OLD.revision, NEW.revision, GREATEST(OLD.revision + 1, CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED)))'
                   ELSE CONCAT(
                       'UPDATE users SET revision = GREATEST(revision + 1, CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED)) WHERE id ',
                       CASE EVENT_MANIPULATION
                       WHEN 'INSERT' THEN '= NEW.user_id'
                       WHEN 'DELETE' THEN '= OLD.user_id'
                       ELSE 'IN (OLD.user_id, NEW.user_id)' END,
                       IF(EVENT_OBJECT_TABLE = 'sessions' AND EVENT_MANIPULATION = 'UPDATE',
                          ' AND NOT (NEW.user_id = OLD.user_id AND BINARY NEW.id = OLD.id AND NEW.expires_at = OLD.expires_at AND NEW.revoked_at <=> OLD.revoked_at)',
                          ''))
                   END), 0) AS ours
          FROM information_schema.TRIGGERS
         WHERE EVENT_OBJECT_SCHEMA = DATABASE() AND ACTION_TIMING = 'BEFORE'
           AND EVENT_OBJECT_TABLE IN ('users', 'user_emails', 'user_identities', 'user_phone_numbers', 'user_badges',
                                      'user_fraud_information', 'sessions')) AS fired
  JOIN (SELECT COUNT(*) AS good, COALESCE(SUM(CRC32(CONCAT_WS(' ', TABLE_NAME, CREATE_TIME))), 0) AS epoch
          FROM information_schema.TABLES
         WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE' AND ENGINE = 'InnoDB'
           AND TABLE_NAME IN ('users', 'user_emails', 'user_identities', 'user_phone_numbers', 'user_badges',
                              'user_fraud_information', 'sessions')) AS kept
  JOIN (SELECT COUNT(DISTINCT IF(TABLE_NAME = 'revision_no_truncate'
                                 AND REFERENCED_TABLE_NAME IN ('user_emails', 'user_identities', 'user_phone_numbers',
                                                               'user_badges', 'user_fraud_information', 'sessions'),
                                 REFERENCED_TABLE_NAME, NULL)) AS against_truncate,
               COALESCE(SUM(UPDATE_RULE NOT IN ('RESTRICT', 'NO ACTION')
                            OR DELETE_RULE NOT IN ('RESTRICT', 'NO ACTION')
                               AND NOT (CONSTRAINT_NAME = CONCAT(TABLE_NAME, '_user') AND TABLE_NAME <> 'users'
                                        AND REFERENCED_TABLE_NAME = 'users' AND DELETE_RULE = 'CASCADE')), 0) AS loose
          FROM information_schema.REFERENTIAL_CONSTRAINTS
         WHERE CONSTRAINT_SCHEMA = DATABASE()
           AND TABLE_NAME IN ('users', 'user_emails', 'user_identities', 'user_phone_numbers', 'user_badges',
                              'user_fraud_information', 'sessions', 'revision_no_truncate')) AS tied;

-- The view takes the place of the table of 0003_revision.sql, and the rights on it. Either may be there.
DROP TABLE IF EXISTS revision_guard;
DROP VIEW IF EXISTS revision_guard;
RENAME TABLE revision_guard_made TO revision_guard;
