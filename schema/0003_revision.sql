-- The revision of a user: a number that is another one after every change of anything that the resource shows, in
-- users or in any table of a user's rows, whoever makes it. By one look at it a worker knows whether the answer that
-- it kept is still right. It is moved by the triggers of 0004_revision_triggers.sql; leave it to them.
--
-- Rows that are there already begin at 0, so that adding the column rewrites no row.

ALTER TABLE users
    ADD COLUMN revision BIGINT NOT NULL DEFAULT 0;

-- Where workers ask whether the triggers stand. Until 0004_revision_triggers.sql puts a view in its place, it says
-- nothing, which means no; it is here already, so that the right to read it can be granted.
CREATE TABLE revision_guard (
    stands BOOLEAN NOT NULL,
    epoch  BIGINT  NOT NULL,
    CONSTRAINT revision_guard_is_empty CHECK (FALSE)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_nopad_bin;
