"""What is known of a name: under each of its names, through its classes, and of no harmless one."""

from __future__ import annotations

from pathlib import Path

import pytest

from freeloop.errors import FreeloopError
from freeloop.knowledge.blocking import Kind, Knowledge, blocking, blocking_method, known
from freeloop.knowledge.shipped import django_file

HARMLESS = (
    *("json.dumps", "json.loads", "len", "print", "str.join", "dict.get", "list.append", "range"),
    *("os.path.join", "os.path.basename", "os.getcwd", "os.getenv", "pathlib.PurePath.joinpath"),
    *("pathlib.Path.with_suffix", "pathlib.PurePath.with_name", "io.BytesIO", "io.StringIO.write"),
    *("re.compile", "re.match", "datetime.datetime.now", "time.time", "time.monotonic"),
    *("asyncio.sleep", "asyncio.gather", "contextlib.contextmanager", "functools.partial"),
    *("logging.Logger.info", "threading.Thread", "threading.Event.set", "threading.Lock.release"),
    *("queue.Queue.put_nowait", "queue.Queue.qsize", "sqlite3.Connection.cursor"),
    *("urllib.parse.urlencode", "http.client.HTTPConnection", "subprocess.list2cmdline"),
    *("requests.Session", "requests.Session.mount", "requests.Response.json", "httpx.Client"),
    *("httpx.AsyncClient.get", "redis.Redis", "redis.Redis.pipeline", "redis.asyncio.Redis.get"),
    *("boto3.client", "celery.shared_task", "celery.Task.s"),
    *("django.db.models.QuerySet.filter", "django.db.models.QuerySet.aget"),
    *("django.db.models.Manager.all", "django.db.models.Model.clean", "django.urls.reverse"),
    *("django.http.HttpResponse", "django.http.JsonResponse", "django.shortcuts.redirect"),
    *("django.core.cache.backends.locmem.LocMemCache.get", "django.core.cache.cache.get"),
    *("django.contrib.sessions.backends.signed_cookies.SessionStore.save",),
    *("django.utils.timezone.now", "django.utils.html.escape", "django.dispatch.Signal.connect"),
    *("django.core.signing.dumps", "django.utils.text.slugify", "django.db.models.Q"),
)


@pytest.mark.parametrize("name", HARMLESS)
def test_nothing_is_said_of_what_does_not_block(name: str) -> None:
    """A wrong row would cry wolf in every project."""
    assert blocking(name) is None


@pytest.mark.parametrize(
    ("name", "kind", "primitive", "twin"),
    [
        ("time.sleep", Kind.SLEEP, "time.sleep", "asyncio.sleep"),
        ("requests.api.get", Kind.NET, "_socket.socket.connect", "httpx.AsyncClient.get"),
        ("requests.sessions.Session.post", Kind.NET, "_socket.socket.connect", None),
        ("socket.getaddrinfo", Kind.DNS, "_socket.getaddrinfo", "asyncio.loop.getaddrinfo"),
        ("open", Kind.FILE, "_io.open", None),
        ("posixpath.exists", Kind.FILE, "posix.stat", None),
        ("subprocess.run", Kind.PROC, "_posixsubprocess.fork_exec", None),
        ("queue.Queue.get", Kind.LOCK, "_thread.lock.acquire", None),
        ("hashlib.scrypt", Kind.CPU, "_hashlib.scrypt", None),
        ("django.contrib.auth.hashers.check_password", Kind.CPU, "_hashlib.pbkdf2_hmac", None),
        ("sqlite3.Connection.execute", Kind.DB, "sqlite3.Connection.execute", None),
        ("redis.Redis.hgetall", Kind.NET, "_socket.socket.recv", "redis.asyncio.Redis.hgetall"),
        ("redis.client.Redis.hgetall", Kind.NET, "_socket.socket.recv", None),
        ("celery.Task.delay", Kind.NET, "_socket.socket.sendall", None),
        ("django.core.mail.send_mail", Kind.NET, "_socket.socket.connect", None),
    ],
)
def test_what_blocks_is_known_by_each_of_its_names(
    name: str, kind: Kind, primitive: str, twin: str | None
) -> None:
    """By the one that people import and by the module that defines it."""
    found = blocking(name)

    assert found is not None
    assert (found.kind, found.primitive) == (kind, primitive)
    assert found.version
    assert found.proof
    if twin:
        assert found.twin == twin


def test_a_method_is_found_through_the_classes_above() -> None:
    """The project's own class comes first, the library's bases need not be named."""
    saved = blocking_method(["shop.models.Dish", "django.db.models.base.Model"], "save")
    letter = blocking_method(["smtplib.SMTP_SSL"], "sendmail")
    user = blocking("django.contrib.auth.models.User.refresh_from_db")

    assert saved is not None
    assert (saved.twin, saved.guarded) == ("django.db.models.Model.asave", True)
    assert letter is not None
    assert letter.name == "smtplib.SMTP.sendmail"
    assert user is not None
    assert user.name == "django.db.models.Model.refresh_from_db"


def test_what_django_guards_is_told_from_what_it_lets_through() -> None:
    """The one crashes on the loop, the other holds it up."""
    crash = blocking("django.db.models.query.QuerySet.get")
    stall = blocking("django.core.files.storage.FileSystemStorage.save")

    assert crash is not None
    assert stall is not None
    assert (crash.guarded, stall.guarded) == (True, False)


