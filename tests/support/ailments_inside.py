"""Ailments of settings, files, keys and the database, on a real MariaDB. A ward makes patients and servers."""

import datetime
import time

import pymysql
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from support.ailments import ailment, says
from support.installation import AUDIENCE, ISSUER, write_secret
from support.issuer import Authority
from support.keys import SigningKey, jwks
from support.plugins import PluginServer
from support.sites import free_port

FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"

# ---- settings, files, keys


@ailment("settings-wrong", "files")
def a_value_that_is_none(ward):
    patient = ward.patient()
    patient.write_conf(log__level="loud")
    says(patient.suffers_from("settings-wrong", patient.conf, "log.level", "'loud'"), "mectl config list")
    patient.write_conf(log__level="info")
    patient.is_well()


@ailment("file-writable", "files")
def a_key_that_the_group_can_write(ward):
    patient = ward.patient()
    patient.installation.public_key_file.chmod(0o664)
    row = patient.suffers_from("file-writable", patient.installation.public_key_file, "its group", "0664")
    patient.paste(row)
    patient.is_well()


@ailment("file-writable", "files")
def settings_that_everybody_can_write(ward):
    patient = ward.patient()
    patient.conf.chmod(0o646)
    patient.paste(patient.suffers_from("file-writable", patient.conf, "everybody"))
    patient.is_well()


@ailment("folder-writable", "files")
def a_folder_that_everybody_can_write(ward):
    patient = ward.patient()
    patient.installation.folder.chmod(0o777)
    patient.paste(patient.suffers_from("folder-writable", patient.installation.folder, "everybody"))
    patient.is_well()


@ailment("secret-readable", "files")
def a_secret_that_everybody_can_read(ward):
    patient = ward.patient()
    patient.installation.secret_file.chmod(0o644)
    patient.paste(patient.suffers_from("secret-readable", patient.installation.secret_file, "0644"))
    patient.is_well()


@ailment("secret-readable", "files")
def a_password_that_everybody_can_read(ward):
    patient = ward.patient()
    patient.installation.worker_password_file.chmod(0o644)
    patient.paste(patient.suffers_from("secret-readable", patient.installation.worker_password_file))
    patient.is_well()


@ailment("key-unusable", "files")
def a_secret_that_is_not_there(ward):
    patient = ward.patient()
    patient.write_conf(token__secret_file=patient.folder / "new.secret")
    says(patient.suffers_from("key-unusable", patient.folder / "new.secret"), "mectl keys generate --secret FILE")
    patient.installation.mectl("keys", "generate", "--secret", patient.folder / "new.secret", conf=False)
    patient.is_well()


@ailment("key-defective", "files")
def a_set_with_a_key_that_is_too_short(ward):
    patient, good = ward.patient(), SigningKey("good")
    key_set = patient.folder / "issuer.jwks"
    key_set.write_bytes(jwks(good, SigningKey("short", bits=1024)))
    patient.write_conf(token__jwks_file=key_set)
    says(patient.suffers_from("key-defective", key_set, "short"), "mectl keys fetch")
    key_set.write_bytes(jwks(good))
    patient.is_well()


@ailment("key-idle", "files")
def a_secret_where_only_rs256_is_allowed(ward):
    patient = ward.patient()
    patient.write_conf(token__algorithms="RS256")
    row = patient.suffers_from("key-idle", "HS256", patient.installation.secret_file)
    patient.paste_settings(row, "token")
    patient.is_well()


@ailment("keys-withdrawn", "files")
def a_set_whose_keys_all_end(ward):
    patient, key = ward.patient(), SigningKey("old")
    key_set = patient.folder / "issuer.jwks"
    key_set.write_bytes(jwks(key.jwk(exp=int(time.time()) + 3600)))
    patient.write_conf(token__jwks_file=key_set, token__secret_file=None, token__public_key_file=None)
    says(patient.suffers_from("keys-withdrawn", "ends"), "mectl keys fetch")
    key_set.write_bytes(jwks(key))
    patient.is_well()


def _certificate(days: int) -> bytes:
    key = SigningKey("certified").private
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "login.example.com")])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=100))
        .not_valid_after(now + datetime.timedelta(days=days)).sign(key, hashes.SHA256()))
    return certificate.public_bytes(serialization.Encoding.PEM)


@ailment("certificate-ends", "files")
def a_certificate_of_ten_days(ward):
    _certificate_that_ends(ward, 10)


