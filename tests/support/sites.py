"""
Real web servers whose configuration can be spoilt in one place, for the tests of mectl doctor: small ones of its own,
since a fault and its remedy have to be put into a known place of each.
"""

import grp
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from support.ground import APACHE_MODULES, IS_ROOT, PATH, ends_of_logs, free_port, pids_running
from support.installation import write_conf, write_secret
from support.issuer import Authority
from support.paths import clean_environment, program
from support.processes import is_running, wait_until

WORKERS = 2
ACCOUNT = "www-data"
ORIGIN = "https://app.example.com"

_LOADED = (
    "mpm_event authn_core authn_file authz_core authz_user auth_basic alias mime filter deflate headers env expires rewrite "
    "cache cache_disk proxy proxy_fcgi cgid ssl").split()

# A slot, as %LOCATION%, is where a test puts lines. A name, as @PORT@, is replaced. A line that ends in "# if NAME",
# or in "# if NAME and OTHER", is left out where a test says so.
NGINX = """
user www-data;  # if root
worker_processes 1;
daemon off;
pid @DIR@/nginx.pid;
error_log @DIR@/log/server.log;
events {
}
http {
    access_log off;
    client_body_temp_path @DIR@/nginx-body;
    fastcgi_temp_path @DIR@/nginx-fastcgi;
    proxy_temp_path @DIR@/nginx-proxy;
    scgi_temp_path @DIR@/nginx-scgi;
    uwsgi_temp_path @DIR@/nginx-uwsgi;
    %HTTP%
    server {
        listen 127.0.0.1:@PORT@;
        listen 127.0.0.1:@TLSPORT@ ssl;  # if tls
        ssl_certificate @CERT@;  # if tls
        ssl_certificate_key @KEY@;  # if tls
        root @DIR@/htdocs;
        fastcgi_param REQUEST_METHOD $request_method;
        fastcgi_param REQUEST_URI $request_uri;
        fastcgi_param CONTENT_TYPE $content_type;
        fastcgi_param CONTENT_LENGTH $content_length;
        %SERVER%
        location = @PATH@ {  # if mapped
            fastcgi_param REQUEST_METHOD $request_method;  # if mapped
            fastcgi_param REQUEST_URI $request_uri;  # if mapped
            fastcgi_param CONTENT_TYPE $content_type;  # if mapped
            fastcgi_param CONTENT_LENGTH $content_length;  # if mapped
            %LOCATION%
            fastcgi_pass unix:@SOCKET@;  # if mapped
        }  # if mapped
    }
}
"""

_APACHE = """
ServerRoot @DIR@
ServerName 127.0.0.1
PidFile @DIR@/apache.pid
ErrorLog @DIR@/log/server.log
DefaultRuntimeDir @DIR@
Mutex file:@DIR@ default
@LOADMODULES@
User www-data  # if root
Group www-data  # if root
Listen 127.0.0.1:@PORT@
TypesConfig /dev/null
ScriptSock @DIR@/cgid.sock
DocumentRoot @DIR@/htdocs
<Directory @DIR@/htdocs>
    AllowOverride All
    Require all granted
</Directory>
%SERVER%
"""

APACHE = _APACHE + """
<Location "@PATH@">  # if mapped
    CGIPassAuth On  # if auth
    SetHandler "proxy:unix:@SOCKET@|fcgi://me/"  # if mapped
    %LOCATION%
</Location>  # if mapped
"""

APACHE_CGI = _APACHE + """
Alias "@PATH@" "@DIR@/bin/me.fcgi"
<Directory @DIR@/bin>
    Require all granted
    Options +ExecCGI
    SetHandler cgi-script
    CGIPassAuth On
    SetEnv ME_CONF @CONF@
    %LOCATION%
</Directory>
"""

LIGHTTPD = """
server.document-root = "@DIR@/htdocs"
server.bind = "127.0.0.1"
server.port = @PORT@
server.errorlog = "@DIR@/log/server.log"
server.pid-file = "@DIR@/lighttpd.pid"
server.username = "www-data"  # if root
server.groupname = "www-data"  # if root
server.modules = ("mod_access", "mod_alias", "mod_auth", "mod_authn_file", "mod_deflate", "mod_expire", "mod_redirect", "mod_setenv", "mod_cgi", "mod_fastcgi")
%BEFORE%
fastcgi.server = ("@PATH@" => ((  # if mapped
    "bin-path" => "@DIR@/bin/me.fcgi",  # if mapped
    "socket" => "@SOCKET@",  # if mapped
    "check-local" => "disable",  # if mapped
    "max-procs" => 2,  # if mapped
    "bin-environment" => ("ME_CONF" => "@CONF@",  # if mapped
        "ME_PROCESS_SOCKET" => "own",  # if mapped and own
    ),  # if mapped
)))  # if mapped
%SERVER%
"""

