"""What mectl doctor finds from inside in the database, on a real MariaDB. A ward makes patients and servers."""

import pymysql
import pytest

from support import faketime
from support.ailments import ailment, says
from support.ground import free_port
from support.installation import write_secret
from support.issuer import Authority
from support.plugins import PluginServer


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
def an_account_that_was_locked(ward):
    patient = ward.patient()
    patient.installation.execute(f"ALTER USER {patient.account} ACCOUNT LOCK")
    patient.suffers_from("account-refused", "account of worker", "4151", "ACCOUNT UNLOCK")
    patient.installation.execute(f"ALTER USER {patient.account} ACCOUNT UNLOCK")
    patient.is_well()


@ailment("account-refused", "MariaDB")
def a_password_that_has_expired(ward):
    """The server lets such an account in, and lets it do nothing."""
    patient = ward.patient()
    patient.installation.execute(f"ALTER USER {patient.account} PASSWORD EXPIRE")
    says(patient.suffers_from("account-refused", "account of worker", "1820"), "--for worker | mariadb")
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
    patient.installation.execute("CREATE TABLE `od``d` (n INT)")
    for grant in ("DELETE ON users", "INSERT (id, name) ON users", "PROCESS ON *.*", "CREATE VIEW ON *", "SELECT ON sessions",
                  "UPDATE ON `od``d`"):
        more = " WITH GRANT OPTION" if "sessions" in grant else ""
        patient.installation.execute(f"GRANT {grant} TO {patient.account}{more}")
    row = patient.suffers_from(
        "rights-excess", "account of worker", "PROCESS on *.*", "DELETE on", "INSERT (`id`) on", "INSERT (`name`) on",
        "CREATE VIEW on", "SELECT, GRANT OPTION on", "`od``d`")
    patient.paste_sql(row)
    patient.installation.execute("DROP TABLE `od``d`")
    patient.grant("worker")
    patient.is_well()


@ailment("rights-excess", "MariaDB")
def a_worker_that_may_run_what_is_stored(ward):
    patient = ward.patient()
    patient.installation.execute("CREATE PROCEDURE `cl``ean` () DELETE FROM users")
    patient.installation.execute(f"GRANT EXECUTE ON PROCEDURE `cl``ean` TO {patient.account}")
    place = f"`{patient.installation.database}`.`cl``ean`"
    patient.paste_sql(patient.suffers_from("rights-excess", f"EXECUTE on PROCEDURE {place}"))
    patient.is_well()


def _grant_all(server, account: str, *grants):
    for grant in grants:
        server.execute(f"GRANT {grant} TO {account}")


@ailment("rights-excess", "MariaDB")
def a_worker_that_may_more_by_roles(ward):
    """By default or not: who has the password can take each of them on."""
    server = ward.server()
    patient = ward.patient(server=server)
    database = patient.installation.database
    for role in ("clerk", "`in``ner`", "'q''uo\\\\te'", "idle"):
        server.execute(f"CREATE ROLE {role}")
    _grant_all(server, "`in``ner`", f"DELETE ON {database}.*")
    _grant_all(server, "clerk", "`in``ner`", f"SELECT ON {database}.users")
    _grant_all(server, "'q''uo\\\\te'", f"UPDATE (status) ON {database}.users", "PROCESS ON *.*")
    _grant_all(server, "idle", f"SELECT ON {database}.users")
    _grant_all(server, patient.account, "clerk", "`q'uo\\te`", "idle")
    server.execute(f"SET DEFAULT ROLE clerk FOR {patient.account}")
    row = patient.suffers_from(
        "rights-excess", f"DELETE on `{database}`.* by the role `clerk`", "PROCESS on *.* by the role `q'uo\\te`",
        f"UPDATE (`status`) on `{database}`.`users` by the role `q'uo\\te`")
    assert "idle" not in row["detail"] and row["remedy"].count("REVOKE") == 2, row
    patient.paste_sql(row)
    assert [role for (role,) in server.execute(
        f"SELECT Role FROM mysql.roles_mapping WHERE User = '{patient.installation.worker_account}'")] == ["idle"]
    patient.is_well()


@ailment("rights-excess", "MariaDB")
def a_worker_that_may_give_a_role_away(ward):
    server = ward.server()
    patient = ward.patient(server=server)
    server.execute("CREATE ROLE inner_one")
    server.execute("CREATE ROLE outer_one")
    _grant_all(server, "outer_one", "inner_one")
    server.execute("GRANT inner_one TO outer_one WITH ADMIN OPTION")
    server.execute(f"GRANT outer_one TO {patient.account} WITH ADMIN OPTION")
    row = patient.suffers_from(
        "rights-excess", "ADMIN OPTION for the role `inner_one`", "ADMIN OPTION for the role `outer_one`")
    patient.paste_sql(row)
    assert len(server.execute("SELECT 1 FROM mysql.roles_mapping WHERE Admin_option = 'N'")) == 2
    patient.is_well()


