#include "mectl/doctor/finding.h"

#include <string.h>

/* Remedies that several findings have. */
#define TAKE_OUT_REQUEST_HEADER(header)                                                            \
    {                                                                                              \
        .apache = "# in the <Location> block of /me, or in .htaccess, take out what "              \
                  "unsets it, as:\n"                                                               \
                  "#     RequestHeader unset " header,                                             \
        .lighttpd = "# take out what empties it, as:\n"                                            \
                    "#     setenv.set-request-header = (\"" header "\" => \"\")",                  \
        .nginx = "# in the location of /me, take out what empties it, as:\n"                       \
                 "#     fastcgi_param HTTP_... \"\";\n"                                            \
                 "#     fastcgi_pass_request_headers off;",                                        \
        .caddy = "# in the reverse_proxy of /me, take out what removes it, as:\n"                  \
                 "#     header_up -" header,                                                       \
    }

#define TAKE_OUT_ANSWER_HEADER                                                                     \
    {                                                                                              \
        .apache = "# in the <Location> block of /me, or in .htaccess, take out what "              \
                  "unsets or sets them, as:\n"                                                     \
                  "#     Header unset ...\n"                                                       \
                  "#     ExpiresActive On",                                                        \
        .lighttpd = "# take out what sets them, as:\n"                                             \
                    "#     setenv.set-response-header = (...)\n"                                   \
                    "#     expire.url = (...)",                                                    \
        .nginx = "# in the location of /me, and around it, take out what hides or sets "           \
                 "them, as:\n"                                                                     \
                 "#     fastcgi_hide_header ...;\n"                                                \
                 "#     expires ...;",                                                             \
        .caddy = "# in the reverse_proxy of /me, and around it, take out what removes "            \
                 "or sets them, as:\n"                                                             \
                 "#     header_down -...\n"                                                        \
                 "#     header -...",                                                              \
    }

/* Whoever started workers starts new ones. */
#define RESTART(lines)                                                                             \
    ANY_SERVER(                                                                                    \
        "# lighttpd, mod_fcgid, multiwatch and systemd start new ones by themselves; after "       \
        "spawn-fcgi alone run that again:\n" lines)

/* What helps where the web server is not one's own to set up. */
#define OR_OVERRIDE                                                                                \
    "# where the block is not yours to mend, in me.conf, in [request]:\n"                          \
    "#     method_override = on\n"                                                                 \
    "# and clients send POST with X-HTTP-Method-Override: PATCH"
#define OR_OTHER_HEADER                                                                            \
    "# where that is not yours to mend, in me.conf, in [token]:\n"                                 \
    "#     header = X-Authorization\n"                                                             \
    "# and clients send the token in that header"

#define ANY_SERVER(lines)                                                                          \
    {                                                                                              \
        .any = (lines)                                                                             \
    }

