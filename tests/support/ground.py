"""What all real servers of the tests stand on: free ports, the system's places, processes by their program."""

import configparser
import hashlib
import os
import pwd
import socket
from pathlib import Path

APACHE_MODULES = "/usr/lib/apache2/modules"
SUEXEC_ROOT = Path("/var/www")  # all that Debian's suexec looks into
SUEXEC_LOG = Path("/var/log/apache2")  # suexec's own, without which it refuses
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
IS_ROOT = os.geteuid() == 0


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def pids_running(is_meant) -> list:
    """The processes whose program's path, as /proc tells it, is one of those that are meant."""
    return [int(process.name) for process in Path("/proc").glob("[0-9]*") if is_meant(_program_of(process))]


def _program_of(process: Path) -> str:
    """With " (deleted)" behind it where another file has taken its place."""
    try:
        return os.readlink(process / "exe")
    except OSError:
        return ""


def kept_in_memory(account: str, conf: Path) -> Path:
    """The file of the cache of an account's workers where me.conf names none, as src/api/keptplace.c has it."""
    settings = configparser.ConfigParser(interpolation=None, inline_comment_prefixes=())
    settings.read(conf)
    hosts = [host.strip() for host in settings["database"]["host"].split(",")]
    texts = [os.fsencode(text) for text in (conf, settings["database"]["name"], *hosts)]
    subject = b"".join(b"%d:%s" % (len(text), text) for text in texts)
    name = hashlib.sha256(subject).hexdigest()[:16]
    return Path(f"/dev/shm/me-fcgi-{pwd.getpwnam(account).pw_uid}-{name}")


def ends_of_logs(files) -> str:
    """What a test shows that failed."""
    return "\n".join(f"{path.name}:\n{path.read_text(errors='replace')[-3000:]}" for path in files if path.exists())