@pytest.mark.parametrize(
    ("name", "twin"),
    [
        ("openai.OpenAI.chat.completions.create", "openai.AsyncOpenAI.chat.completions.create"),
        ("stripe.checkout.Session.create", "stripe.checkout.Session.create_async"),
        ("resend.Emails.send", "resend.Emails.send_async"),
        ("google.auth.transport.requests.AuthorizedSession.post", "httpx.AsyncClient.post"),
    ],
)
def test_services_that_a_view_calls_are_known_with_what_is_awaited_instead(
    name: str, twin: str
) -> None:
    """By the names that people write, from the client down."""
    found = blocking(name)

    assert found is not None
    assert (found.kind, found.twin) == (Kind.NET, twin)


def test_any_method_of_a_client_that_boto3_makes_is_known_to_block() -> None:
    """They are made from a description of the service; a few are known to reach nothing."""
    client = known().returned("boto3.client")
    assert client is not None

    found = blocking_method([client], "list_buckets")

    assert found is not None
    assert found.kind is Kind.NET
    assert blocking_method([client], "get_paginator") is None
    assert blocking_method([client], "__repr__") is None


@pytest.mark.parametrize(
    ("function", "cls"),
    [
        ("sqlite3.connect", "sqlite3.Connection"),
        ("pathlib.Path.resolve", "pathlib.Path"),
        ("pathlib.Path.with_suffix", "pathlib.Path"),
        ("requests.get", "requests.Response"),
        ("redis.Redis.from_url", "redis.Redis"),
        ("django.db.models.Manager.filter", "django.db.models.QuerySet"),
        ("django.db.models.QuerySet.order_by", "django.db.models.QuerySet"),
        ("django.db.connection.cursor", "django.db.backends.utils.CursorWrapper"),
        ("shop.views.index", None),
    ],
)
def test_the_class_of_what_a_call_returns_is_known(function: str, cls: str | None) -> None:
    """So that the next call on it is known too."""
    assert known().returned(function) == cls


def test_django_is_answered_for_the_version_that_is_asked_about() -> None:
    """A newer one than any that was run is answered by the newest, an older one by the oldest."""
    named = [django_file(version) for version in ("4.2", "5.2.19", "6.0", "6.1.3", "7.0")]

    assert [path.stem if path else None for path in named] == [
        *("django-5.2", "django-5.2", "django-6.0", "django-6.1", "django-6.1"),
    ]
    found = Knowledge(django="5.2").blocking("django.db.models.QuerySet.get")
    assert found is not None
    assert found.version.startswith("5.2.")


OWN = """
format = 1
library = "till"
version = "1.0"

[[call]]
name = "till.Till.open"
kind = "net"
reaches = "_socket.socket.recv"
twin = "till.Till.aopen"

[[call]]
name = "requests.get"
kind = "file"
reaches = "posix.read"

[bases]
"till.BigTill" = ["till.Till"]

[returns]
"till.the_till" = "till.BigTill"
"""


def test_a_file_of_the_user_adds_rows_and_wins_over_ours(tmp_path: Path) -> None:
    """Named by `[tool.freeloop]`."""
    file = tmp_path / "till.toml"
    file.write_text(OWN)

    knowledge = Knowledge([file])

    opened = knowledge.method([knowledge.returned("till.the_till") or ""], "open")
    assert opened is not None
    assert (opened.twin, opened.proof) == ("till.Till.aopen", "")
    ours = knowledge.blocking("requests.get")
    assert ours is not None
    assert ours.kind is Kind.FILE
    assert knowledge.is_class("till.BigTill")
    assert not knowledge.is_class("till.the_till")


def test_a_class_is_told_from_a_function_and_from_a_module() -> None:
    """A call of it makes an object, whose methods are asked about next."""
    classes = ("requests.Session", "requests.sessions.Session", "pathlib.PosixPath", "httpx.Client")
    others = ("requests", "requests.get", "time", "django.db.models", "sqlite3.connect")

    assert [name for name in classes if not known().is_class(name)] == []
    assert [name for name in others if known().is_class(name)] == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("format = ", "is no TOML"),
        (OWN.replace("format = 1", "format = 2"), "format is 2, known is 1"),
        (OWN.replace('kind = "net"', 'kind = "lan"'), "call 1 (till.Till.open) kind is 'lan'"),
        (OWN.replace('"posix.read"', "3"), "call 2 (requests.get) reaches is 3, expected a text"),
        (OWN.replace('twin = "till', 'twim = "till'), "call 1 (till.Till.open) twim is not known"),
        (OWN.replace('["till.Till"]', '"till.Till"'), "bases till.BigTill is 'till.Till'"),
        (OWN.replace('"requests.get"', '"till.Till.open"'), "till.Till.open is there twice"),
        (OWN.replace('version = "1.0"', "version = 1"), "version is 1, expected a text"),
        (OWN.replace("[bases]", "[base]"), "base is not known; known are aliases"),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_its_name_and_the_key(
    tmp_path: Path, text: str, says: str
) -> None:
    """No traceback, and where to look."""
    file = tmp_path / "till.toml"
    file.write_text(text)

    with pytest.raises(FreeloopError) as caught:
        Knowledge([file])

    assert says in caught.value.what
    assert caught.value.where == str(file)
    assert caught.value.slug == "knowledge-file"


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FreeloopError, match="cannot be read"):
        Knowledge([tmp_path / "none.toml"])