static const struct finding_row rows[FINDING__MAX] = {
    /* ---- settings, files, keys */
    [FINDING_SETTINGS_WRONG] = {"settings-wrong", NULL, WEIGHT_WRONG, "the settings cannot be used",
                                "No worker starts with them.",
                                ANY_SERVER("# what can be set, and to what:\n"
                                           "mectl config list")},
    [FINDING_FILE_WRITABLE] = {"file-writable", NULL, WEIGHT_WRONG, "others can write to a file",
                               "Who can write a key or the settings decides whose tokens count.",
                               ANY_SERVER("chmod go-w @PATH@")},
    [FINDING_FOLDER_WRITABLE] = {"folder-writable", NULL, WEIGHT_WRONG,
                                 "others can write to a folder",
                                 "Who can put another file into the place of a key or of the "
                                 "settings decides whose tokens count; suexec refuses it as well.",
                                 ANY_SERVER("chmod go-w @PATH@")},
    [FINDING_SECRET_READABLE] = {"secret-readable", "key", WEIGHT_STOPS, "others can read a secret",
                                 "Who has a secret can make tokens for every user; no worker "
                                 "starts as long as it lies open.",
                                 ANY_SERVER("chmod 0600 @PATH@\n"
                                            "# or, where root owns it, with the group of the "
                                            "workers alone:\n"
                                            "#     chgrp www-data @PATH@ && chmod 0640 @PATH@")},
    [FINDING_KEY_UNUSABLE] = {"key-unusable", "key", WEIGHT_STOPS, "a key cannot be used",
                              "No worker starts without its keys.",
                              ANY_SERVER("# a new secret, and a new key pair:\n"
                                         "#     mectl keys generate --secret FILE\n"
                                         "#     mectl keys generate --rsa FILE\n"
                                         "# the keys of an issuer:\n"
                                         "#     mectl keys fetch --issuer URL --file FILE")},
    [FINDING_KEY_DEFECTIVE] = {"key-defective", "key passed over", WEIGHT_WARNS,
                               "a key of a set is defective",
                               "Tokens that were signed by it are refused.",
                               ANY_SERVER("# see which; then ask the issuer for its keys again:\n"
                                          "mectl keys list\n"
                                          "#     mectl keys fetch")},
    [FINDING_KEY_IDLE] = {"key-idle", "key", WEIGHT_WARNS,
                          "a key is of an algorithm that token.algorithms does not allow",
                          "Tokens that were signed by it are refused.",
                          ANY_SERVER("# in me.conf, in [token]:\n"
                                     "algorithms = HS256, RS256")},
    [FINDING_KEYS_WITHDRAWN] = {"keys-withdrawn", "key", WEIGHT_WRONG,
                                "every key in force was withdrawn by its issuer",
                                "After the last one's end no token is accepted.",
                                ANY_SERVER("# get the issuer's keys of now:\n"
                                           "#     mectl keys fetch")},
    [FINDING_CERTIFICATE_ENDS] = {"certificate-ends", "key", WEIGHT_WARNS,
                                  "the certificate that a key came in ends",
                                  "The key goes on to count, but its issuer will sign with another "
                                  "one.",
                                  ANY_SERVER("# ask the issuer for its new certificate, and name "
                                             "both in me.conf, in [token]:\n"
                                             "#     public_key_file = OLD, NEW")},
    [FINDING_CORS_MALFORMED] = {"cors-malformed", "cors", WEIGHT_STOPS,
                                "cors.origin cannot be used", "No worker starts with it.",
                                ANY_SERVER("# in me.conf, in [cors], as a browser writes it:\n"
                                           "#     origin = https://app.example.com")},
    [FINDING_ISSUER_OPEN] = {"issuer-open", "token.issuer", WEIGHT_WARNS, "token.issuer is empty",
                             "A token that was made for another purpose with the same key lets its "
                             "bearer in.",
                             ANY_SERVER("# in me.conf, in [token], the claim iss of your tokens:\n"
                                        "#     issuer = https://login.example.com")},
    [FINDING_AUDIENCE_OPEN] =
        {"audience-open", "token.audience", WEIGHT_WARNS, "token.audience is empty",
         "Whoever gets a token of one of your users, to serve them elsewhere, "
         "can use it here.",
         ANY_SERVER("# in me.conf, in [token], the claim aud of your tokens:\n"
                    "#     audience = https://api.example.com")},
    [FINDING_SUBJECT_OPEN] = {"subject-open", "token.subject", WEIGHT_WARNS,
                              "token.subject is identity, and token.issuer is empty",
                              "Whoever has one of the keys can name any issuer, and so any user.",
                              ANY_SERVER("# in me.conf, in [token], the claim iss of your tokens:\n"
                                         "#     issuer = https://login.example.com")},
    [FINDING_PROVISION_SESSIONS] = {"provision-sessions", "token.provision", WEIGHT_WARNS,
                                    "token.provision is on, and token.sessions is not off",
                                    "Issuers such as Keycloak name a session in every token, and "
                                    "it is nowhere in the database.",
                                    ANY_SERVER("# in me.conf, in [token]:\n"
                                               "sessions = off")},
    [FINDING_ZONES_MISSING] = {"zones-missing", "timezone", WEIGHT_WARNS,
                               "the system has no time zone database",
                               "Names that are newer than this program are refused.",
                               ANY_SERVER("apt-get install tzdata")},

    /* ---- the workers of this host */
    [FINDING_CACHE_UNUSABLE] =
        {"cache-unusable", NULL, WEIGHT_WARNS, "no profile can be kept on this host",
         "Workers read the whole of one for each request: slower, and as right.",
         ANY_SERVER("# a folder of the workers' account, on a tmpfs with room for it:\n"
                    "#     install -d -o www-data -g www-data -m 0750 /run/me-fcgi\n"
                    "# in me.conf, a file in it:\n"
                    "#     [cache]\n"
                    "#     path = /run/me-fcgi/cache\n"
                    "#     size_mib = 16\n"
                    "# or, where none is wanted:\n"
                    "#     mode = off")},
    [FINDING_WORKER_REFUSES] = {"worker-refuses", NULL, WEIGHT_WRONG, "a worker would not start",
                                "Everybody is answered 500 or 503.",
                                ANY_SERVER("# what me.conf names has to be readable by the account "
                                           "of the workers, and by nobody else:\n"
                                           "#     chgrp www-data FILE && chmod 0640 FILE")},
    [FINDING_WORKER_OUTDATED] = {"worker-outdated", NULL, WEIGHT_WRONG,
                                 "a worker runs that is older than its files",
                                 "What was changed since then does not count yet.",
                                 RESTART("kill @THIS@")},
    [FINDING_WORKER_IS_ROOT] = {"worker-is-root",
                                NULL,
                                WEIGHT_WARNS,
                                "a worker runs as root",
                                "A fault in it would have the whole machine.",
                                {.any = "# give spawn-fcgi an account:\n"
                                        "#     spawn-fcgi -u www-data ...",
                                 .lighttpd = "# in the server's configuration:\n"
                                             "server.username = \"www-data\"\n"
                                             "server.groupname = \"www-data\""}},
    [FINDING_LOG_UNWRITABLE] = {"log-unwritable", NULL, WEIGHT_WRONG,
                                "log.file cannot be written to",
                                "No worker starts, since what it has to say would be lost.",
                                ANY_SERVER("# its folder has to be the workers' own:\n"
                                           "#     install -d -o www-data -g www-data -m 0750 "
                                           "FOLDER")},
    [FINDING_SOCKET_TAKEN] =
        {"socket-taken", NULL, WEIGHT_WRONG,
         "process.socket is own, and a worker has its socket with others",
         "The first worker that is told to end takes it from them all: everybody is answered 502.",
         ANY_SERVER("# in me.conf, in [process], and where they are started without "
                    "ME_PROCESS_SOCKET=own:\n"
                    "socket = shared")},
    [FINDING_SOCKET_LOST] =
        {"socket-lost",
         NULL,
         WEIGHT_WARNS,
         "process.socket is shared, and lighttpd gives each worker a socket of its own",
         "What waits in it when the worker is told to end is lost: clients get a 500.",
         {.any = "# in bin-environment of fastcgi.server:\n"
                 "#     \"ME_PROCESS_SOCKET\" => \"own\"\n"
                 "# or, where lighttpd starts all workers, in me.conf, in [process]:\n"
                 "socket = own",
          .lighttpd = "# in fastcgi.server, in the block of /me, beside ME_CONF:\n"
                      "#     \"bin-environment\" => (..., \"ME_PROCESS_SOCKET\" => \"own\"),\n"
                      "# or, where lighttpd starts all workers, in me.conf, in [process]:\n"
                      "socket = own"}},

    /* ---- the database */
    [FINDING_PASSWORD_UNUSABLE] = {"password-unusable", "password", WEIGHT_STOPS,
                                   "the password of an account cannot be used",
                                   "No worker starts without the passwords that me.conf names.",
                                   ANY_SERVER("# a file of one line:\n"
                                              "#     install -m 0600 /dev/null FILE && "
                                              "openssl rand -hex 16 >FILE\n"
                                              "# then the account gets what is in it, as an "
                                              "administrator of the database:\n"
                                              "#     mectl migrate --print-grants --for @THIS@ | "
                                              "mariadb")},
    [FINDING_DATABASE_UNREACHED] = {"database-unreached", "database", WEIGHT_WRONG,
                                    "the database does not answer",
                                    "Everybody is answered 503, or this host is of no help when "
                                    "another one is away.",
                                    ANY_SERVER("# where the server has its socket, on its "
                                               "machine:\n"
                                               "#     mariadb -e 'SELECT @@socket'\n"
                                               "# in me.conf, in [database]:\n"
                                               "#     host = /run/mysqld/mysqld.sock")},
    [FINDING_DATABASE_UNTRUSTED] = {"database-untrusted", "database", WEIGHT_WRONG,
                                    "the database's TLS is not to be trusted",
                                    "Everybody is answered 503: who could take the place of the "
                                    "database could read and change every profile.",
                                    ANY_SERVER("# in me.conf, in [database], the certificate of "
                                               "who signed the server's:\n"
                                               "#     tls_ca = /etc/me-fcgi/database-ca.pem\n"
                                               "# or, for a server on this machine, its socket:\n"
                                               "#     host = /run/mysqld/mysqld.sock")},
    [FINDING_DATABASE_PLAIN] = {"database-plain", NULL, WEIGHT_WARNS,
                                "the database is asked over a network without verified TLS",
                                "Whoever is in between can read and change every profile.",
                                ANY_SERVER("# in me.conf, in [database]:\n"
                                           "tls = verify")},
    [FINDING_DATABASE_FULL] = {"database-full", "database", WEIGHT_WRONG,
                               "the database takes no more connections",
                               "Some requests are answered 503.",
                               ANY_SERVER(
                                   "# run fewer workers, or, as its administrator, allow "
                                   "more:\n"
                                   "#     SET GLOBAL max_connections = 300;\n"
                                   "#     ALTER USER @THIS@ WITH MAX_USER_CONNECTIONS 100;")},
    [FINDING_DATABASE_STRANGE] = {"database-strange", "database", WEIGHT_WRONG,
                                  "the database is none that me.fcgi knows",
                                  "It needs MariaDB 10.3 or later; of others nothing was tested.",
                                  ANY_SERVER("# on Debian and Ubuntu:\n"
                                             "#     apt-get install mariadb-server")},
    [FINDING_DATABASE_READ_ONLY] = {"database-read-only", NULL, WEIGHT_WRONG,
                                    "the database is read-only", "Every PATCH is answered 503.",
                                    ANY_SERVER("# name the primary first in me.conf, in "
                                               "[database], or, where it is no replica, as its "
                                               "administrator:\n"
                                               "#     SET GLOBAL read_only = OFF;")},
    [FINDING_ACCOUNT_REFUSED] = {"account-refused", "database", WEIGHT_WRONG,
                                 "the database does not let an account in",
                                 "What the account is for cannot be done.",
                                 ANY_SERVER("# as an administrator of the database:\n"
                                            "#     mectl migrate --print-grants --for @THIS@ | "
                                            "mariadb")},
    [FINDING_ACCOUNT_PLUGIN] = {"account-plugin", "database", WEIGHT_WRONG,
                                "an account logs in by a plugin that is not here",
                                "What the account is for cannot be done; a program that is linked "
                                "statically has no plugins at all.",
                                ANY_SERVER("# as an administrator of the database; it logs in by "
                                           "mysql_native_password then, which takes none:\n"
                                           "#     mectl migrate --print-grants --for @THIS@ | "
                                           "mariadb")},
    [FINDING_RIGHTS_MISSING] = {"rights-missing", NULL, WEIGHT_WRONG, "an account lacks rights",
                                "What needs them is answered 503.",
                                ANY_SERVER("# as an administrator of the database:\n"
                                           "#     mectl migrate --print-grants --for @THIS@ | "
                                           "mariadb")},
    [FINDING_RIGHTS_EXCESS] = {"rights-excess", NULL, WEIGHT_WARNS,
                               "an account has rights that it does not need",
                               "A stolen password, or a fault in the program, would reach as far "
                               "as they do.",
                               ANY_SERVER("# as an administrator of the database; first, where the "
                                          "account has by a role or by PUBLIC what it needs:\n"
                                          "#     mectl migrate --print-grants | mariadb\n"
                                          "@THIS@")},
    [FINDING_AUDIT_FAILS] = {"audit-fails", "audit", WEIGHT_WRONG,
                             "every PATCH that changes something will fail",
                             "Where audit.level is set, a change that cannot be recorded is not "
                             "made.",
                             ANY_SERVER("mectl migrate\n"
                                        "# then, as an administrator of the database:\n"
                                        "#     mectl migrate --print-grants --for worker | "
                                        "mariadb")},
    [FINDING_MIGRATIONS_MISSING] = {"migrations-missing", "migrations", WEIGHT_WRONG,
                                    "the schema is not up to date", "Everybody is answered 503.",
                                    ANY_SERVER("mectl migrate")},
    [FINDING_MIGRATIONS_DIFFER] = {"migrations-differ", "migrations", WEIGHT_WRONG,
                                   "the schema is another one than this program's",
                                   "It was migrated by a newer version, or its migrations were "
                                   "changed: what the worker reads may not be what is meant.",
                                   ANY_SERVER("# see which; then install the version that "
                                              "migrated it, or bring back what was dropped:\n"
                                              "mectl migrate --status")},
    [FINDING_REVISIONS_UNGUARDED] = {"revisions-unguarded", NULL, WEIGHT_WARNS,
                                     "nothing moves the revision of a user that was changed",
                                     "So workers keep no profile, and read the whole of one for "
                                     "each request: slower, and as right.",
                                     ANY_SERVER("mectl migrate --again\n"
                                                "# still so: a BEFORE trigger of your own, or a "
                                                "foreign key that changes rows, see\n"
                                                "# schema/0004_revision_triggers.sql:\n"
                                                "#     SHOW TRIGGERS;")},
    [FINDING_DEFINER_MISSING] = {"definer-missing", NULL, WEIGHT_WRONG,
                                 "the account that made the triggers was dropped",
                                 "No program can change a user or a user's rows: error 1449.",
                                 ANY_SERVER("mectl migrate --again")},
    [FINDING_CLOCK_DIFFERS] = {"clock-differs", NULL, WEIGHT_WARNS,
                               "the clocks of this host and of the database differ",
                               "Tokens end by the one, sessions by the other.",
                               ANY_SERVER("# on both machines:\n"
                                          "#     timedatectl set-ntp true")},
    [FINDING_CONNECTIONS_FEW] = {"connections-few", NULL, WEIGHT_WARNS,
                                 "the database allows fewer connections than the workers need",
                                 "Under load some requests are answered 503.",
                                 ANY_SERVER("# run fewer workers, or, as its administrator, allow "
                                            "more:\n"
                                            "#     SET GLOBAL max_connections = 300;\n"
                                            "#     ALTER USER @THIS@ WITH MAX_USER_CONNECTIONS "
                                            "100;")},

    /* ---- from outside */
    [FINDING_URL_UNREACHED] = {"url-unreached", NULL, WEIGHT_WRONG, "nobody answers at the URL",
                               "Nobody can read or change a profile.",
                               ANY_SERVER("# see that the web server runs, and listens there:\n"
                                          "#     ss -ltnp")},
    [FINDING_URL_UNTRUSTED] = {"url-untrusted", NULL, WEIGHT_WRONG,
                               "the web server's certificate is not to be trusted",
                               "Clients that verify it do not talk to the server, and those that "
                               "do not can be robbed of their tokens.",
                               ANY_SERVER("# a certificate for this name, from a CA that clients "
                                          "know, with its whole chain, as certbot gets it;\n"
                                          "# a CA of your own is named with --ca FILE")},
    [FINDING_URL_REDIRECTS] = {"url-redirects", NULL, WEIGHT_WRONG, "the URL leads elsewhere",
                               "Many clients leave the token behind when they follow, and make a "
                               "GET of a PATCH.",
                               ANY_SERVER("# give clients the address that it leads to:\n"
                                          "#     @THIS@")},
    [FINDING_TLS_MISSING] =
        {"tls-missing",
         NULL,
         WEIGHT_WRONG,
         "the URL is not https",
         "Who reads along has the tokens.",
         {.any = "# give the web server a certificate, as "
                 "certbot does it, and clients the https URL",
          .apache = "# certbot --apache does it, or, in the "
                    "<VirtualHost> of port 443:\n"
                    "SSLEngine on\n"
                    "SSLCertificateFile /etc/ssl/example.pem\n"
                    "SSLCertificateKeyFile /etc/ssl/example.key",
          .lighttpd = "server.modules += (\"mod_openssl\")\n"
                      "$SERVER[\"socket\"] == \":443\" {\n"
                      "    ssl.engine = \"enable\"\n"
                      "    ssl.pemfile = \"/etc/ssl/example.pem\"\n"
                      "    ssl.privkey = \"/etc/ssl/example.key\"\n"
                      "}",
          .nginx = "# certbot --nginx does it, or, in the server "
                   "block:\n"
                   "listen 443 ssl;\n"
                   "ssl_certificate /etc/ssl/example.pem;\n"
                   "ssl_certificate_key /etc/ssl/example.key;",
          .caddy = "# name the site by its host alone, without "
                   "http://, and Caddy gets its certificate"}},
    [FINDING_PATH_UNMAPPED] =
        {"path-unmapped",
         NULL,
         WEIGHT_WRONG,
         "the URL does not lead to me.fcgi",
         "The web server answers by itself.",
         {.any = "# cgi-bin/examples has a whole "
                 "configuration for each server",
          .apache = "<Location \"/me\">\n"
                    "    CGIPassAuth On\n"
                    "    SetHandler "
                    "\"proxy:unix:/run/me-fcgi.sock|fcgi://me/\"\n"
                    "</Location>",
          .lighttpd = "server.modules += (\"mod_fastcgi\")\n"
                      "fastcgi.server += (\"/me\" => ((\n"
                      "    \"bin-path\" => \"/usr/lib/cgi-bin/me.fcgi\",\n"
                      "    \"socket\" => \"/run/lighttpd/me-fcgi.sock\",\n"
                      "    \"check-local\" => \"disable\",\n"
                      "    \"max-procs\" => 4,\n"
                      "    \"bin-environment\" => (\"ME_CONF\" => \"@THIS@\", "
                      "\"ME_PROCESS_SOCKET\" => \"own\"),\n"
                      ")))",
          .nginx = "# in the server block:\n"
                   "location = /me {\n"
                   "    include /etc/nginx/fastcgi_params;\n"
                   "    fastcgi_pass unix:/run/me-fcgi.sock;\n"
                   "}",
          .caddy = "# in the site:\n"
                   "reverse_proxy /me unix//run/me-fcgi.sock {\n"
                   "    transport fastcgi\n"
                   "}"}},
    [FINDING_PATH_MISREAD] =
        {"path-misread",
         NULL,
         WEIGHT_WRONG,
         "me.fcgi is reached, but by a path that it does not take for /me",
         "It answers 404 to everybody.",
         {.any = "# map a path that ends in /me, or in the "
                 "program's name",
          .apache = "# map a path that ends in /me onto the program, "
                    "as <Location \"/api/me\">",
          .lighttpd = "# map a path that ends in /me onto the "
                      "program, as fastcgi.server = (\"/api/me\" => "
                      "...)",
          .nginx = "# in the location, or with a path that ends in "
                   "/me:\n"
                   "fastcgi_param SCRIPT_NAME /me;\n"
                   "fastcgi_param PATH_INFO \"\";",
          .caddy = "# map a path that ends in /me onto the workers"}},
    [FINDING_GATEWAY_FAILED] =
        {"gateway-failed",
         NULL,
         WEIGHT_WRONG,
         "the web server gets no answer of me.fcgi",
         "Everybody is answered so.",
         {.any = "# its error log says why: workers that do "
                 "not run, a socket that it may not write "
                 "to, a program that it may not run",
          .apache = "# its error log says why; as root, workers "
                    "whose socket is the server's:\n"
                    "#     spawn-fcgi -s /run/me-fcgi.sock -u "
                    "www-data -U www-data -M 0600 -F 4 -- "
                    "/usr/lib/cgi-bin/me.fcgi",
          .lighttpd = "# its error log says why: bin-path has to "
                      "be a program that its account may run, and "
                      "socket in a folder that it may write to",
          .nginx = "# its error log says why; as root, workers "
                   "whose socket is the server's:\n"
                   "#     spawn-fcgi -s /run/me-fcgi.sock -u "
                   "www-data -U www-data -M 0600 -F 4 -- "
                   "/usr/lib/cgi-bin/me.fcgi",
          .caddy = "# its log says why; as root, workers whose "
                   "socket is the server's:\n"
                   "#     spawn-fcgi -s /run/me-fcgi.sock -u "
                   "www-data -U caddy -M 0600 -F 4 -- "
                   "/usr/lib/cgi-bin/me.fcgi"}},
    [FINDING_WORKER_FAILS] = {"worker-fails", NULL, WEIGHT_WRONG, "me.fcgi is reached, and fails",
                              "Everybody is answered so.",
                              ANY_SERVER("# log.file, or the web server's error log, says why, in "
                                         "the line with the id that is told above; on the worker's "
                                         "host:\n"
                                         "mectl doctor")},
    [FINDING_LOGIN_IN_FRONT] =
        {"login-in-front",
         NULL,
         WEIGHT_WRONG,
         "the web server asks for a login of its own",
         "A request has one Authorization header: no token comes through.",
         {.any = "# let /me alone be without it",
          .apache = "# in the <Location> block of /me, or in "
                    ".htaccess:\n"
                    "AuthType None\n"
                    "Require all granted",
          .lighttpd = "# leave /me out, as:\n"
                      "#     $HTTP[\"url\"] !~ \"^/me$\" { "
                      "auth.require = (...) }",
          .nginx = "# in the location of /me:\n"
                   "auth_basic off;",
          .caddy = "# give basicauth a matcher that leaves /me out"}},
    [FINDING_ERRORS_REPLACED] =
        {"errors-replaced",
         NULL,
         WEIGHT_WRONG,
         "the web server puts pages of its own in the place of errors",
         "Clients are not told what is wrong with their requests.",
         {.any = "# let the program's answers through",
          .apache = "# in the <Location> block of /me:\n"
                    "ProxyErrorOverride Off",
          .lighttpd = "# for /me:\n"
                      "$HTTP[\"url\"] =~ \"^/me$\" {\n"
                      "    server.error-intercept = "
                      "\"disable\"\n"
                      "}",
          .nginx = "# in the location of /me:\n"
                   "fastcgi_intercept_errors off;",
          .caddy = "# in the reverse_proxy of /me, take out "
                   "handle_response and handle_errors"}},
    [FINDING_STATUS_CHANGED] =
        {"status-changed",
         NULL,
         WEIGHT_WRONG,
         "an answer has another status than me.fcgi gave it",
         "Clients take an error for a success.",
         {.any = "# let the program's Status through",
          .nginx = "# in the location of /me:\n"
                   "fastcgi_intercept_errors off;",
          .caddy = "# in the reverse_proxy of /me, take out:\n"
                   "#     replace_status"}},
    [FINDING_TOKEN_MISSING] = {"token-missing", NULL, WEIGHT_WARNS,
                               "there is no token to ask with, so that most was not looked at",
                               "Whether a token gets through is what matters.",
                               ANY_SERVER("# give the token of a user, or a key and a user:\n"
                                          "#     mectl doctor --url URL --token -\n"
                                          "#     mectl doctor --url URL --key FILE --user ID")},
    [FINDING_AUTHORIZATION_STRIPPED] =
        {"authorization-stripped",
         NULL,
         WEIGHT_WRONG,
         "the token does not get through to me.fcgi",
         "Everybody is answered 401, whatever their token.",
         {.any = OR_OTHER_HEADER,
          .apache = "# in the <Location> or <Directory> block of the program, or in "
                    ".htaccess:\n"
                    "CGIPassAuth On\n" OR_OTHER_HEADER,
          .lighttpd = "# take out what empties it, as:\n"
                      "#     setenv.set-request-header = (\"Authorization\" => "
                      "\"\")\n" OR_OTHER_HEADER,
          .nginx = "# in the location of /me:\n"
                   "fastcgi_param HTTP_AUTHORIZATION $http_authorization;\n" OR_OTHER_HEADER,
          .caddy = "# in the reverse_proxy of /me, take out:\n"
                   "#     header_up -Authorization\n" OR_OTHER_HEADER}},
    [FINDING_TOKEN_REFUSED] = {"token-refused", NULL, WEIGHT_WRONG,
                               "me.fcgi does not accept the token",
                               "Nobody with such a token is let in.",
                               ANY_SERVER("# what is wrong with it, by this host's settings; if "
                                          "nothing, the worker has others:\n"
                                          "#     mectl token verify -\n"
                                          "# where it is called revoked, and its issuer writes no "
                                          "table sessions (Keycloak, Auth0), in me.conf, in "
                                          "[token]:\n"
                                          "#     sessions = off")},
    [FINDING_HEADERS_EATEN] = {"headers-eaten", NULL, WEIGHT_WARNS,
                               "headers of me.fcgi's answers are "
                               "missing or changed",
                               "Caches, browsers and the search in logs rely on them.",
                               TAKE_OUT_ANSWER_HEADER},
    [FINDING_ETAG_EATEN] = {"etag-eaten", NULL, WEIGHT_WRONG, "the answer has no ETag",
                            "Without it clients overwrite each other's changes.",
                            TAKE_OUT_ANSWER_HEADER},
    [FINDING_ETAG_CHANGED] =
        {"etag-changed",
         NULL,
         WEIGHT_WRONG,
         "the ETag is another one where the answer is compressed",
         "A PATCH with it in If-Match is answered 412, and Accept-Encoding is what every browser "
         "sends.",
         {.any = "# do not compress /me: what is short gains nothing",
          .apache = "# in the <Location> block of /me, or in .htaccess:\n"
                    "SetEnv no-gzip 1\n"
                    "SetEnv no-brotli 1",
          .lighttpd = "# for /me:\n"
                      "$HTTP[\"url\"] =~ \"^/me$\" {\n"
                      "    deflate.mimetypes = ()\n"
                      "}",
          .nginx = "# in the location of /me:\n"
                   "gzip off;",
          .caddy = "# leave /me out, as:\n"
                   "#     @others not path /me\n"
                   "#     encode @others gzip"}},
    [FINDING_IF_NONE_MATCH_EATEN] = {"if-none-match-eaten", NULL, WEIGHT_WARNS,
                                     "If-None-Match does not get through to me.fcgi",
                                     "What a client has already is sent again every time.",
                                     TAKE_OUT_REQUEST_HEADER("If-None-Match")},
    [FINDING_PATCH_BLOCKED] =
        {"patch-blocked",
         NULL,
         WEIGHT_WRONG,
         "PATCH does not get through to me.fcgi",
         "Nobody can change a profile.",
         {.any = OR_OVERRIDE,
          .apache = "# in the <Location> block of /me, or in .htaccess:\n"
                    "<Limit PATCH>\n"
                    "    Require all granted\n"
                    "</Limit>\n" OR_OVERRIDE,
          .lighttpd = "# name PATCH where methods are denied, as:\n"
                      "#     $HTTP[\"request-method\"] !~ \"^(GET|HEAD|OPTIONS|PATCH)$\" "
                      "{ url.access-deny = (\"\") }\n" OR_OVERRIDE,
          .nginx = "# in the location of /me, name PATCH too, or take the block out:\n"
                   "#     limit_except GET OPTIONS PATCH { deny all; }\n" OR_OVERRIDE,
          .caddy = "# name PATCH too where a matcher has methods, as:\n"
                   "#     method GET HEAD OPTIONS PATCH\n" OR_OVERRIDE}},
    [FINDING_IF_MATCH_EATEN] = {"if-match-eaten", NULL, WEIGHT_WRONG,
                                "If-Match does not get through to me.fcgi",
                                "Clients overwrite each other's changes, although they ask not to.",
                                TAKE_OUT_REQUEST_HEADER("If-Match")},
    [FINDING_BODY_LIMIT_LOW] =
        {"body-limit-low",
         NULL,
         WEIGHT_WARNS,
         "the web server takes shorter bodies than request.body_max_bytes",
         "A change that me.fcgi would take is refused by a page of the server's.",
         {.any = "# raise the web server's limit above request.body_max_bytes",
          .apache = "# in the <Location> or <Directory> block of the program, or in "
                    ".htaccess; mod_fcgid has FcgidMaxRequestLen too:\n"
                    "LimitRequestBody 262144",
          .lighttpd = "# in KiB, for /me:\n"
                      "$HTTP[\"url\"] =~ \"^/me$\" {\n"
                      "    server.max-request-size = 256\n"
                      "}",
          .nginx = "# in the location of /me:\n"
                   "client_max_body_size 256k;",
          .caddy = "# raise what limits /me:\n"
                   "#     request_body { max_size 256KB }"}},
    [FINDING_CORS_EATEN] =
        {"cors-eaten",
         NULL,
         WEIGHT_WRONG,
         "the web server keeps CORS headers back",
         "Browsers keep the answers from the pages of cors.origin.",
         {.any = "# let Access-Control-* headers, and OPTIONS, through",
          .apache = "# take out what unsets them, or answers OPTIONS itself, as:\n"
                    "#     Header always unset Access-Control-Allow-Origin",
          .lighttpd = "# take out what empties them, or answers OPTIONS itself, as:\n"
                      "#     setenv.set-response-header = "
                      "(\"Access-Control-Allow-Origin\" => \"\")",
          .nginx = "# take out what hides them, or answers OPTIONS itself, as:\n"
                   "#     fastcgi_hide_header Access-Control-Allow-Origin;\n"
                   "#     if ($request_method = OPTIONS) { return 204; }",
          .caddy = "# take out what removes them, or answers OPTIONS itself, as:\n"
                   "#     header_down -Access-Control-Allow-Origin"}},
    [FINDING_CORS_DOUBLED] =
        {"cors-doubled",
         NULL,
         WEIGHT_WRONG,
         "the web server adds CORS headers of its own",
         "Browsers refuse an answer with two of them.",
         {.any = "# leave them to me.fcgi, in [cors] of me.conf",
          .apache = "# leave them to me.fcgi, and take out, as:\n"
                    "#     Header set Access-Control-Allow-Origin ...",
          .lighttpd = "# leave them to me.fcgi, and take out, as:\n"
                      "#     setenv.add-response-header = "
                      "(\"Access-Control-Allow-Origin\" => ...)",
          .nginx = "# leave them to me.fcgi, and take out, as:\n"
                   "#     add_header Access-Control-Allow-Origin ...;",
          .caddy = "# leave them to me.fcgi, and take out, as:\n"
                   "#     header Access-Control-Allow-Origin ..."}},
    [FINDING_CACHE_SHARED] =
        {"cache-shared",
         NULL,
         WEIGHT_WRONG,
         "a cache answers with the profile of somebody else",
         "Users see each other's profiles.",
         {.any = "# take /me out of the cache: its answers say private, no-cache",
          .apache = "# in the <Location> block of /me:\n"
                    "CacheDisable on",
          .nginx = "# in the location of /me:\n"
                   "fastcgi_cache off;"}},
    [FINDING_FILE_FETCHABLE] =
        {"file-fetchable",
         NULL,
         WEIGHT_WRONG,
         "a file that only the worker may read can be fetched",
         "Whoever finds its address has what is in it.",
         {.any = "# put it where the web server hands out nothing, and make new "
                 "secrets",
          .apache =
              "# in the configuration, or in .htaccess, with the name of the file, where it is "
              "another; then make new secrets:\n"
              "<FilesMatch \"^me\\.conf$|\\.(secret|password|key|pem|jwks|log(\\.[0-9]+)?)$\">\n"
              "    Require all denied\n"
              "</FilesMatch>",
          .lighttpd = "# with the name of the file, where it is another; then make new secrets:\n"
                      "$HTTP[\"url\"] =~ "
                      "\"/me\\.conf$|\\.(secret|password|key|pem|jwks|log(\\.[0-9]+)?)$\" "
                      "{\n"
                      "    url.access-deny = (\"\")\n"
                      "}",
          .nginx =
              "# in the server block, with the name of the file, where it is another; then "
              "make new secrets:\n"
              "location ~ \"/me\\.conf$|\\.(secret|password|key|pem|jwks|log(\\.[0-9]+)?)$\" {\n"
              "    deny all;\n"
              "}",
          .caddy = "# in the site, with the name of the file, where it is another; then make new "
                   "secrets:\n"
                   "@secrets path_regexp "
                   "/me\\.conf$|\\.(secret|password|key|pem|jwks|log(\\.[0-9]+)?)$\n"
                   "respond @secrets 403"}},
    [FINDING_WORKER_DIFFERS] = {"worker-differs", NULL, WEIGHT_WRONG,
                                "the worker that answers has another version or other settings "
                                "than this host's files",
                                "What was changed does not count yet, or the URL is another "
                                "service's.",
                                RESTART("# the workers of this me.conf on this host; where another "
                                        "host answers, those there:\n"
                                        "#     kill @THIS@")},
};

