"""What mectl doctor finds from inside in the settings and in the files that they name. A ward makes patients."""

import datetime
import os
import socket
import subprocess
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from support.ailments import ailment, says
from support.installation import AUDIENCE, ISSUER, write_secret
from support.keys import SigningKey, jwks
from support.paths import clean_environment, program


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


@ailment("secret-readable", "files")
def a_secret_whose_name_is_several_words_to_a_shell(ward):
    """Its neighbour, which has the first of them for a name, is left alone."""
    patient = ward.patient()
    secret, neighbour = patient.folder / "login's key & $HOME.secret", patient.folder / "login's"
    secret.write_text(patient.installation.secret + "\n")
    neighbour.write_text("")
    for path in (secret, neighbour):
        path.chmod(0o644)
    patient.write_conf(token__secret_file=f'"{secret}"')
    patient.paste(patient.suffers_from("secret-readable", secret))
    patient.is_well()
    assert secret.stat().st_mode & 0o777 == 0o600 and neighbour.stat().st_mode & 0o777 == 0o644


@ailment("key-unusable", "files")
def a_folder_in_the_place_of_a_secret(ward):
    """That nobody can read a secret of it is no secret that others can read."""
    patient = ward.patient()
    folder = patient.folder / "folder"
    folder.mkdir()
    patient.write_conf(token__secret_file=folder)
    patient.suffers_from("key-unusable", folder, "is not a regular file")
    patient.write_conf()
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
    says(patient.suffers_from("cache-unusable", patient.folder / "none"), "install -d -o www-data", "size_mib = 16")
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
    row = patient.suffers_from("password-unusable", password)
    says(row, "openssl rand -hex 16 >FILE", "mectl migrate --print-grants --for worker | mariadb")
    write_secret(password, "0123456789abcdef0123456789abcdef\n")
    patient.grant("worker")
    patient.is_well()


@ailment("socket-taken", "files")
def a_worker_whose_starter_keeps_the_socket(ward):
    """As systemd does."""
    patient = ward.patient()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(patient.folder / "w.sock"))
        listener.listen(1)
        for mode, found in (("shared", set()), ("own", {"socket-taken"}), (None, set())):
            environment = {} if mode is None else {"ME_PROCESS_SOCKET": mode}
            worker = subprocess.Popen(
                [str(program("me.fcgi"))], stdin=listener, stderr=subprocess.DEVNULL,
                env=clean_environment(ME_CONF=str(patient.conf), **environment))
            try:
                # its memory and descriptors are root's alone to look at
                wanted = found | {"worker-is-root"} if os.geteuid() == 0 else set()
                assert set(patient.examine()) == wanted, mode
            finally:
                worker.terminate()
                worker.wait(10)
    patient.is_well()
