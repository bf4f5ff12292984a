"""
Lets single calls of me.fcgi and of its libraries fail: tests/faults/inject.c, built for the program under test.

Which calls there are is found, not listed: what the program imports is read from the program, and how often each is
called is counted in a run. Listed is only how a function fails.
"""

import errno
import mmap
import platform
import struct
import subprocess
from pathlib import Path
from typing import NamedTuple

from support.paths import SOURCE, program

POINTS_MAX, CALLER_MAX = 512, 200
_HEAD = struct.Struct(f"=iiqqiiqq{CALLER_MAX}s")
SIZE = _HEAD.size + 8 * POINTS_MAX
RETURN, CUT, LITTLE, WITH_NOISE = range(4)
FOR_EVER = 2**62


class Failure(NamedTuple):
    """What a call does instead of its work."""

    value: int = 0
    error: int = 0
    action: int = RETURN

    def __str__(self):
        if self.action == RETURN:
            return f"{self.value}" + (f" {errno.errorcode[self.error]}" if self.error else "")
        return {CUT: "cut connection", LITTLE: "one byte", WITH_NOISE: "noise"}[self.action]


def _with(*errors) -> list:
    return [Failure(-1, error) for error in errors]


NO_MEMORY = [Failure(0, errno.ENOMEM)]
NOTHING = [Failure(0)]  # NULL, or the 0 by which most of OpenSSL says no
ONE = [Failure(1)]
MINUS_ONE = [Failure(-1)]
LOST = [Failure(action=CUT)]  # what MariaDB's library says of it is then its own
TRANSFER = [Failure(action=LITTLE)]

FALLIBLE = {
    # ---- the C library
    **dict.fromkeys(("malloc", "calloc", "realloc", "reallocarray", "strdup", "strndup", "open_memstream", "fdopen"), NO_MEMORY),
    **dict.fromkeys(("fopen", "fopen64", "realpath", "__realpath_chk", "opendir"), [Failure(0, errno.EMFILE)]),
    **dict.fromkeys(("open", "open64", "openat"), _with(errno.EMFILE, errno.EINTR, errno.EIO)),
    "socket": _with(errno.EMFILE),
    "epoll_create1": _with(errno.EMFILE),
    "accept": _with(errno.EMFILE, errno.ECONNABORTED, errno.EINTR),
    "accept4": _with(errno.EMFILE, errno.ECONNABORTED, errno.EINTR, errno.ENOMEM),
    "epoll_ctl": _with(errno.ENOMEM),
    "epoll_pwait": _with(errno.EINTR),
    "poll": [*_with(errno.EINTR, errno.ENOMEM), Failure(0)],
    "select": _with(errno.EINTR, errno.ENOMEM),
    "connect": _with(errno.ECONNREFUSED, errno.EAGAIN, errno.EINTR),
    "read": [*_with(errno.EINTR, errno.EIO, errno.ECONNRESET), Failure(0), *TRANSFER],
    "pwrite": [*_with(errno.EINTR, errno.ENOSPC), *TRANSFER],
    **dict.fromkeys(("mkostemp", "ftruncate"), _with(errno.EMFILE)),
    "fchmod": _with(errno.EPERM),
    "posix_fallocate": [Failure(errno.ENOSPC)],
    "pread": [*_with(errno.EINTR, errno.EIO), Failure(0), *TRANSFER],
    "write": [*_with(errno.EINTR, errno.EPIPE, errno.ENOSPC), *TRANSFER],
    "recv": [*_with(errno.EINTR, errno.ECONNRESET), Failure(0), *TRANSFER],
    "send": [*_with(errno.EINTR, errno.EPIPE, errno.ENOBUFS), *TRANSFER],
    **dict.fromkeys(("fstat", "stat", "lstat", "readlink", "statfs"), _with(errno.EIO)),
    **dict.fromkeys(("fcntl", "fcntl64", "getgroups"), _with(errno.EINVAL)),
    "setsockopt": _with(errno.ENOBUFS),
    "getrandom": [*_with(errno.EINTR, errno.ENOSYS), Failure(7)],
    "getentropy": _with(errno.EIO),
    "dup2": _with(errno.EBUSY),
    "flock": _with(errno.EINTR, errno.ENOLCK),
    **dict.fromkeys(("rename", "unlink", "link"), _with(errno.EACCES)),
    **dict.fromkeys(("fflush", "fputs", "fputc", "fclose"), [Failure(-1, errno.EIO)]),
    **dict.fromkeys(("fwrite", "fread"), [Failure(0, errno.EIO)]),
    "nanosleep": _with(errno.EINTR),
    # ---- OpenSSL
    **dict.fromkeys((
        "ASN1_TIME_to_tm", "BIO_new_mem_buf", "BN_bin2bn", "EVP_DigestFinal_ex", "EVP_DigestInit_ex2", "EVP_DigestUpdate",
        "EVP_MAC_CTX_dup", "EVP_MAC_CTX_new", "EVP_MAC_fetch", "EVP_MAC_final", "EVP_MAC_init", "EVP_MAC_update",
        "EVP_MD_CTX_new", "EVP_MD_fetch", "EVP_PKEY_CTX_new_from_name", "EVP_PKEY_CTX_new_from_pkey",
        "EVP_PKEY_CTX_set_rsa_padding", "EVP_PKEY_CTX_set_signature_md", "EVP_PKEY_fromdata", "EVP_PKEY_fromdata_init",
        "EVP_PKEY_get_bn_param", "EVP_PKEY_verify_init", "OSSL_PARAM_BLD_new", "OSSL_PARAM_BLD_push_BN",
        "OSSL_PARAM_BLD_to_param", "PEM_read_bio", "PEM_read_bio_PUBKEY", "PEM_read_bio_PrivateKey", "PEM_read_bio_X509",
        "X509_get_pubkey", "EVP_Digest", "EVP_Q_digest", "OPENSSL_init_crypto"), NOTHING),
    "EVP_PKEY_verify": MINUS_ONE,  # 0 is a bad signature
    # ---- json-c
    **dict.fromkeys((
        "json_object_new_array", "json_object_new_boolean", "json_object_new_int", "json_object_new_int64",
        "json_object_new_object", "json_object_new_string", "json_object_new_string_len", "json_tokener_parse",
        "json_object_to_json_string_length"), NOTHING),
    **dict.fromkeys(("json_object_array_add", "json_object_object_add", "json_object_object_add_ex"), MINUS_ONE),
    # ---- MariaDB's client
    **dict.fromkeys(("mysql_init", "mysql_stmt_init"), NOTHING),
    **dict.fromkeys((
        "mysql_options", "mysql_server_init", "mysql_stmt_attr_set", "mysql_stmt_bind_param", "mysql_stmt_bind_result",
        "mysql_stmt_fetch"), ONE),
    **dict.fromkeys((
        "mysql_real_query", "mysql_stmt_prepare", "mysql_stmt_execute", "mysql_stmt_store_result", "mysql_store_result",
        "mysql_stmt_reset"), LOST),
}