const struct finding_row *finding_row(enum finding finding)
{
    return &rows[finding];
}

const char *finding_remedy(enum finding finding, enum finding_server server)
{
    const struct finding_remedy *remedy = &rows[finding].remedy;
    const char *const lines[FINDING_SERVER__MAX] = {
        [FINDING_ANY_SERVER] = remedy->any,    [FINDING_APACHE] = remedy->apache,
        [FINDING_LIGHTTPD] = remedy->lighttpd, [FINDING_NGINX] = remedy->nginx,
        [FINDING_CADDY] = remedy->caddy,
    };

    return lines[server];
}

bool finding_from_code(struct str code, enum finding *out)
{
    for (enum finding i = (enum finding)0; i < FINDING__MAX; i++)
        if (str_equal(code, str_from(rows[i].code))) {
            *out = i;
            return true;
        }
    return false;
}

/* ---- servers */

static const struct {
    const char *name;
    struct str headers[2]; /* what the header Server begins with */
} servers[FINDING_SERVER__MAX] = {
    [FINDING_APACHE] = {"apache", {STR("Apache"), STR("LiteSpeed")}}, /* it reads .htaccess too */
    [FINDING_LIGHTTPD] = {"lighttpd", {STR("lighttpd")}},
    [FINDING_NGINX] = {"nginx", {STR("nginx"), STR("openresty")}},
    [FINDING_CADDY] = {"caddy", {STR("Caddy")}},
};

const char *finding_server_name(enum finding_server server)
{
    return servers[server].name;
}

bool finding_server_from_name(struct str name, enum finding_server *out)
{
    for (enum finding_server i = FINDING_APACHE; i < FINDING_SERVER__MAX; i++)
        if (str_equal(name, str_from(servers[i].name))) {
            *out = i;
            return true;
        }
    return false;
}

static bool is_of(struct str header, enum finding_server server)
{
    for (size_t i = 0; i < ARRAY_LENGTH(servers[server].headers); i++) {
        struct str begin = servers[server].headers[i];

        if (str_is_set(begin) && str_starts_with(header, begin))
            return true;
    }
    return false;
}

enum finding_server finding_server_of(struct str header)
{
    for (enum finding_server i = FINDING_APACHE; i < FINDING_SERVER__MAX; i++)
        if (str_is_set(header) && is_of(header, i))
            return i;
    return FINDING_ANY_SERVER;
}
