-- Who changed what of a profile, and when: a row for each PATCH that changed anything, written in its transaction by
-- me.fcgi, where the setting audit.level is 'members' or 'values'. What your own applications write to users leaves no
-- row here, unless they add one.
--
-- For those who look after it:
--   * The worker's account may add rows and nothing else: it can neither read, change nor remove them, nor choose
--     their id or time. Those of 'mectl migrate --print-grants' have exactly these rights; the right to add is in it
--     only where audit.level is set.
--   * Rows stay when their user is deleted: a trail that ends with its user would tell nothing of how that came about.
--     So there is no foreign key, and user_id may name a user who is no more.
--   * This is personal data: user_id with the times of somebody's doings, and under 'values' the values themselves,
--     those that were replaced or cleared included. Say how long you keep it, and keep to it: 'mectl audit prune
--     --older-than DAYS' from cron. What a user has a right to see or to have erased, 'mectl audit export --user ID'
--     and 'mectl audit prune --user ID --older-than 0' give. Backups and binary logs hold it as long as you keep them.
--   * It only grows at its end, and is pruned from its front, a thousand rows at a time.

CREATE TABLE profile_changes (
    id            BIGINT      NOT NULL AUTO_INCREMENT, -- grows, with gaps
    changed_at    DATETIME(3) NOT NULL DEFAULT UTC_TIMESTAMP(3),
    user_id       BINARY(16)  NOT NULL,
    request_id    VARCHAR(64) NOT NULL, -- X-Request-Id of the answer, and in the worker's log
    issuer        TEXT        NULL,     -- who issued the login token: its claim iss
    client        TEXT        NULL,     -- the application that it was issued to: its claim azp, else client_id
    members       SET ('name', 'bio', 'avatarUrl', 'locale', 'timezone') NOT NULL, -- those whose value became another
    member_values MEDIUMTEXT  NULL,     -- of 'values': {"bio": {"old": null, "new": "Hello"}}, one for each of members
    PRIMARY KEY (id),
    KEY profile_changes_by_time (changed_at),
    KEY profile_changes_by_user (user_id, changed_at),
    CONSTRAINT profile_changes_has_members CHECK (members <> ''),
    CONSTRAINT profile_changes_values_are_json CHECK (JSON_VALID(member_values)),
    CONSTRAINT profile_changes_values_are_short CHECK (OCTET_LENGTH(member_values) <= 131072)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_nopad_bin;
