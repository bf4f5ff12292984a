"""mectl keys fetch, and the file that it keeps."""

import json
import subprocess

from support.installation import write_conf
from support.paths import clean_environment, program


def run_fetch(conf, *arguments) -> dict:
    """What mectl keys fetch says in JSON, once it has succeeded with this me.conf."""
    done = subprocess.run(
        [str(program("mectl")), "keys", "fetch", "--json", "--config", str(conf), *map(str, arguments)],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60, env=clean_environment())
    assert done.returncode == 0 and done.stderr == "", done
    return json.loads(done.stdout)


class Trust:
    """A me.conf that trusts the keys of a provider, and of nobody else."""

    def __init__(self, conf, file):
        self.conf = conf
        self.file = file

    def fetch(self, *arguments) -> dict:
        return run_fetch(self.conf, *arguments)


class Fetcher:
    """mectl with a me.conf that names issuer, CA and file."""

    def __init__(self, folder, authority, issuer):
        self.file = folder / "jwks.json"
        self.conf = write_conf(folder / "me.conf", {
            "token": {"jwks_file": self.file.name, "algorithms": "RS256"},
            "keys": {"issuer": issuer.url, "ca": authority.file, "timeout_s": 5},
        })

    def command(self, *arguments) -> list:
        return [str(program("mectl")), "keys", "fetch", "--config", str(self.conf), *map(str, arguments)]

    def start(self, *arguments, prefix=(), **more):
        environment = {name: more.pop(name) for name in list(more) if name.startswith("ME_")}
        return subprocess.Popen(
            [*prefix, *self.command(*arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, env=clean_environment(**environment), **more)

    def run(self, *arguments, **more):
        process = self.start(*arguments, **more)
        stdout, stderr = process.communicate(timeout=60)
        return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)

    def __call__(self, *arguments, **more) -> dict:
        """What it says in JSON, once it has succeeded."""
        done = self.run("--json", *arguments, **more)
        assert done.returncode == 0 and done.stderr == "", done
        return json.loads(done.stdout)

    def fails(self, *words, arguments=(), **more) -> str:
        """It fails with one sentence that has the words, and the file is as it was."""
        before = self.state()
        done = self.run(*arguments, **more)
        assert done.returncode == 1 and done.stdout == "", done
        assert done.stderr.startswith("mectl: ") and done.stderr.count("\n") == 1, done.stderr
        for word in words:
            assert str(word) in done.stderr, f"nothing of {word!r}: {done.stderr}"
        assert self.state() == before, "the file has changed"
        assert not self.file.with_name("jwks.json.new").exists()
        return done.stderr

    def state(self):
        """Bytes and stamp of the file; None where there is none."""
        if not self.file.is_file():
            return None
        info = self.file.stat()
        return self.file.read_bytes(), info.st_ino, info.st_mtime_ns, info.st_mode

    def jwks(self) -> list:
        return json.loads(self.file.read_bytes())["keys"]

    def kids(self) -> dict:
        """The ends of the keys in the file, by kid."""
        return {jwk.get("kid"): jwk.get("exp") for jwk in self.jwks()}