@ailment("rights-excess", "MariaDB")
def a_worker_that_has_by_a_role_what_it_needs(ward):
    """Nothing is wrong with that; only with what the role has besides."""
    server = ward.server()
    patient = ward.patient(server=server)
    database = patient.installation.database
    rights = [grant.removeprefix("GRANT ").rpartition(" TO ")[0] for (grant,) in server.execute(
        f"SHOW GRANTS FOR {patient.account}") if "USAGE" not in grant]
    server.execute("CREATE ROLE reader")
    _grant_all(server, "reader", *rights)
    server.execute(f"REVOKE ALL PRIVILEGES, GRANT OPTION FROM {patient.account}")
    patient.suffers_from("account-refused", "1044")
    server.execute(f"GRANT reader TO {patient.account}")
    server.execute(f"SET DEFAULT ROLE reader FOR {patient.account}")
    patient.is_well()
    server.execute(f"GRANT INSERT ON {database}.users TO reader")
    row = patient.suffers_from("rights-excess", "by the role `reader`")
    says(row, "mectl migrate --print-grants | mariadb")
    patient.grant("worker")
    patient.paste_sql(row)
    patient.is_well()


@ailment("rights-excess", "MariaDB")
def a_worker_that_may_more_since_everybody_may(ward):
    server = ward.server()
    patient = ward.patient(server=server)
    database = patient.installation.database
    for grant in ("DELETE ON sessions", "UPDATE (status) ON users", "SELECT ON users"):
        patient.installation.execute(f"GRANT {grant} TO PUBLIC")
    server.execute("CREATE ROLE `every``body`")
    server.execute(f"GRANT DROP ON {database}.* TO `every``body`")
    server.execute("GRANT `every``body` TO PUBLIC")
    row = patient.suffers_from(
        "rights-excess", f"DELETE on `{database}`.`sessions` by PUBLIC", "UPDATE (`status`) on", "the role `every``body` by PUBLIC")
    assert row["remedy"].count("REVOKE") == 3, row
    patient.paste_sql(row)
    patient.is_well()


@ailment("rights-excess", "MariaDB")
def an_account_whose_name_has_quotes(ward):
    patient = ward.patient(prepared=False)
    patient.installation.worker_account = "o'b\\r`@x"
    patient.write_conf()
    patient.prepare_as_is()
    account = "'o''b\\\\r`@x'@'localhost'"
    _grant_all(patient.installation.server, account, "PROCESS ON *.*")
    row = patient.suffers_from("rights-excess", f"account of worker, {account}: PROCESS on *.*")
    says(row, f"REVOKE PROCESS ON *.* FROM {account};")
    patient.paste_sql(row)
    patient.is_well()
    patient.installation.execute(f"DROP USER {account}")


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


def _renamed(ward, statement: str, name: str, other: str, number: str):
    """A name of the schema that is another one for a while."""
    patient = ward.patient()
    patient.installation.execute(f"{statement} {name} TO {other}")
    patient.suffers_from("migrations-differ", name, number, "gone")
    patient.installation.execute(f"{statement} {other} TO {name}")
    patient.is_well()


@ailment("migrations-differ", "MariaDB")
def a_table_that_is_gone(ward):
    _renamed(ward, "RENAME TABLE", "user_badges", "badges", "1146")


@ailment("migrations-differ", "MariaDB")
def a_column_that_is_gone(ward):
    _renamed(ward, "ALTER TABLE sessions RENAME COLUMN", "revoked_at", "ended_at", "1054")


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
        (remedy,) = [line for line in row["remedy"].splitlines() if "ALTER USER" in line]
        patient.installation.execute(remedy.strip("# ;"))
        patient.is_well()
    finally:
        taken.close()


@ailment("database-read-only", "MariaDB")
def a_replica_that_is_asked_first(ward):
    patient = ward.patient()
    with ward.setting("read_only", "ON"):
        row = patient.suffers_from("database-read-only", patient.installation.server.socket)
        says(row, "where it is no replica", "SET GLOBAL read_only = OFF;")
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
    server = ward.server(LD_PRELOAD=faketime.LIBRARY, FAKETIME="-1h", FAKETIME_DONT_FAKE_MONOTONIC="1")
    with faketime.cleared(server.pid()):
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
