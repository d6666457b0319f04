"""Which functions in C block, and of which kind: the only list that is written by hand.

Everything else is derived from it: a function blocks because a run of it reached one of these.
"""

from __future__ import annotations

from freeloop.knowledge.blocking import Kind
from freeloop.record.c_calls import CCall

MS = 1_000_000
# A lock that nobody holds is taken at once; one that made the exercise wait this long was held.
WAITED_NS = 5 * MS
# A selector that is asked whether something is there already waits less.
SELECTED_NS = MS // 100

SOCKET = (
    *("connect", "connect_ex", "_accept", "send", "sendall", "sendto", "sendmsg", "sendfile"),
    *("recv", "recv_into", "recvfrom", "recvfrom_into", "recvmsg"),
)
RESOLVER = (
    *("getaddrinfo", "getnameinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr"),
    "getfqdn",
)
FILES = (
    *("open", "read", "write", "pread", "pwrite", "readv", "writev", "fsync", "fdatasync", "sync"),
    *("stat", "lstat", "fstat", "access", "listdir", "scandir", "statvfs", "readlink"),
    *("mkdir", "rmdir", "unlink", "remove", "rename", "replace", "link", "symlink", "truncate"),
    *("ftruncate", "chmod", "chown", "utime", "copy_file_range", "lockf"),
)
PROCESSES = (
    "fork",
    "forkpty",
    "system",
    "posix_spawn",
    "posix_spawnp",
    "waitpid",
    "wait",
    "waitid",
)
BUFFERED = ("BufferedReader", "BufferedWriter", "BufferedRandom", "TextIOWrapper", "_IOBase")
READING = (
    *("read", "read1", "readinto", "readline", "readlines", "readall", "write", "writelines"),
    *("flush", "truncate"),
)
SQLITE = {
    "Connection": (
        *("execute", "executemany", "executescript", "commit", "rollback", "backup", "iterdump"),
        "blobopen",
    ),
    "Cursor": ("execute", "executemany", "executescript", "fetchone", "fetchall", "fetchmany"),
}

KINDS: dict[str, Kind] = {
    "time.sleep": Kind.SLEEP,
    **{f"_socket.socket.{name}": Kind.NET for name in SOCKET},
    **{f"_ssl._SSLSocket.{name}": Kind.NET for name in ("do_handshake", "read", "write")},
    "posix.sendfile": Kind.NET,
    **{f"_socket.{name}": Kind.DNS for name in RESOLVER},
    **{f"posix.{name}": Kind.FILE for name in FILES},
    **dict.fromkeys(("fcntl.flock", "fcntl.lockf", "_io.open", "io.open_code"), Kind.FILE),
    **{f"_io.FileIO.{name}": Kind.FILE for name in READING},
    "_io.FileIO": Kind.FILE,
    **{f"_io.{each}.{name}": Kind.FILE for each in BUFFERED for name in READING},
    **{f"posix.{name}": Kind.PROC for name in PROCESSES},
    "_posixsubprocess.fork_exec": Kind.PROC,
    "_sqlite3.connect": Kind.DB,
    "sqlite3.connect": Kind.DB,
    **{f"sqlite3.{each}.{name}": Kind.DB for each, names in SQLITE.items() for name in names},
    "psycopg_binary._psycopg.wait_c": Kind.DB,
    "_hashlib.pbkdf2_hmac": Kind.CPU,
    "_hashlib.scrypt": Kind.CPU,
}
# Block only if they did: each is also asked for without a need to wait.
LOCKS = frozenset(
    f"_thread.{lock}.{name}"
    for lock in ("lock", "LockType", "RLock", "_ThreadHandle")
    for name in ("acquire", "acquire_lock", "join")
) | {"_queue.SimpleQueue.get"}
SELECTS = frozenset(
    {"select.select", "select.poll.poll", "select.epoll.poll", "select.kqueue.control"}
)

# What a call that reaches several is named for: the sockets of a client matter more than the file
# of certificates it reads first.
RANK = (
    *(Kind.PROC, Kind.DB, Kind.NET, Kind.DNS),
    *(Kind.SLEEP, Kind.CPU, Kind.LOCK, Kind.FILE),
)

# Asked of the system on the way to something that costs more.
QUESTIONS = frozenset(
    f"posix.{name}"
    for name in ("stat", "lstat", "fstat", "access", "statvfs", "readlink", "waitpid")
)


def weight(kind: Kind, primitive: str) -> tuple[int, bool]:
    """Return a key that puts first what a call is named for."""
    return RANK.index(kind), primitive in QUESTIONS


def is_question(primitive: str) -> bool:
    """Whether it asks for less than a block: worth a row only for what is called itself."""
    return primitive in QUESTIONS


def kind_of(call: CCall) -> Kind | None:
    """Return what a call of C waited for; None if it is not known to wait."""
    kind = KINDS.get(call.name)
    if kind is not None:
        return kind
    if call.name in SELECTS and call.waited_ns >= SELECTED_NS:
        return Kind.NET
    if call.name in LOCKS and call.waited_ns >= WAITED_NS:
        return Kind.LOCK
    return None


def is_buffer(name: str) -> bool:
    """Whether it reads what may be a file or a socket or memory."""
    return name.startswith("_io.") and name.split(".")[1] in BUFFERED
