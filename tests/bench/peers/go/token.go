package main

import (
	"bytes"
	"crypto/rsa"
	"errors"
	"os"

	"github.com/golang-jwt/jwt"
)

type claims struct {
	jwt.RegisteredClaims
	Session string `json:"sid"`
}

// keys are those of the service; each is for one algorithm.
type keys struct {
	secret           []byte
	public           *rsa.PublicKey
	issuer, audience string
	parser           *jwt.Parser
}

func readKeys(secretFile, publicFile, issuer, audience string) (*keys, error) {
	secret, err := os.ReadFile(secretFile)
	if err != nil {
		return nil, err
	}
	pem, err := os.ReadFile(publicFile)
	if err != nil {
		return nil, err
	}
	public, err := jwt.ParseRSAPublicKeyFromPEM(pem)
	if err != nil {
		return nil, err
	}
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"HS256", "RS256"}))
	return &keys{bytes.TrimRight(secret, "\r\n"), public, issuer, audience, parser}, nil
}

func (k *keys) of(token *jwt.Token) (interface{}, error) {
	if token.Method == jwt.SigningMethodHS256 {
		return k.secret, nil
	}
	return k.public, nil
}

var errRefused = errors.New("the token is refused")

// verify returns the user and the session that the token was issued for.
func (k *keys) verify(text string) (id userID, session string, err error) {
	var c claims
	if _, err = k.parser.ParseWithClaims(text, &c, k.of); err != nil {
		return id, "", err
	}
	if c.ExpiresAt == nil || !c.VerifyIssuer(k.issuer, true) || !c.VerifyAudience(k.audience, true) ||
		c.Session == "" {
		return id, "", errRefused
	}
	id, err = parseID(c.Subject)
	return id, c.Session, err
}
