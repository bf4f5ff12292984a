// The same service, GET and PATCH /me, as it would be written in Go: net/http, golang-jwt and go-sql-driver. It does
// what the measurements need: tokens, sessions, the whole resource with its ETag, the merge patch. Of what is seldom it
// leaves out much that the contract wants (CORS, problem documents, the stricter validators), to its advantage.
//
// In the environment: BENCH_LISTEN, BENCH_DSN, BENCH_CONNECTIONS, BENCH_SECRET_FILE, BENCH_PUBLIC_KEY_FILE,
// BENCH_ISSUER and BENCH_AUDIENCE.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"

	_ "github.com/go-sql-driver/mysql"
)

const bodyMaxBytes = 65536

type service struct {
	keys  *keys
	store *store
}

func refuse(w http.ResponseWriter, status int, code string) {
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	io.WriteString(w, `{"code":"`+code+`"}`)
}

func etagOf(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`
}

// respond writes the resource, or 304 where the client has it already.
func respond(w http.ResponseWriter, r *http.Request, p *profile) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(p); err != nil {
		refuse(w, http.StatusInternalServerError, "internal_error")
		return
	}
	text := bytes.TrimSuffix(body.Bytes(), []byte("\n"))
	etag, header := etagOf(text), w.Header()
	header.Set("ETag", etag)
	header.Set("Cache-Control", "private, no-cache")
	header.Set("Vary", "Authorization")
	header.Set("X-Content-Type-Options", "nosniff")
	if r.Method == http.MethodGet && r.Header.Get("If-None-Match") == etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	header.Set("Content-Type", "application/json")
	header.Set("Content-Length", strconv.Itoa(len(text)))
	w.Write(text)
}

func (s *service) answer(w http.ResponseWriter, r *http.Request, id userID, session string) {
	p, verdict, err := s.store.load(r.Context(), id, session)
	switch {
	case err != nil:
		log.Print(err)
		refuse(w, http.StatusServiceUnavailable, "service_unavailable")
	case verdict == banned:
		refuse(w, http.StatusForbidden, "user_banned")
	case verdict == refused:
		refuse(w, http.StatusUnauthorized, "unauthorized")
	default:
		respond(w, r, p)
	}
}

// change answers the request itself where it returns false.
func (s *service) change(w http.ResponseWriter, r *http.Request, id userID, session string) bool {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyMaxBytes))
	if err != nil {
		refuse(w, http.StatusRequestEntityTooLarge, "body_too_large")
		return false
	}
	p, err := readPatch(body)
	if err == errInvalid {
		refuse(w, http.StatusUnprocessableEntity, "validation_failed")
		return false
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, "invalid_json")
		return false
	}
	if err := s.store.change(r.Context(), id, session, p); err != nil {
		log.Print(err)
		refuse(w, http.StatusServiceUnavailable, "service_unavailable")
		return false
	}
	return true
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodPatch {
		w.Header().Set("Allow", "GET, PATCH")
		refuse(w, http.StatusMethodNotAllowed, "method_not_allowed")
		return
	}
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	id, session, err := s.keys.verify(token)
	if err != nil {
		refuse(w, http.StatusUnauthorized, "unauthorized")
		return
	}
	if r.Method == http.MethodPatch && !s.change(w, r, id, session) {
		return
	}
	s.answer(w, r, id, session)
}

func main() {
	connections, err := strconv.Atoi(os.Getenv("BENCH_CONNECTIONS"))
	if err != nil {
		log.Fatal("BENCH_CONNECTIONS: ", err)
	}
	keys, err := readKeys(os.Getenv("BENCH_SECRET_FILE"), os.Getenv("BENCH_PUBLIC_KEY_FILE"),
		os.Getenv("BENCH_ISSUER"), os.Getenv("BENCH_AUDIENCE"))
	if err != nil {
		log.Fatal(err)
	}
	store, err := openStore(os.Getenv("BENCH_DSN"), connections)
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/me", &service{keys, store})
	log.Fatal(http.ListenAndServe(os.Getenv("BENCH_LISTEN"), mux))
}