LIGHTTPD_CGI = """
server.document-root = "@DIR@/htdocs"
server.bind = "127.0.0.1"
server.port = @PORT@
server.errorlog = "@DIR@/log/server.log"
server.breakagelog = "@DIR@/log/worker.log"
server.pid-file = "@DIR@/lighttpd.pid"
server.username = "www-data"  # if root
server.groupname = "www-data"  # if root
server.modules = ("mod_alias", "mod_setenv", "mod_cgi")
alias.url = ("@PATH@" => "@DIR@/bin/me.fcgi")
setenv.set-environment = ("ME_CONF" => "@CONF@")
$HTTP["url"] =~ "^@PATH@$" {
    cgi.assign = ("" => "")
}
%SERVER%
"""

CADDY = """
{
	admin off
	auto_https off
	storage file_system @DIR@/caddy
}
http://:@PORT@ {
	bind 127.0.0.1
	root * @DIR@/htdocs
	%SERVER%
	reverse_proxy @PATH@ unix/@SOCKET@ {  # if mapped
		transport fastcgi  # if mapped
		%LOCATION%
	}  # if mapped
	file_server
}
"""


class Kind:
    """How a server is started, and whether it leaves its workers to spawn-fcgi."""

    def __init__(self, template: str, command: list, spawns=True):
        self.template = template
        self.command = command
        self.spawns = spawns


KINDS = {
    "nginx": Kind(NGINX, ["nginx", "-c", "@DIR@/server.conf"]),
    "apache": Kind(APACHE, ["apache2", "-D", "FOREGROUND", "-f", "@DIR@/server.conf"]),
    "apache-cgi": Kind(APACHE_CGI, ["apache2", "-D", "FOREGROUND", "-f", "@DIR@/server.conf"], spawns=False),
    "lighttpd": Kind(LIGHTTPD, ["lighttpd", "-D", "-f", "@DIR@/server.conf"], spawns=False),
    "lighttpd-cgi": Kind(LIGHTTPD_CGI, ["lighttpd", "-D", "-f", "@DIR@/server.conf"], spawns=False),
    "caddy": Kind(CADDY, ["caddy", "run", "--adapter", "caddyfile", "--config", "@DIR@/server.conf"]),
}


def _own(path: Path, user="root", mode=None):
    """Gives a file to root or the workers' account, and the workers' group; others have nothing of it."""
    if IS_ROOT:
        os.chown(path, pwd.getpwnam(user).pw_uid, grp.getgrnam(ACCOUNT).gr_gid)
    if mode is not None:
        path.chmod(mode)