# What the program imports, and cannot fail by itself.
INFALLIBLE = {
    # they look at memory, compute, or wait
    *("memchr memcmp memcpy memmem memmove memrchr memset strchr strcmp strerror strlen strpbrk strrchr strstr strspn strcspn "
      "snprintf __snprintf_chk __vsnprintf_chk dirname qsort bsearch usleep alarm sigaddset sigemptyset __errno_location "
      "vsnprintf ferror getsockopt lseek sigaction sigprocmask getpid getegid geteuid clock_gettime __stack_chk_fail strncmp msync munmap __memcpy_chk "
      "dl_iterate_phdr _exit").split(),
    # the sandbox is made of them, which has tests of its own, and no sanitizer lets one be had
    *"fork getrlimit prctl setrlimit syscall waitpid".split(),
    # of the pool of random bytes, where inject.c itself could not be had: tests/unit/randompool_test.c
    *"mmap madvise".split(),
    # of a host that greets again: tests/cluster
    *"getaddrinfo freeaddrinfo".split(),
    # they give back; what cannot be given back is gone all the same
    *("free close shutdown CRYPTO_free CRYPTO_clear_free OPENSSL_cleanse BIO_free BN_free EVP_MAC_CTX_free EVP_MAC_free EVP_MD_CTX_free "
      "EVP_MD_free EVP_PKEY_CTX_free EVP_PKEY_free OSSL_PARAM_BLD_free OSSL_PARAM_free X509_free ERR_clear_error "
      "json_object_put mysql_close mysql_free_result mysql_stmt_close mysql_stmt_free_result").split(),
    # they tell of what they were given
    *("BIO_ctrl BN_bn2bin BN_num_bits CRYPTO_memcmp ERR_get_error EVP_PKEY_CTX_get0_pkey EVP_PKEY_get_bits EVP_PKEY_is_a "
      "EVP_sha256 X509_get_default_cert_area mysql_get_socket OSSL_PARAM_construct_end OSSL_PARAM_construct_utf8_string OpenSSL_version_num X509_get0_notAfter "
      "json_object_get_boolean json_object_get_object json_object_get_string json_object_get_string_len json_object_is_type "
      "json_object_object_get_ex mysql_errno mysql_error mysql_get_server_info mysql_get_server_version mysql_get_ssl_cipher "
      "mysql_stmt_affected_rows mysql_stmt_errno mysql_stmt_error mysql_stmt_field_count mysql_stmt_num_rows "
      "mysql_stmt_param_count").split(),
    # they fail by calls that are points themselves: made to fail alone they would leave what no failure leaves
    *("mysql_real_connect FCGX_Accept_r FCGX_FClose FCGX_FFlush FCGX_Finish_r FCGX_Free FCGX_GetError FCGX_GetStr FCGX_Init "
      "FCGX_InitRequest FCGX_PutStr __fprintf_chk fprintf __printf_chk printf").split(),
}
_OF_THE_COMPILER = ("_ITM_", "__cxa_", "__gmon", "__libc_start", "__asan_", "__ubsan_", "__tls_get_addr")
LIBRARIES = ("libmariadb", "libcrypto", "libjson-c", "libfcgi")


