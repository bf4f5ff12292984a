"""The programs that are measured, each behind its web server: a chain is started, asked and stopped as a whole."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from database import AUDIENCE, ISSUER, Population
from processes import children_of, is_running, wait_until

WORKERS = 8
SETUP_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
PEERS = Path(__file__).with_name("peers")


class Missing(Exception):
    """A chain cannot be had here, and why."""


def program_of_system(*names: str) -> str:
    for name in names:
        found = shutil.which(name, path=SETUP_PATH)
        if found:
            return found
    raise Missing(f"{names[0]} is not installed")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Chain:
    """
    A web server and a program. `web` and `app` are the processes of each, once it runs; a program that is its own
    web server has no `web`.
    """

    is_checked = True  # its answers show the users

    def __init__(self, name: str):
        self.name = name
        self.port = 0
        self.started = []

    def start(self, wait=True) -> "Chain":
        """`wait`: until it listens."""
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="bench-"))
        try:
            self.begin()
        except Missing:
            shutil.rmtree(self.folder)
            raise
        if not wait:
            return self
        try:
            wait_until(self._listens, f"{self.name} listens")
        except RuntimeError as error:
            self.stop()
            raise RuntimeError(f"{error}: see {self.folder}") from None
        return self

    def begin(self):
        raise NotImplementedError

    def run(self, command: list, **environment) -> int:
        """Starts a process of the chain in the background."""
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                       cwd=self.folder, start_new_session=True,
                                       env={"PATH": SETUP_PATH, "LC_ALL": "C.UTF-8", **environment})
        self.started.append(process)
        return process.pid

    def _listens(self) -> bool:
        for process in self.started:
            if process.poll() is not None:
                raise RuntimeError(f"{self.name}: {process.args[0]} ended: {(self.folder / 'log').read_text()[-800:]}")
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0

    def parts(self) -> dict:
        """The process ids of each part."""
        raise NotImplementedError

    def stop(self):
        pids = [pid for process in self.started for pid in [process.pid, *children_of(process.pid)]
                if process.poll() is None]
        for process in reversed(self.started):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.started:
            process.wait(15)
        for pid in pids:
            if is_running(pid):
                wait_until(lambda one=pid: not is_running(one), f"a process of {self.name} has ended", 15)
        self.started = []
        shutil.rmtree(self.folder, ignore_errors=True)


class Lighttpd(Chain):
    """FastCGI workers that lighttpd starts, each on a Unix socket of its own, as in the example of this project."""

    def __init__(self, name: str, program: Path, environment: dict, workers=WORKERS):
        super().__init__(name)
        self.program = program
        self.environment = environment
        self.workers = workers

    def begin(self):
        server = program_of_system("lighttpd")
        variables = "\n".join(f'            "{name}" => "{value}",' for name, value in self.environment.items())
        (self.folder / "server.conf").write_text(f"""\
server.document-root = "{self.folder}"
server.bind = "127.0.0.1"
server.port = {self.port}
server.errorlog = "{self.folder}/lighttpd.log"
server.breakagelog = "{self.folder}/log"
server.max-keep-alive-requests = 100000
server.max-connections = 1024
server.modules = ("mod_fastcgi")
fastcgi.server = (
    "/me" => ((
        "bin-path" => "{self.program}",
        "socket" => "{self.folder}/socket",
        "check-local" => "disable",
        "min-procs" => {self.workers},
        "max-procs" => {self.workers},
        "bin-environment" => (
{variables}
        ),
        "bin-copy-environment" => ("PATH"),
    )),
)
""")
        self.run([server, "-D", "-f", self.folder / "server.conf"])

    def parts(self) -> dict:
        server = self.started[0].pid
        return {"web": [server], "app": children_of(server)}


class Floor(Lighttpd):
    """A program that answers the same whoever asks."""

    is_checked = False


class Nginx(Chain):
    """nginx in front of what a subclass starts: `location` is how it gets there."""

    def begin(self):
        server = program_of_system("nginx")
        (self.folder / "server.conf").write_text(f"""\
