"""The example for logrotate, by logrotate itself: a worker goes on in the new file, and nothing is lost."""

import getpass
import grp
import gzip
import os
import subprocess

from support.paths import SOURCE, system_program
from support.servers import fill_in

EXAMPLE = SOURCE / "cgi-bin" / "examples" / "me-fcgi.logrotate"


def test_a_worker_goes_on_in_the_new_file(start_worker, tmp_path):
    folder = tmp_path / "log"
    folder.mkdir(mode=0o755)
    log, conf = folder / "me.log", tmp_path / "logrotate.conf"
    conf.write_text(fill_in(EXAMPLE.read_text(), {
        "LOG": log, "ACCOUNT": getpass.getuser(), "GROUP": grp.getgrgid(os.getegid()).gr_name}))
    conf.chmod(0o644)
    worker = start_worker(ME_LOG_FILE=str(log))

    def ask(request_id):
        worker("GET", headers={"X-Request-Id": request_id})

    def rotate():
        done = subprocess.run([system_program("logrotate"), "--force", "--state", str(tmp_path / "state"), str(conf)],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), done

    for request_id in ("first", "second", "third"):
        ask(request_id)
        if request_id != "third":
            rotate()
    texts = [log.read_text(), (folder / "me.log.1").read_text(), gzip.open(folder / "me.log.2.gz", "rt").read()]
    assert ["third" in texts[0], "second" in texts[1], "first" in texts[2]] == [True] * 3
    assert sum(text.count("status=401") for text in texts) == 3
    assert log.stat().st_mode & 0o777 == 0o640