@ailment("certificate-ends", "files")
def a_certificate_that_has_ended(ward):
    _certificate_that_ends(ward, -3)


def _certificate_that_ends(ward, days: int):
    patient = ward.patient()
    old, new = patient.folder / "old.pem", patient.folder / "new.pem"
    old.write_bytes(_certificate(days))
    new.write_bytes(_certificate(400))
    patient.write_conf(token__public_key_file=f"{old}, {new}")
    says(patient.suffers_from("certificate-ends", old), "public_key_file = OLD, NEW")
    patient.write_conf(token__public_key_file=new)
    patient.is_well()


@ailment("cors-malformed", "files")
def an_origin_with_a_path(ward):
    patient = ward.patient()
    patient.write_conf(cors__origin="https://app.example.com/index.html")
    says(patient.suffers_from("cors-malformed", "index.html"), "origin = https://app.example.com")
    patient.write_conf(cors__origin="https://app.example.com")
    patient.is_well()


@ailment("issuer-open", "files")
def no_issuer(ward):
    patient = ward.patient()
    patient.write_conf(token__issuer=None)
    says(patient.suffers_from("issuer-open", "any issuer"), "issuer = ")
    patient.write_conf(token__issuer=ISSUER)
    patient.is_well()


@ailment("audience-open", "files")
def no_audience(ward):
    patient = ward.patient()
    patient.write_conf(token__audience=None)
    says(patient.suffers_from("audience-open", "other services"), "audience = ")
    patient.write_conf(token__audience=AUDIENCE)
    patient.is_well()


@ailment("subject-open", "files")
def identities_of_any_issuer(ward):
    patient = ward.patient()
    patient.write_conf(token__subject="identity", token__issuer=None)
    says(patient.suffers_from("subject-open", also=["issuer-open"]), "issuer = ")
    patient.write_conf(token__subject="identity")
    patient.is_well()


@ailment("provision-sessions", "files")
def newcomers_whose_tokens_name_a_session(ward):
    patient = ward.patient()
    patient.write_provisioning_conf(token__sessions="if-present")
    patient.grant("provision")
    row = patient.suffers_from("provision-sessions")
    says(row, "sessions = off")
    patient.write_provisioning_conf(token__sessions="off")
    patient.is_well()


@ailment("zones-missing", "files")
def a_system_without_time_zones(ward):
    patient = ward.patient()
    patient.write_conf(profile__zoneinfo=patient.folder / "zoneinfo")
    says(patient.suffers_from("zones-missing", patient.folder / "zoneinfo"), "apt-get install tzdata")
    (patient.folder / "zoneinfo").symlink_to("/usr/share/zoneinfo")
    patient.is_well()


@ailment("cache-unusable", "files")
def a_shared_file_that_others_can_open(ward):
    patient = ward.patient()
    kept = patient.folder / "kept"
    kept.write_bytes(b"")
    kept.chmod(0o644)
    patient.write_conf(cache__path=kept)
    says(patient.suffers_from("cache-unusable", kept, "can be opened by others"), "[cache]")
    kept.unlink()
    patient.is_well()


@ailment("cache-unusable", "files")
def a_shared_file_without_a_folder(ward):
    patient = ward.patient()
    patient.write_conf(cache__path=patient.folder / "none" / "kept")
    says(patient.suffers_from("cache-unusable", patient.folder / "none"), "size_mib = 16")
    patient.write_conf(cache__path=patient.folder / "none" / "kept", cache__mode="off")
    patient.is_well()


@ailment("cache-unusable", "files")
def a_shared_file_larger_than_its_file_system(ward):
    patient = ward.patient()
    patient.write_conf(cache__path="/proc/kept")  # where nothing has any size
    says(patient.suffers_from("cache-unusable", "/proc", "smaller than cache.size_mib"), "size_mib = 16")
    patient.write_conf()
    patient.is_well()


@ailment("password-unusable", "files")
def a_password_that_is_not_there(ward):
    patient = ward.patient()
    password = patient.folder / "other.password"
    patient.write_conf(database__password_file=password)
    says(patient.suffers_from("password-unusable", password), "openssl rand")
    write_secret(password, patient.installation.worker_password + "\n")
    patient.is_well()


# ---- the database