user root;
worker_processes auto;
daemon off;
pid {self.folder}/nginx.pid;
error_log {self.folder}/log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    keepalive_requests 100000;
    client_body_temp_path {self.folder}/body;
    fastcgi_temp_path {self.folder}/fastcgi;
    proxy_temp_path {self.folder}/proxy;
    scgi_temp_path {self.folder}/scgi;
    uwsgi_temp_path {self.folder}/uwsgi;
{self.upstream()}
    server {{
        listen 127.0.0.1:{self.port} backlog=1024;
        location = /me {{
{self.location()}
        }}
    }}
}}
""")
        self.begin_program()
        self.run([server, "-c", self.folder / "server.conf", "-p", self.folder])

    def upstream(self) -> str:
        return ""

    def location(self) -> str:
        raise NotImplementedError

    def begin_program(self):
        raise NotImplementedError

    def parts(self) -> dict:
        program, server = (process.pid for process in self.started)
        return {"web": [server, *children_of(server)], "app": [program, *children_of(program)]}


def settings_of(population: Population) -> dict:
    """What the peers are told."""
    keys = population.database.keys
    return {
        "BENCH_SOCKET": population.database.socket, "BENCH_DATABASE": population.name, "BENCH_ACCOUNT": "me_worker",
        "BENCH_PASSWORD": population.database.password(), "BENCH_SECRET_FILE": str(keys / "hs256.secret"),
        "BENCH_PUBLIC_KEY_FILE": str(keys / "rs256.pub.pem"), "BENCH_ISSUER": ISSUER, "BENCH_AUDIENCE": AUDIENCE,
    }


def settings_of_go(population: Population, port: int) -> dict:
    told = settings_of(population)
    dsn = (f"{told['BENCH_ACCOUNT']}:{told['BENCH_PASSWORD']}@unix({told['BENCH_SOCKET']})/{told['BENCH_DATABASE']}"
           "?parseTime=true&collation=utf8mb4_bin")
    return {**told, "BENCH_LISTEN": f"127.0.0.1:{port}", "BENCH_DSN": dsn, "BENCH_CONNECTIONS": str(GO_CONNECTIONS)}


class Go(Chain):
    """The Go service by itself."""

    def __init__(self, name: str, program: Path, population: Population):
        super().__init__(name)
        self.program, self.population = program, population

    def begin(self):
        self.run([self.program], **settings_of_go(self.population, self.port))

    def parts(self) -> dict:
        return {"app": [self.started[0].pid]}


class NginxGo(Nginx):
    """The Go service behind nginx, with connections between them that are kept."""

    def __init__(self, name: str, program: Path, population: Population):
        super().__init__(name)
        self.program, self.population = program, population
        self.inner_port = 0

    def upstream(self) -> str:
        return f"    upstream me {{ server 127.0.0.1:{self.inner_port}; keepalive 64; }}"

    def location(self) -> str:
        return ("            proxy_pass http://me;\n            proxy_http_version 1.1;\n"
                "            proxy_set_header Connection \"\";")

    def begin(self):
        self.inner_port = free_port()
        super().begin()

    def begin_program(self):
        self.run([self.program], **settings_of_go(self.population, self.inner_port))


GO_CONNECTIONS = 16  # more or fewer cost it more
PHP_SETTINGS = ("opcache.enable=1", "opcache.validate_timestamps=0", "display_errors=0")


def settings_of_php(population: Population) -> dict:
    told = settings_of(population)
    pdo = f"mysql:unix_socket={told['BENCH_SOCKET']};dbname={told['BENCH_DATABASE']};charset=utf8mb4"
    return {**told, "BENCH_PDO": pdo}


class NginxPhp(Nginx):
    """PHP-FPM with opcache behind nginx: as many processes as others have workers."""

    def __init__(self, name: str, population: Population, workers=WORKERS):
        super().__init__(name)
        self.population, self.workers = population, workers
        self.manager = program_of_system("php-fpm", "php-fpm8.2", "php-fpm8.4", "php-fpm8.3")

    def location(self) -> str:
        params = {"REQUEST_METHOD": "$request_method", "SCRIPT_FILENAME": str(PEERS / "php" / "me.php"),
                  "SCRIPT_NAME": "/me", "REQUEST_URI": "$request_uri", "QUERY_STRING": "$query_string",
                  "CONTENT_TYPE": "$content_type", "CONTENT_LENGTH": "$content_length",
                  "SERVER_PROTOCOL": "$server_protocol", "GATEWAY_INTERFACE": "CGI/1.1"}
        lines = [f"            fastcgi_param {name} {value};" for name, value in params.items()]
        return "\n".join([f"            fastcgi_pass unix:{self.folder}/socket;", *lines])

    def begin_program(self):
        conf = self.folder / "fpm.conf"
        conf.write_text(f"""\
[global]
pid = {self.folder}/fpm.pid
error_log = {self.folder}/log
daemonize = no
[me]
user = root
group = root
listen = {self.folder}/socket
listen.backlog = 1024
listen.mode = 0600
pm = static
pm.max_children = {self.workers}
clear_env = no
catch_workers_output = yes
""")
        settings = [word for setting in PHP_SETTINGS for word in ("-d", setting)]
        as_root = ["-R"] if os.geteuid() == 0 else []
        self.run([self.manager, "-F", *as_root, "-y", conf, *settings], **settings_of_php(self.population))
        wait_until((self.folder / "socket").exists, "PHP-FPM listens")
