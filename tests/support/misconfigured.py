"""What can be wrong between a client and me.fcgi: each fault caused on a real server, and how it is mended."""

from typing import NamedTuple

PASTE, TAKE_OUT = "paste", "take out"


class Fault(NamedTuple):
    """
    `lines` goes into the slot of the server's configuration, and `drop` names lines of it that are left out.
    `cure`: PASTE, what doctor shows goes into the slot `into`, the fault staying where it is; TAKE_OUT, doctor names
    `names`, and the fault is taken out. `also`: what else is found where this is the case; `left`: what of
    that the cure leaves, since it is another fault.
    """

    code: str
    server: str
    slot: str = None
    lines: str = ""
    cure: str = TAKE_OUT
    names: str = None
    into: str = None
    drop: tuple = ()
    also: frozenset = frozenset()
    path: str = "/me"
    workers: bool = True
    mended_path: str = "/me"
    words: str = ""
    left: frozenset = frozenset()


FAULTS = [
    # ---- the token
    Fault("authorization-stripped", "apache", drop=("auth",), cure=PASTE, into="location"),
    Fault("authorization-stripped", "nginx", "location", 'fastcgi_param HTTP_AUTHORIZATION "";', PASTE, into="location"),
    Fault("authorization-stripped", "lighttpd", "server", 'setenv.set-request-header = ("Authorization" => "")',
          names="setenv.set-request-header"),
    Fault("authorization-stripped", "caddy", "location", "header_up -Authorization", names="header_up -Authorization"),
    Fault("login-in-front", "nginx", "server", 'auth_basic "Staff"; auth_basic_user_file @DIR@/htdocs/index.html;',
          PASTE, into="location"),
    Fault("login-in-front", "apache", "server",
          '<Location "/">\nAuthType Basic\nAuthName Staff\nAuthUserFile @DIR@/none\nRequire valid-user\n</Location>',
          PASTE, into="location"),
    Fault("login-in-front", "lighttpd", "server",
          'auth.backend = "plain"\nauth.backend.plain.userfile = "@DIR@/htdocs/index.html"\n'
          'auth.require = ("/" => ("method" => "basic", "realm" => "Staff", "require" => "valid-user"))',
          names="auth.require"),
    Fault("login-in-front", "caddy", "server",
          "basicauth {\nbob $2a$14$GuJr4Bsz9Zwu4bbAJAlsZuUe.ZtoIHc3DKIcsutTYBN4nSrj3UFaK\n}", names="basicauth"),

    # ---- methods
    Fault("patch-blocked", "nginx", "location", "limit_except GET OPTIONS { deny all; }", names="limit_except"),
    Fault("patch-blocked", "apache", "location",
          "<LimitExcept GET OPTIONS>\nRequire all denied\n</LimitExcept>", PASTE, into="location"),
    Fault("patch-blocked", "lighttpd", "server",
          '$HTTP["request-method"] !~ "^(GET|HEAD|OPTIONS)$" { url.access-deny = ("") }', names="url.access-deny"),
    Fault("patch-blocked", "caddy", "server", "@changes not method GET HEAD OPTIONS\nrespond @changes 405", names="method GET"),

    # ---- where the URL leads
    Fault("path-unmapped", "nginx", drop=("mapped",), cure=PASTE, into="server"),
    Fault("path-unmapped", "apache", drop=("mapped", "auth"), cure=PASTE, into="server"),
    Fault("path-unmapped", "lighttpd", drop=("mapped",), cure=PASTE, into="server"),
    Fault("path-unmapped", "caddy", drop=("mapped",), cure=PASTE, into="server"),
    Fault("path-misread", "nginx", path="/profile", cure=PASTE, into="location"),
    Fault("path-misread", "apache", path="/profile", names='<Location "/api/me">', mended_path="/api/me"),
    Fault("path-misread", "lighttpd", path="/profile", names='"/api/me"', mended_path="/api/me"),
    Fault("path-misread", "caddy", path="/profile", names="ends in /me", mended_path="/api/me"),
    Fault("url-redirects", "nginx", "location", "return 301 /api/me;", names="/api/me"),
    Fault("url-redirects", "apache", "server", 'Redirect permanent "/me" "/api/me"', names="/api/me"),
    Fault("url-redirects", "lighttpd", "server", 'url.redirect = ("^/me$" => "/api/me")', names="/api/me"),
    Fault("gateway-failed", "nginx", workers=False, names="spawn-fcgi"),
    Fault("gateway-failed", "apache", workers=False, names="spawn-fcgi"),
    Fault("gateway-failed", "caddy", workers=False, names="spawn-fcgi"),

    # ---- what becomes of answers
    Fault("errors-replaced", "nginx", "server",
          "fastcgi_intercept_errors on;\nerror_page 401 404 /index.html;", PASTE, into="location"),
    Fault("errors-replaced", "apache", "server", "ProxyErrorOverride On", PASTE, into="location"),
    Fault("errors-replaced", "lighttpd", "before",
          'server.error-intercept = "enable"\nserver.errorfile-prefix = "@DIR@/htdocs/status-"', PASTE, into="server"),
    Fault("errors-replaced", "caddy", "location",
          '@errors status 401 404 412\nhandle_response @errors {\nrespond "Sorry" {rp.status_code}\n}', names="handle_response"),
    Fault("status-changed", "nginx", "server",
          "fastcgi_intercept_errors on;\nerror_page 401 =200 @again;\nlocation @again {\n"
          "fastcgi_intercept_errors off;\nfastcgi_pass unix:@SOCKET@;\n}", PASTE, into="location"),
    Fault("status-changed", "caddy", "location", "@errors status 401\nreplace_status @errors 200", names="replace_status"),
    Fault("headers-eaten", "nginx", "location", "fastcgi_hide_header X-Request-Id;", names="fastcgi_hide_header"),
    Fault("headers-eaten", "nginx", "location", "expires 1h;", names="expires"),
    Fault("headers-eaten", "apache", "server", "ExpiresActive On\nExpiresDefault A3600", names="ExpiresActive"),
    Fault("headers-eaten", "lighttpd", "server", 'setenv.set-response-header = ("X-Content-Type-Options" => "")',
          names="setenv.set-response-header"),
    Fault("headers-eaten", "caddy", "location", "header_down -Vary", names="header_down -"),
    Fault("etag-eaten", "nginx", "location", "fastcgi_hide_header ETag;", names="fastcgi_hide_header"),
    Fault("etag-eaten", "apache", "server", "Header unset ETag", names="Header unset"),
    Fault("etag-eaten", "lighttpd", "server", 'setenv.set-response-header = ("ETag" => "")', names="setenv.set-response-header"),
    Fault("etag-eaten", "caddy", "location", "header_down -ETag", names="header_down -"),
    Fault("etag-changed", "nginx", "http", "gzip on;\ngzip_types application/json;\ngzip_min_length 1;", PASTE, into="location"),
    Fault("etag-changed", "apache", "server", "AddOutputFilterByType DEFLATE application/json", PASTE, into="location"),
    Fault("etag-changed", "lighttpd", "before",
          'deflate.mimetypes = ("application/json")\ndeflate.allowed-encodings = ("gzip")', PASTE, into="server"),

    # ---- what becomes of requests
    Fault("if-match-eaten", "nginx", "location", 'fastcgi_param HTTP_IF_MATCH "";', names="fastcgi_param HTTP_"),
    Fault("if-match-eaten", "apache", "server", "RequestHeader unset If-Match", names="RequestHeader unset If-Match"),
    Fault("if-match-eaten", "lighttpd", "server", 'setenv.set-request-header = ("If-Match" => "")',
          names='setenv.set-request-header = ("If-Match"'),
    Fault("if-match-eaten", "caddy", "location", "header_up -If-Match", names="header_up -If-Match"),
    Fault("if-none-match-eaten", "nginx", "location", 'fastcgi_param HTTP_IF_NONE_MATCH "";', names="fastcgi_param HTTP_"),
    Fault("if-none-match-eaten", "apache", "server", "RequestHeader unset If-None-Match",
          names="RequestHeader unset If-None-Match"),
    Fault("if-none-match-eaten", "lighttpd", "server", 'setenv.set-request-header = ("If-None-Match" => "")',
          names='setenv.set-request-header = ("If-None-Match"'),
    Fault("if-none-match-eaten", "caddy", "location", "header_up -If-None-Match", names="header_up -If-None-Match"),
    Fault("body-limit-low", "nginx", "server", "client_max_body_size 1k;", PASTE, into="location"),
    Fault("body-limit-low", "apache-cgi", "server", "LimitRequestBody 1000", PASTE, into="location"),
    Fault("body-limit-low", "lighttpd", "before", "server.max-request-size = 1", PASTE, into="server"),
    Fault("body-limit-low", "caddy", "server", "request_body {\nmax_size 1KB\n}", names="max_size"),

    # ---- pages and caches
    Fault("cors-eaten", "nginx", "location", "fastcgi_hide_header Access-Control-Allow-Origin;", names="fastcgi_hide_header"),
    Fault("cors-eaten", "nginx", "location", "if ($request_method = OPTIONS) { return 204; }", names="$request_method = OPTIONS"),
    Fault("cors-eaten", "apache", "server", "Header always unset Access-Control-Allow-Origin", names="Header always unset"),
    Fault("cors-eaten", "lighttpd", "server", 'setenv.set-response-header = ("Access-Control-Allow-Origin" => "")',
          names="setenv.set-response-header"),
    Fault("cors-eaten", "caddy", "location", "header_down -Access-Control-Allow-Origin", names="header_down -"),
    Fault("cors-doubled", "nginx", "location", "add_header Access-Control-Allow-Origin * always;", names="add_header"),
    Fault("cors-doubled", "apache", "server", 'Header set Access-Control-Allow-Origin "*"', names="Header set"),
    Fault("cors-doubled", "lighttpd", "server", 'setenv.add-response-header = ("Access-Control-Allow-Origin" => "*")',
          names="setenv.add-response-header"),
    Fault("cors-doubled", "caddy", "location", 'header_down +Access-Control-Allow-Origin "*"', names="Access-Control-Allow-Origin"),
    Fault("cache-shared", "apache", "server",
          'CacheRoot @DIR@/run\nCacheEnable disk "/"\nCacheQuickHandler off\nCacheIgnoreNoLastMod On\nCacheStorePrivate On\n'
          'Header always set Cache-Control "public, max-age=60" "expr=%{REQUEST_STATUS} == 200"\nHeader always unset Vary', PASTE, into="location",
          also={"cors-eaten", "headers-eaten"}, left={"headers-eaten"}),
    Fault("cache-shared", "nginx", "http",
          "fastcgi_cache_path @DIR@/run/cache keys_zone=all:1m;\nfastcgi_cache all;\nfastcgi_cache_key $uri;\n"
          "fastcgi_cache_valid 200 1m;\nfastcgi_ignore_headers Cache-Control Vary Expires;", PASTE, into="location",
          also={"cors-eaten"}),
    Fault("cache-shared", "nginx", "http",
          "map $http_authorization $is_anonymous { default 0; '' 1; }\n"
          "fastcgi_cache_path @DIR@/run/cache keys_zone=all:1m;\nfastcgi_cache all;\nfastcgi_cache_key $uri;\n"
          "fastcgi_cache_valid 200 1m;\nfastcgi_ignore_headers Cache-Control Vary Expires;\n"
          "fastcgi_cache_bypass $is_anonymous;", PASTE, into="location", also={"cors-eaten"}, words="another user"),
]