def _imports(file) -> set:
    done = subprocess.run(["nm", "-D", "--undefined-only", str(file)], stdout=subprocess.PIPE, text=True, check=True)
    names = {line.split()[-1].partition("@")[0] for line in done.stdout.splitlines()}
    return {name for name in names if not name.startswith(_OF_THE_COMPILER)}


def _libraries() -> list:
    """Those that the program is linked with, as the loader finds them."""
    done = subprocess.run(["ldd", str(program("me.fcgi"))], stdout=subprocess.PIPE, text=True, check=True)
    words = [line.split() for line in done.stdout.splitlines()]
    return [line[2] for line in words if len(line) > 2 and line[0].startswith(LIBRARIES)]


def imports_of_program() -> set:
    return _imports(program("me.fcgi"))


def points() -> list:
    """The names of all functions of which a call can be made to fail."""
    names = imports_of_program().union(*map(_imports, _libraries()))
    return sorted(names & set(FALLIBLE))


def can_inject() -> bool:
    return platform.machine() == "x86_64"


class Injection:
    """The preload in `folder`, and the words to it."""

    def __init__(self, folder: Path):
        self.points = points()
        assert len(self.points) <= POINTS_MAX
        self.library = folder / "inject.so"
        self.path = folder / "inject.control"
        (folder / "points.inc").write_text(
            "".join(f"POINT({number}, {name})\n" for number, name in enumerate(self.points)))
        subprocess.run(
            ["cc", "-O1", "-shared", "-fPIC", "-w", f"-I{folder}", "-o", str(self.library),
             str(SOURCE / "tests" / "faults" / "inject.c"), "-ldl"], check=True)
        self.path.write_bytes(bytes(SIZE))
        with open(self.path, "r+b") as file:
            self.control = mmap.mmap(file.fileno(), SIZE)

    def environment(self) -> dict:
        """What a process needs in which calls are to fail."""
        return {"LD_PRELOAD": str(self.library), "INJECT_CONTROL": str(self.path)}

    def count(self):
        """From here on calls are counted, and none fails."""
        self._arm(-1, 0, -1, Failure())

    def fail(self, name: str, first: int, failure: Failure, last=None):
        """From here on the calls of these numbers fail, from 0."""
        self._arm(self.points.index(name), first, first if last is None else last, failure)

    def _arm(self, point: int, first: int, last: int, failure: Failure):
        head = _HEAD.pack(0, point, first, last, failure.action, failure.error, failure.value, 0, b"")
        self.control[:] = head.ljust(SIZE, b"\0")
        self.control[0] = 1

    def stop(self):
        self.control[0] = 0

    def counts(self) -> dict:
        """How often each function was called since."""
        counts = struct.unpack_from(f"={len(self.points)}q", self.control, _HEAD.size)
        return {name: count for name, count in zip(self.points, counts) if count}

    def fired(self) -> str:
        """Where the call came from that failed; None where it was not made."""
        fields = _HEAD.unpack_from(self.control)
        return fields[-1].rstrip(b"\0").decode() or "?" if fields[-2] else None