@ailment("database-unreached", "MariaDB")
def a_socket_that_is_not_there(ward):
    patient = ward.patient()
    patient.write_conf(database__host=patient.folder / "no.sock")
    says(patient.suffers_from("database-unreached", patient.folder / "no.sock"), "SELECT @@socket", "host = ")
    patient.write_conf(database__host=patient.installation.server.execute("SELECT @@socket")[0][0])
    patient.is_well()


@ailment("database-unreached", "MariaDB")
def a_port_where_nobody_listens(ward):
    patient = ward.patient()
    patient.write_conf(database__host=f"{patient.installation.server.socket}, 127.0.0.1:{free_port()}")
    patient.suffers_from("database-unreached", "127.0.0.1:", "Can't connect")
    patient.write_conf()
    patient.is_well()


@ailment("account-refused", "MariaDB")
def a_password_that_is_wrong(ward):
    patient = ward.patient()
    write_secret(patient.installation.worker_password_file, "another one\n")
    row = patient.suffers_from("account-refused", "account of worker", "1045")
    says(row, "mectl migrate --print-grants --for worker | mariadb")
    patient.grant("worker")
    patient.is_well()


@ailment("account-refused", "MariaDB")
def an_account_of_provisioning_that_is_not_there(ward):
    patient = ward.patient()
    patient.write_provisioning_conf()
    says(patient.suffers_from("account-refused", "account of provision"), "--for provision | mariadb")
    patient.grant("provision")
    patient.is_well()


@ailment("account-refused", "MariaDB")
def an_account_of_mectl_that_is_wrong(ward):
    patient = ward.patient()
    write_secret(patient.installation.admin_password_file, "another one\n")
    says(patient.suffers_from("account-refused", "account of mectl"), "--for mectl | mariadb")
    patient.grant("mectl")
    patient.is_well()


@ailment("account-plugin", "MariaDB")
def an_account_of_a_plugin_that_is_not_here(ward):
    """Debian's small MariaDB has none of those, so what asks for it stands beside the real server."""
    patient = ward.patient()
    beside = patient.folder / "p.sock"
    server = PluginServer(beside, "auth_nowhere_client")
    patient.write_conf(database__host=beside)
    try:
        says(patient.suffers_from("account-plugin", "auth_nowhere_client"), "mysql_native_password", "--print-grants")
    finally:
        server.stop()
    patient.write_conf()
    patient.is_well()


def _revoke(patient, right: str, place: str, account: str):
    patient.installation.execute(f"REVOKE {right} ON {place} FROM '{account}'@'localhost'")


@ailment("rights-missing", "MariaDB")
def a_table_that_the_worker_may_not_read(ward):
    patient = ward.patient()
    _revoke(patient, "SELECT", "user_badges", patient.installation.worker_account)
    row = patient.suffers_from("rights-missing", "account of worker", "SELECT on user_badges")
    says(row, "mectl migrate --print-grants --for worker | mariadb")
    patient.grant("worker")
    patient.is_well()


@ailment("rights-missing", "MariaDB")
def a_column_that_the_worker_may_not_write(ward):
    patient = ward.patient()
    _revoke(patient, "UPDATE (bio)", "users", patient.installation.worker_account)
    assert "user_" not in patient.suffers_from("rights-missing", "UPDATE on users")["detail"]
    patient.grant("worker")
    patient.is_well()


@ailment("rights-missing", "MariaDB")
def a_column_that_provisioning_may_not_write(ward):
    patient = ward.patient()
    patient.write_provisioning_conf()
    patient.grant("provision")
    _revoke(patient, "INSERT (subject)", "user_identities", patient.installation.provision_account)
    patient.suffers_from("rights-missing", "account of provision", "INSERT on user_identities")
    patient.grant("provision")
    patient.is_well()


@ailment("rights-excess", "MariaDB")
def a_worker_that_may_more_than_it_has_to(ward):
    patient = ward.patient()
    for grant in ("DELETE ON users", "INSERT (id, name) ON users", "PROCESS ON *.*", "CREATE VIEW ON *", "SELECT ON sessions"):
        more = " WITH GRANT OPTION" if "sessions" in grant else ""
        patient.installation.execute(f"GRANT {grant} TO {patient.account}{more}")
    row = patient.suffers_from(
        "rights-excess", "account of worker", "PROCESS on *.*", "DELETE on", "INSERT (id) on", "INSERT (name) on",
        "CREATE VIEW on", "SELECT, GRANT OPTION on")
    patient.paste_sql(row)
    patient.grant("worker")
    patient.is_well()


