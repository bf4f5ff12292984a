package main

import (
	"context"
	"database/sql"
	"sort"
	"time"
)

// One round trip: the rows of all tables, each with the kind of what it is.
const readSQL = `SELECT 1 AS kind, c.id AS id, c.created_at AS created, c.updated_at AS updated,
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
 FROM user_badges c WHERE c.user_id = ?`

// One statement changes what the patch has and proves user and session: updated_at is first, since MariaDB assigns
// from left to right, and moves only where a value does.
const updateSQL = `UPDATE users c SET
 c.updated_at = IF((? AND NOT c.name <=> ?) OR (? AND NOT c.bio <=> ?) OR (? AND NOT c.avatar_url <=> ?)
 OR (? AND NOT c.locale <=> ?) OR (? AND NOT c.timezone <=> ?),
 GREATEST(UTC_TIMESTAMP(3), c.updated_at + INTERVAL 1000 MICROSECOND), c.updated_at),
 c.name = IF(?, ?, c.name), c.bio = IF(?, ?, c.bio), c.avatar_url = IF(?, ?, c.avatar_url),
 c.locale = IF(?, ?, c.locale), c.timezone = IF(?, ?, c.timezone)
 WHERE c.id = ? AND c.status NOT IN ('deleted', 'banned') AND EXISTS (SELECT 1 FROM sessions s
 WHERE s.user_id = c.id AND s.id = ? AND s.revoked_at IS NULL AND s.expires_at > UTC_TIMESTAMP(3))`

const sessionActive = 1

type access int

const (
	granted access = iota
	refused
	banned
)

type store struct {
	read, update *sql.Stmt
}

func openStore(dsn string, connections int) (*store, error) {
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	read, err := db.Prepare(readSQL)
	if err != nil {
		return nil, err
	}
	update, err := db.Prepare(updateSQL)
	return &store{read, update}, err
}

// row is one of any kind; what a kind does not have is NULL.
type row struct {
	kind             int
	id               []byte
	created, updated sql.NullTime
	number           [4]sql.NullInt64
	text             [6]sql.NullString
}

func (r *row) scan(rows *sql.Rows) error {
	n, t := &r.number, &r.text
	return rows.Scan(&r.kind, &r.id, &r.created, &r.updated, &n[0], &n[1], &n[2], &n[3],
		&t[0], &t[1], &t[2], &t[3], &t[4], &t[5])
}

func (r *row) is(number int) bool { return r.number[number].Int64 != 0 }

func optional(text sql.NullString) *string {
	if !text.Valid {
		return nil
	}
	return &text.String
}

// add puts the row into its place in the profile.
func (p *profile) add(r *row) {
	created, updated := moment(r.created.Time), moment(r.updated.Time)
	switch r.kind {
	case 1:
		p.Status, p.Name, p.Bio = r.text[5].String, r.text[0].String, optional(r.text[4])
		p.AvatarURL, p.Locale, p.Timezone = optional(r.text[3]), optional(r.text[1]), optional(r.text[2])
		p.ActiveSessions, p.CreatedAt, p.UpdatedAt = r.number[0].Int64, created, updated
		if r.number[1].Valid {
			p.Fraud = &fraud{r.number[1].Int64, p.ID}
		}
	case 2:
		p.Emails = append(p.Emails, email{formatID(r.id), p.ID, r.text[0].String, r.is(0), r.is(1), r.is(2), created,
			updated, r.is(3)})
	case 3:
		p.Identities = append(p.Identities, identity{r.text[0].String, optional(r.text[2]), optional(r.text[5]),
			optional(r.text[3]), r.text[1].String, created, updated})
	case 4:
		p.PhoneNumbers = append(p.PhoneNumbers, phone{formatID(r.id), p.ID, r.text[0].String, r.is(0), r.is(1),
			created, updated})
	case 5:
		p.Badges = append(p.Badges, r.text[0].String+":"+r.text[1].String)
	}
}

// load reads the profile, and judges its user and the session.
func (s *store) load(ctx context.Context, id userID, session string) (*profile, access, error) {
	key := id[:]
	rows, err := s.read.QueryContext(ctx, session, key, key, key, key, key)
	if err != nil {
		return nil, refused, err
	}
	defer rows.Close()
	p, verdict := newProfile(id), refused
	var r row
	for rows.Next() {
		if err := r.scan(rows); err != nil {
			return nil, refused, err
		}
		p.add(&r)
		if r.kind == 1 {
			verdict = judge(p.Status, r.number[2].Int64)
		}
	}
	p.finish()
	return p, verdict, rows.Err()
}

func judge(status string, session int64) access {
	if status == "deleted" || session != sessionActive {
		return refused
	}
	if status == "banned" {
		return banned
	}
	return granted
}

// change does nothing to a user who is refused: load says so afterwards.
func (s *store) change(ctx context.Context, id userID, session string, p *patch) error {
	all := make([]interface{}, 0, 22)
	for range [2]int{} {
		for i := range p.set {
			all = append(all, p.set[i], p.value[i])
		}
	}
	all = append(all, id[:], session)
	_, err := s.update.ExecContext(ctx, all...)
	return err
}

// finish puts the rows into the order of the resource; SQL promises none.
func (p *profile) finish() {
	sort.Slice(p.Emails, func(i, j int) bool {
		a, b := &p.Emails[i], &p.Emails[j]
		if a.isDefault != b.isDefault {
			return a.isDefault
		}
		return before(a.CreatedAt, b.CreatedAt, a.ID, b.ID)
	})
	sort.Slice(p.PhoneNumbers, func(i, j int) bool {
		a, b := &p.PhoneNumbers[i], &p.PhoneNumbers[j]
		if a.Primary != b.Primary {
			return a.Primary
		}
		return before(a.CreatedAt, b.CreatedAt, a.ID, b.ID)
	})
	sort.Slice(p.Identities, func(i, j int) bool {
		a, b := &p.Identities[i], &p.Identities[j]
		return before(a.CreatedAt, b.CreatedAt, a.ID, b.ID)
	})
	sort.Strings(p.Badges)
	if len(p.Emails) > 0 && p.Emails[0].isDefault {
		p.DefaultEmail = &p.Emails[0].Email
	}
	if len(p.PhoneNumbers) > 0 && p.PhoneNumbers[0].Primary {
		p.PhoneNumber = &p.PhoneNumbers[0].PhoneNumber
	}
}

func before(a, b moment, idA, idB string) bool {
	if !time.Time(a).Equal(time.Time(b)) {
		return time.Time(a).Before(time.Time(b))
	}
	return idA < idB
}
