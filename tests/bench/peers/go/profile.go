package main

import (
	"encoding/hex"
	"errors"
	"time"
)

type userID [16]byte

// moment is a time as the resource shows it.
type moment time.Time

func (m moment) MarshalJSON() ([]byte, error) {
	return time.Time(m).AppendFormat(make([]byte, 0, 26), `"2006-01-02T15:04:05.000Z"`), nil
}

type email struct {
	ID          string `json:"id"`
	UserID      string `json:"userId"`
	Email       string `json:"email"`
	Verified    bool   `json:"verified"`
	PasswordSet bool   `json:"passwordSet"`
	TokenSet    bool   `json:"tokenSet"`
	CreatedAt   moment `json:"createdAt"`
	UpdatedAt   moment `json:"updatedAt"`
	isDefault   bool
}

type identity struct {
	ID        string  `json:"id"`
	Name      *string `json:"name,omitempty"`
	Email     *string `json:"email,omitempty"`
	AvatarURL *string `json:"avatarUrl,omitempty"`
	Provider  string  `json:"provider"`
	CreatedAt moment  `json:"createdAt"`
	UpdatedAt moment  `json:"updatedAt"`
}

type phone struct {
	ID          string `json:"id"`
	UserID      string `json:"userId"`
	PhoneNumber string `json:"phoneNumber"`
	Verified    bool   `json:"verified"`
	Primary     bool   `json:"primary"`
	CreatedAt   moment `json:"createdAt"`
	UpdatedAt   moment `json:"updatedAt"`
}

type fraud struct {
	Score  int64  `json:"score"`
	UserID string `json:"userId"`
}

type profile struct {
	ID             string     `json:"id"`
	Status         string     `json:"status"`
	Name           string     `json:"name"`
	Bio            *string    `json:"bio,omitempty"`
	ActiveSessions int64      `json:"activeSessions"`
	CreatedAt      moment     `json:"createdAt"`
	UpdatedAt      moment     `json:"updatedAt"`
	Emails         []email    `json:"emails"`
	DefaultEmail   *string    `json:"defaultEmail,omitempty"`
	Identities     []identity `json:"identities"`
	AvatarURL      *string    `json:"avatarUrl,omitempty"`
	PhoneNumber    *string    `json:"phoneNumber,omitempty"`
	PhoneNumbers   []phone    `json:"phoneNumbers"`
	Locale         *string    `json:"locale,omitempty"`
	Timezone       *string    `json:"timezone,omitempty"`
	Badges         []string   `json:"badges"`
	Fraud          *fraud     `json:"userFraudInformation,omitempty"`
}

func newProfile(id userID) *profile {
	return &profile{ID: formatID(id[:]), Emails: []email{}, Identities: []identity{}, PhoneNumbers: []phone{},
		Badges: []string{}}
}

func formatID(id []byte) string {
	if len(id) != 16 {
		return ""
	}
	var text [36]byte
	hex.Encode(text[0:8], id[0:4])
	hex.Encode(text[9:13], id[4:6])
	hex.Encode(text[14:18], id[6:8])
	hex.Encode(text[19:23], id[8:10])
	hex.Encode(text[24:36], id[10:16])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return string(text[:])
}

func parseID(text string) (userID, error) {
	var id userID
	if len(text) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return id, errors.New("not a UUID")
	}
	digits := text[0:8] + text[9:13] + text[14:18] + text[19:23] + text[24:36]
	_, err := hex.Decode(id[:], []byte(digits))
	return id, err
}