class Site:
    """One web server with its workers; it may be started again with another fault."""

    def __init__(self, kind: str, installation):
        self.kind = KINDS[kind]
        self.name = kind.partition("-")[0]
        self.installation = installation
        self.folder = Path(tempfile.mkdtemp(prefix="me-"))
        self.folder.chmod(0o755)
        self.port, self.tls_port = free_port(), free_port()
        self.path, self.etc = "/me", self.folder / "etc"
        self.process, self.workers, self.started = None, [], set()
        self._lay_out()

    # ---- files

    def _lay_out(self):
        for name in ("etc", "htdocs", "db", "bin", "tls"):
            (self.folder / name).mkdir()
        for name in ("etc", "db"):
            _own(self.folder / name, mode=0o750)
        for name in ("log", "run"):
            self.make_workers_folder(name)
        os.link(self.installation.server.socket, self.folder / "db" / "db.sock")
        self.program = self.folder / "bin" / "me.fcgi"
        shutil.copy(program("me.fcgi"), self.program)
        (self.folder / "htdocs" / "index.html").write_text("<p>Welcome</p>\n")
        self.authority = Authority(self.folder / "tls")
        self.certificate, self.key = self.authority.certify("127.0.0.1")
        self.doctor_secret = write_secret(self.etc / "doctor.secret", os.urandom(32).hex() + "\n")
        _own(self.doctor_secret, mode=0o640)
        self.write_conf()

    def make_workers_folder(self, name: str):
        (self.folder / name).mkdir()
        _own(self.folder / name, ACCOUNT, 0o750)

    def write_conf(self, **changes):
        """me.conf and what it names; a change is named like token__issuer, and None leaves a key out."""
        sections = self.installation.sections()
        for section, key in (("database", "password_file"), ("token", "secret_file"), ("token", "public_key_file")):
            copy = self.etc / sections[section][key].name
            shutil.copy(sections[section][key], copy)
            _own(copy, mode=0o640)
            sections[section][key] = copy.name
        sections["database"]["host"] = self.folder / "db" / "db.sock"
        sections["cors"] = {"origin": ORIGIN}
        sections["doctor"] = {"secret_file": self.doctor_secret.name}
        sections["cache"] = {"path": self.folder / "run" / "kept", "size_mib": 1}
        for change, value in changes.items():
            section, key = change.split("__")
            sections.setdefault(section, {})[key] = value
        self.conf = write_conf(self.etc / "me.conf", sections)
        _own(self.conf, mode=0o640)

    def move_settings_to(self, folder: Path):
        """me.conf and what it names into another folder."""
        folder.mkdir()
        _own(folder, mode=0o750)
        shutil.copy2(self.doctor_secret, folder / "doctor.key")
        self.etc, self.doctor_secret = folder, folder / "doctor.key"
        _own(self.doctor_secret, mode=0o640)
        self.write_conf()

    def _write_server_conf(self, fault: dict):
        text = _fill_slots(_left_out(self.kind.template, fault.get("drop", ())), fault)
        (self.folder / "server.conf").write_text(self.fill_in(text))

    def fill_in(self, text: str) -> str:
        """The text with its names replaced."""
        variables = {
            "DIR": self.folder, "PORT": self.port, "TLSPORT": self.tls_port, "SOCKET": self.socket, "CONF": self.conf,
            "PATH": self.path, "CERT": self.certificate, "KEY": self.key,
            "LOADMODULES": "\n".join(f"LoadModule {name}_module {APACHE_MODULES}/mod_{name}.so" for name in _LOADED),
        }
        return re.sub(r"@([A-Z]+)@", lambda name: str(variables[name[1]]), text)

    def own_names(self) -> list:
        """The names that remedies have as examples, and what they are here."""
        return [("/usr/lib/cgi-bin/me.fcgi", self.program), ("/run/me-fcgi.sock", self.socket),
                ("/run/lighttpd/me-fcgi.sock", self.socket),
                ("/etc/ssl/example.pem", self.certificate), ("/etc/ssl/example.key", self.key)]

    @property
    def socket(self) -> Path:
        return self.folder / "run" / "w.sock"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.path}"

    @property
    def secure_url(self) -> str:
        return f"https://127.0.0.1:{self.tls_port}{self.path}"

    # ---- processes

    def start(self, fault=None) -> "Site":
        """`fault`: lines by the slot that they go into, and "drop", the conditions of lines that are left out."""
        fault = fault or {}
        self.path = fault.get("path", "/me")
        self._write_server_conf(fault)
        if self.kind.spawns and fault.get("workers", True):
            self.spawn(fault.get("account", ACCOUNT))
        command = [self.fill_in(word) for word in self.kind.command]
        # Apache's mpm_prefork ends all of its process group, which would be that of the tests.
        with open(self.folder / "log" / "start.log", "ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder, process_group=0,
                env=clean_environment(PATH=PATH, HOME=str(self.folder)))
        wait_until(self._listens, 20, f"{self.name} listens")
        return self

    def spawn(self, account=ACCOUNT):
        """The workers of spawn-fcgi, whose socket is the web server's too."""
        pids = self.folder / "workers.pid"
        owner = ["-U", ACCOUNT, "-G", ACCOUNT] if IS_ROOT else []
        if IS_ROOT and account != "root":
            owner += ["-u", account, "-g", account]
        subprocess.run(
            [shutil.which("spawn-fcgi", path=PATH), "-s", self.socket, "-M", "0660", *owner, "-F", str(WORKERS), "-P", pids, "--",
             "/bin/sh", "-c", f"exec {self.program} 2>>{self.folder}/log/worker.log"],
            check=True, timeout=30, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            env=clean_environment(ME_CONF=str(self.conf)))
        self.workers = [int(pid) for pid in pids.read_text().split()]

    def _listens(self) -> bool:
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} ended at once:\n{self.logs()}")
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1):
                return True
        except OSError:
            return False

    def worker_pids(self) -> list:
        """The processes of this site's program, also of one that was replaced since."""
        return self.pids_of(self.program)

    def pids_of(self, path: Path) -> list:
        names = {str(path), f"{path} (deleted)"}
        return pids_running(lambda program: program in names)

    def stop(self):
        """Ends the server and its workers."""
        pids = self.worker_pids()
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(15)
        for pid in filter(is_running, pids):
            os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not any(map(is_running, pids)), 10, f"the workers {pids} have ended")
        self.socket.unlink(missing_ok=True)

    def restart(self, fault=None) -> "Site":
        self.stop()
        return self.start(fault)

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder)

    def logs(self) -> str:
        return ends_of_logs(sorted((self.folder / "log").iterdir()))


def _left_out(template: str, dropped) -> str:
    """Without the lines one of whose conditions is not met, nor any mark of a condition."""
    dropped = {*dropped, *(() if IS_ROOT else ("root",))}
    lines = []
    for line in template.splitlines():
        text, _, conditions = line.partition("  # if ")
        if dropped.isdisjoint(conditions.split(" and ")):
            lines.append(text)
    return "\n".join(lines) + "\n"


def _fill_slots(template: str, fault: dict) -> str:
    return re.sub(r"%([A-Z]+)%", lambda slot: fault.get(slot[1].lower(), ""), template)
