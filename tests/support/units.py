"""What systemd does with the units of the examples, by systemd-socket-activate: no system need be started."""

import os
import pwd
import re
import shlex
import socket
import subprocess
from pathlib import Path

from support.paths import clean_environment


def settings_of(unit: Path) -> dict:
    """The last value of each setting of a unit."""
    return dict(re.findall(r"^(\w+)=(.*)$", unit.read_text(), re.MULTILINE))


def listen(unit: Path) -> socket.socket:
    """The socket that a .socket unit describes."""
    settings = settings_of(unit)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(settings["ListenStream"])
    os.chmod(settings["ListenStream"], int(settings["SocketMode"], 8))
    if os.geteuid() == 0:
        owner = pwd.getpwnam(settings["SocketUser"])
        os.chown(settings["ListenStream"], owner.pw_uid, owner.pw_gid)
    listener.listen(int(settings["Backlog"]))
    return listener


def start(unit: Path, listener: socket.socket, log) -> subprocess.Popen:
    """
    A service whose standard input is that socket. It is handed over as systemd hands sockets over, and
    systemd-socket-activate makes it descriptor 0 with the first connection.
    """
    settings = settings_of(unit)
    assert settings["StandardInput"] == "socket"
    command = ["systemd-socket-activate", "--inetd", "--setenv", settings["Environment"],
               *shlex.split(settings["ExecStart"])]
    if os.geteuid() == 0:
        command = ["setpriv", f"--reuid={settings['User']}", f"--regid={settings['Group']}", "--init-groups", *command]
    handed_over = f"LISTEN_FDS=1 LISTEN_PID=$$ exec {shlex.join(command)} 3<&0 </dev/null"
    return subprocess.Popen(["sh", "-c", handed_over], stdin=listener, stdout=log, stderr=log, env=clean_environment())
