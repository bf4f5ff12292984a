package main

import (
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"
)

// The members that a client may change, in the order of the statement's parameters.
var members = [...]struct {
	name     string
	maxRunes int
	required bool
}{
	{"name", 255, true}, {"bio", 4096, false}, {"avatarUrl", 2048, false}, {"locale", 255, false},
	{"timezone", 64, false},
}

type patch struct {
	set   [len(members)]bool
	value [len(members)]interface{} // a string, or nil for NULL
}

var errInvalid = errors.New("validation failed")

// readPatch takes a JSON Merge Patch.
func readPatch(body []byte) (*patch, error) {
	var given map[string]*string
	if err := json.Unmarshal(body, &given); err != nil {
		return nil, err
	}
	var p patch
	for name, value := range given {
		i := memberOf(name)
		if i < 0 || !isValid(i, value) {
			return nil, errInvalid
		}
		p.set[i] = true
		if value != nil {
			p.value[i] = *value
		}
	}
	return &p, nil
}

func memberOf(name string) int {
	for i := range members {
		if members[i].name == name {
			return i
		}
	}
	return -1
}

func isValid(i int, value *string) bool {
	if value == nil {
		return !members[i].required
	}
	return strings.TrimSpace(*value) != "" && utf8.RuneCountInString(*value) <= members[i].maxRunes
}