@ailment("rights-excess", "MariaDB")
def newcomers_by_an_account_that_may_read(ward):
    patient = ward.patient()
    patient.write_provisioning_conf()
    patient.grant("provision")
    patient.installation.execute(f"GRANT SELECT ON users TO '{patient.installation.provision_account}'@'localhost'")
    patient.paste_sql(patient.suffers_from("rights-excess", "account of provision", "SELECT on"))
    patient.is_well()


@ailment("audit-fails", "MariaDB")
def a_worker_that_may_not_record(ward):
    patient = ward.patient()
    patient.write_conf(audit__level="members")
    row = patient.suffers_from("audit-fails", "profile_changes", "denied")
    says(row, "mectl migrate --print-grants --for worker | mariadb")
    patient.grant("worker")
    patient.is_well()


@ailment("migrations-missing", "MariaDB")
def a_database_that_is_empty(ward):
    patient = ward.patient(prepared=False)
    patient.grant("mectl")
    row = patient.suffers_from("migrations-missing", "mectl migrate", also=["account-refused"])
    patient.paste(row)
    patient.grant("worker")
    patient.is_well()


@ailment("migrations-differ", "MariaDB")
def a_database_that_is_newer(ward):
    patient = ward.patient()
    patient.installation.execute(
        "INSERT INTO schema_migrations SELECT 9000, name, checksum, statements, statements_done, applied_at"
        " FROM schema_migrations WHERE version = 1")
    says(patient.suffers_from("migrations-differ", "mectl migrate --status"), "mectl migrate --status")
    patient.installation.execute("DELETE FROM schema_migrations WHERE version = 9000")
    patient.is_well()


@ailment("revisions-unguarded", "MariaDB")
def a_trigger_that_was_dropped(ward):
    patient = ward.patient()
    patient.installation.execute("DROP TRIGGER sessions_revision_delete")
    patient.paste(patient.suffers_from("revisions-unguarded", "0004_revision_triggers"))
    patient.is_well()


@ailment("revisions-unguarded", "MariaDB")
def triggers_that_the_account_could_not_make(ward):
    patient = ward.patient(prepared=False)
    patient.grant("mectl")
    patient.installation.execute(
        f"REVOKE TRIGGER ON {patient.installation.database}.* FROM '{patient.installation.admin_account}'@'localhost'")
    patient.installation.mectl("migrate")
    patient.grant("worker")
    row = patient.suffers_from("revisions-unguarded", "0004_revision_triggers")
    patient.grant("mectl")
    patient.paste(row)
    patient.is_well()


@ailment("revisions-unguarded", "MariaDB")
def a_trigger_of_somebody_else_before_the_change(ward):
    patient = ward.patient()
    patient.installation.execute(
        "CREATE TRIGGER mine BEFORE UPDATE ON users FOR EACH ROW SET NEW.revision = OLD.revision")
    row = patient.suffers_from("revisions-unguarded")
    says(row, "BEFORE trigger of your own", "SHOW TRIGGERS")
    patient.paste(row)
    assert patient.installation.execute("SHOW TRIGGERS WHERE `Trigger` = 'mine'")
    patient.suffers_from("revisions-unguarded")
    patient.installation.execute("DROP TRIGGER mine")
    patient.is_well()


@ailment("definer-missing", "MariaDB")
def another_account_than_the_one_that_migrated(ward):
    patient = ward.patient()
    former = patient.installation.admin_account
    patient.write_conf(admin__user=f"{former}2")
    patient.grant("mectl")
    patient.is_well()
    patient.installation.execute(f"DROP USER '{former}'@'localhost'")
    row = patient.suffers_from("definer-missing", "0004_revision_triggers")
    with pytest.raises(pymysql.err.MySQLError, match="1449"):
        patient.installation.execute("INSERT INTO users (id, name) VALUES ('0123456789abcdef', 'Ann')")
    patient.paste(row)
    patient.installation.execute("INSERT INTO users (id, name) VALUES ('0123456789abcdef', 'Ann')")
    patient.is_well()


@ailment("connections-few", "MariaDB")
def an_account_with_few_connections(ward):
    patient = ward.patient("--workers", 4)
    patient.installation.execute(f"ALTER USER {patient.account} WITH MAX_USER_CONNECTIONS 3")
    row = patient.suffers_from("connections-few", "3 to", "4 workers")
    (remedy,) = [line for line in row["remedy"].splitlines() if "ALTER USER" in line]
    patient.installation.execute(remedy.strip("# ;"))
    patient.is_well()


