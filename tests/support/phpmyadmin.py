"""phpMyAdmin itself, from Debian, and a browser for it: what a customer of a shared host does with a database."""

import html
import http.cookiejar
import re
import subprocess
import urllib.parse
import urllib.request
import uuid

from support.processes import wait_until

PACKAGES = ("phpmyadmin", "dbconfig-no-thanks", "php-cli", "php-mysql", "php-mbstring")
_SETTINGS = """<?php
$cfg['Servers'][1]['auth_type'] = 'cookie';
$cfg['Servers'][1]['host'] = '127.0.0.1';
$cfg['Servers'][1]['port'] = '{port}';
$cfg['Servers'][1]['connect_type'] = 'tcp';
"""


class PhpMyAdmin:
    """Served by PHP's own web server out of a root that has the packages."""

    def __init__(self, root, port: int, database_port: int):
        self.url = f"http://127.0.0.1:{port}/index.php"
        root.path("/etc/phpmyadmin/conf.d/server.php").write_text(_SETTINGS.format(port=database_port))
        self.process = subprocess.Popen(
            root.command(["php", "-S", f"127.0.0.1:{port}", "-t", "/usr/share/phpmyadmin"]), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self._answers, 20, "phpMyAdmin answers")

    def _answers(self) -> bool:
        assert self.process.poll() is None, "php ended at once"
        try:
            return urllib.request.urlopen(self.url, timeout=10).status == 200
        except OSError:
            return False

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


class Browser:
    """Logged in as one account of the database."""

    def __init__(self, site: PhpMyAdmin, user: str, password: str):
        self.url = site.url
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        form = {**self._hidden(self._open()), "pma_username": user, "pma_password": password, "server": "1"}
        page = self._open(data=urllib.parse.urlencode(form).encode())
        assert "pma_password" not in page, "the login was refused"
        self.token = html.unescape(re.search(r'name="token" value="([^"]*)"|token:"([^"]*)"', page)[0]).split('"')[-2]

    def _open(self, route="/", data=None, headers=None, **query) -> str:
        url = f"{self.url}?{urllib.parse.urlencode({'route': route, **query})}"
        with self.opener.open(urllib.request.Request(url, data, headers or {}), timeout=60) as answer:
            return answer.read().decode()

    @staticmethod
    def _hidden(page: str) -> dict:
        """What a form sends along unseen."""
        fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
        return {name: html.unescape(value) for name, value in fields}

    def import_file(self, database: str, name: str, text: bytes) -> str:
        """"Import" in a database; the text of the page that comes then."""
        fields = {**self._hidden(self._open("/database/import", db=database)), "token": self.token, "db": database,
                  "import_type": "database", "format": "sql", "charset_of_file": "utf-8", "sql_compatibility": "NONE"}
        edge = uuid.uuid4().hex
        parts = [f'--{edge}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'.encode()
                 for field, value in fields.items()]
        parts.append(f'--{edge}\r\nContent-Disposition: form-data; name="import_file"; filename="{name}"\r\n'
                     "Content-Type: application/sql\r\n\r\n".encode() + text + f"\r\n--{edge}--\r\n".encode())
        page = self._open("/import", b"".join(parts), {"Content-Type": f"multipart/form-data; boundary={edge}"})
        return _text_of(page)

    def run(self, database: str, sql: str) -> str:
        """"SQL" in a database; the text of the page that comes then."""
        form = {"token": self.token, "db": database, "sql_query": sql, "is_js_confirmed": "0", "sql_delimiter": ";"}
        return _text_of(self._open("/import", urllib.parse.urlencode(form).encode()))


def _text_of(page: str) -> str:
    page = re.sub(r"(?s)<script.*?</script>", " ", page)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))