@ailment("connections-few", "MariaDB")
def a_server_with_few_connections(ward):
    patient = ward.patient("--workers", 200)
    says(patient.suffers_from("connections-few", "151 to all accounts", "200 workers"), "SET GLOBAL max_connections = 300;")
    with ward.setting("max_connections", 300):
        patient.is_well()


@ailment("database-full", "MariaDB")
def an_account_whose_connections_are_all_taken(ward):
    patient = ward.patient()
    patient.installation.execute(f"ALTER USER {patient.account} WITH MAX_USER_CONNECTIONS 1")
    installation = patient.installation
    taken = installation.server.connect(installation.worker_account, installation.worker_password)
    try:
        row = patient.suffers_from("database-full", "1226")
        says(row, "ALTER USER", "MAX_USER_CONNECTIONS")
        patient.installation.execute(f"ALTER USER {patient.account} WITH MAX_USER_CONNECTIONS 100")
        patient.is_well()
    finally:
        taken.close()


@ailment("database-read-only", "MariaDB")
def a_replica_that_is_asked_first(ward):
    patient = ward.patient()
    with ward.setting("read_only", "ON"):
        row = patient.suffers_from("database-read-only", patient.installation.server.socket)
        says(row, "SET GLOBAL read_only = OFF;")
    patient.is_well()


@ailment("database-strange", "MariaDB")
def a_version_that_is_too_old(ward):
    server = ward.server("--version=10.2.44-MariaDB")
    patient = ward.patient(server=server)
    says(patient.suffers_from("database-strange", "10.2.44-MariaDB"), "apt-get install mariadb-server")
    ward.restart(server)
    patient.is_well()


@ailment("clock-differs", "MariaDB")
def a_database_whose_clock_is_late(ward):
    server = ward.server(LD_PRELOAD=FAKETIME, FAKETIME="-1h", FAKETIME_DONT_FAKE_MONOTONIC="1")
    patient = ward.patient(server=server)
    says(patient.suffers_from("clock-differs", "3600 seconds behind"), "set-ntp true")
    ward.restart(server)
    patient.is_well()


def _over_tcp(ward, host: str, *more) -> tuple:
    """A server that listens, and a patient that asks it under this name."""
    port = free_port()
    server = ward.server("--skip-networking=0", "--bind-address=127.0.0.1", f"--port={port}", *more)
    patient = ward.patient(server=server, prepared=False)
    return server, patient, f"{host}:{port}"


@ailment("database-untrusted", "MariaDB")
def a_certificate_that_nobody_knows(ward):
    authority = Authority(ward.folder)
    certificate, key = authority.certify("localhost")
    _, patient, host = _over_tcp(ward, "localhost", f"--ssl-cert={certificate}", f"--ssl-key={key}")
    patient.write_conf(database__host=host, database__tls_ca=authority.file)
    patient.prepare_as_is()
    patient.write_conf(database__host=host)
    says(patient.suffers_from("database-untrusted", host), "tls_ca = ")
    patient.write_conf(database__host=host, database__tls_ca=authority.file)
    patient.is_well()


@ailment("database-untrusted", "MariaDB")
def a_server_without_tls(ward):
    server, patient, host = _over_tcp(ward, "localhost")
    patient.write_conf(database__host=host, database__tls="off")
    patient.prepare_as_is()
    patient.write_conf(database__host=host)
    says(patient.suffers_from("database-untrusted", host), "host = /run/mysqld/mysqld.sock")
    patient.write_conf(database__host=server.socket)
    patient.grant("mectl")
    patient.grant("worker")
    patient.is_well()


@ailment("database-plain", "MariaDB")
def a_network_without_tls(ward):
    authority = Authority(ward.folder)
    certificate, key = authority.certify("0.0.0.0")  # this machine, by a name that does not show it
    _, patient, host = _over_tcp(ward, "0.0.0.0", f"--ssl-cert={certificate}", f"--ssl-key={key}")
    patient.write_conf(database__host=host, database__tls="off", database__tls_ca=authority.file)
    patient.prepare_as_is()
    row = patient.suffers_from("database-plain", host, "off")
    patient.paste_settings(row, "database", database__host=host, database__tls_ca=authority.file)
    patient.grant("mectl")
    patient.grant("worker")
    patient.is_well()
