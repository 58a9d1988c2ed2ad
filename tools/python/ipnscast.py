"""ipnscast for Python: follow IPNS names, publish under your own, resolve and fetch, all verified.

    import ipnscast

    key = ipnscast.Key.load("/home/ann/.local/share/ipnscast/keys", "self")
    settings = {"relays.urls": ["wss://relay.example"], "gateways.nodes": ["http://127.0.0.1:5001"]}
    with ipnscast.Client("/var/lib/app", settings, key) as client:
        client.follow("k51...")
        for change in client:  # in asyncio: async for change in client
            print(change.kind, change.value)
            change.applied()   # or change.retry(after=60), or change.reject()

Settings have the names of the configuration file; `ipnscast config` lists and explains them. Calls
that wait, such as publish(), leave the interpreter to other threads; in asyncio call them with
asyncio.to_thread(client.publish, ...). Failures raise ipnscast.Error, which has a code.

One file over the C API, without dependencies, for Python 3.9 and later. The shared library is the
one that $IPNSCAST_LIBRARY names, the one of the same installation, or the system's.
"""

from __future__ import annotations

import asyncio
import atexit
import ctypes
import dataclasses
import enum
import os
import pathlib
import select
import time
import weakref
from ctypes import POINTER, byref, c_char, c_char_p, c_int, c_int64, c_size_t, c_uint64, c_void_p
from typing import Any, AsyncIterator, Iterator, List, Mapping, Optional, Union

PathLike = Union[str, "os.PathLike[str]"]


class Code(enum.IntEnum):
    """Why a call failed. A newer library may give codes that are not in here, as plain numbers."""

    INVALID = 1
    PARSE = 2
    TOO_LARGE = 3
    SIGNATURE = 4
    MISMATCH = 5
    EXPIRED = 6
    UNSUPPORTED = 7
    NOT_FOUND = 8
    REFUSED = 9
    CONFLICT = 10
    TIMEOUT = 11
    UNREACHABLE = 12
    CANCELLED = 13
    CLOSED = 14
    IO = 15
    BUSY = 16
    INTERNAL = 17
    NO_MEMORY = 18


class Error(Exception):
    """A call that failed: a code for programs, and a sentence for the person who has to act."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = Code(code) if code in Code._value2member_map_ else code


# ---- the C API ----


class _Text(ctypes.Structure):
    _fields_ = [("data", c_void_p), ("size", c_size_t)]

    def __str__(self) -> str:
        return ctypes.string_at(self.data, self.size).decode("utf-8", "replace")


class _FollowOptions(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("without_content", c_int), ("only_looks", c_int)]


class _PublishOptions(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_size_t), ("timeout_ms", c_int64), ("has_expected", c_int), ("has_base", c_int),
        ("expected_sequence", c_uint64), ("base_sequence", c_uint64), ("base_value", c_char_p),
        ("base_value_length", c_size_t), ("replace", c_int), ("force", c_int), ("queue", c_int),
        ("hidden", c_int), ("trust_clock", c_int), ("settle", c_int),
    ]  # fmt: skip


class _ResolveOptions(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("timeout_ms", c_int64), ("cached", c_int), ("reserved", c_int)]


class _GetOptions(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("timeout_ms", c_int64), ("file_only", c_int), ("symlinks", c_int)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_size_t), ("id", c_uint64), ("kind", c_int), ("source", c_int), ("name", _Text),
        ("sequence", c_uint64), ("value", _Text), ("cid", _Text), ("previous", _Text), ("other_value", _Text),
        ("author", _Text), ("seen_ms", c_int64), ("uncertain", c_int), ("single_source", c_int),
        ("attempt", c_uint64),
    ]  # fmt: skip


class _Place(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_size_t), ("kind", _Text), ("what", _Text), ("url", _Text), ("detail", _Text),
        ("ok", c_int), ("took_ms", c_int64),
    ]  # fmt: skip


class _Outcome(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_size_t), ("name", _Text), ("cid", _Text), ("sequence", c_uint64),
        ("quorum_met", c_int), ("complete", c_int), ("queued", c_int), ("settled", c_int),
        ("place_count", c_size_t), ("places", POINTER(POINTER(_Place))),
    ]  # fmt: skip


class _Answered(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_size_t), ("url", _Text), ("answer", _Text), ("sequence", c_uint64),
        ("value", _Text), ("took_ms", c_int64),
    ]  # fmt: skip


class _Resolution(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_size_t), ("name", _Text), ("sequence", c_uint64), ("value", _Text), ("cid", _Text),
        ("valid_until", _Text), ("expired", c_int), ("rollback", c_int), ("answered_count", c_size_t),
        ("answered", POINTER(POINTER(_Answered))),
    ]  # fmt: skip


class _NameStatus(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_size_t), ("name", _Text), ("sequence", c_uint64), ("value", _Text), ("cid", _Text),
        ("valid_until", _Text), ("stale", c_int), ("handed_over", c_int), ("own", c_int), ("reserved", c_int),
    ]  # fmt: skip


class _PlaceStatus(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("kind", _Text), ("url", _Text), ("up", c_int), ("reserved", c_int)]


class _Status(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_size_t), ("name_count", c_size_t), ("names", POINTER(POINTER(_NameStatus))),
        ("place_count", c_size_t), ("places", POINTER(POINTER(_PlaceStatus))),
    ]  # fmt: skip


class _LostPublish(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_size_t), ("sequence", c_uint64), ("value", _Text), ("winner_sequence", c_uint64),
        ("winner_value", _Text), ("uncertain", c_int), ("same_sequence", c_int),
    ]  # fmt: skip


class _Losses(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("count", c_size_t), ("lost", POINTER(POINTER(_LostPublish)))]


def _find_library() -> str:
    named = os.environ.get("IPNSCAST_LIBRARY")
    if named:
        return named
    prefix = pathlib.Path(__file__).resolve().parents[3:4]  # PREFIX/share/ipnscast/python/ipnscast.py
    for folder in prefix:
        for pattern in ("lib/libipnscast.so.0", "lib64/libipnscast.so.0", "lib/*/libipnscast.so.0"):
            for found in sorted(folder.glob(pattern)):
                return str(found)
    return "libipnscast.so.0"


def _load_library() -> ctypes.CDLL:
    try:
        return ctypes.CDLL(_find_library())
    except OSError as why:
        raise ImportError(f"{why}: install ipnscast, or name its library in $IPNSCAST_LIBRARY") from why


_lib = _load_library()


def _declare() -> None:
    text = (c_char_p, c_size_t)  # bytes, and how many
    handle, error, out = c_void_p, POINTER(c_void_p), POINTER(c_void_p)
    calls = {
        "key_generate": (out,),
        "key_parse": (*text, out, error),
        "key_load": (*text, *text, *text, out, error),
        "key_store": (handle, *text, *text, error),
        "config_new": (out,),
        "config_set": (handle, *text, *text, error),
        "config_set_key": (handle, handle, error),
        "open": (handle, out, error),
        "follow": (handle, *text, c_void_p, c_void_p, POINTER(_FollowOptions), error),
        "unfollow": (handle, *text, error),
        "fd": (handle,),
        "wait": (handle, c_int64, POINTER(POINTER(_Event))),
        "acknowledge": (handle, c_uint64, c_int, c_int64),
        "publish": (handle, handle, *text, POINTER(_PublishOptions), POINTER(POINTER(_Outcome)), error),
        "publish_cid": (handle, handle, *text, POINTER(_PublishOptions), POINTER(POINTER(_Outcome)), error),
        "announce": (handle, *text, *text, c_uint64, c_int64, POINTER(POINTER(_Outcome)), error),
        "keep_alive": (handle, handle, error),
        "resolve": (handle, *text, POINTER(_ResolveOptions), POINTER(POINTER(_Resolution)), error),
        "get": (handle, *text, *text, *text, POINTER(_GetOptions), error),
        "get_status": (handle, POINTER(POINTER(_Status)), error),
        "lost": (handle, *text, POINTER(POINTER(_Losses)), error),
        "acknowledge_lost": (handle, *text, error),
    }
    for name, arguments in calls.items():
        function = getattr(_lib, "ipnscast_" + name)
        function.argtypes, function.restype = arguments, c_int
    frees = ("close", "free", "config_free", "key_free", "error_free", "event_free", "outcome_free",
             "resolution_free", "status_free", "losses_free")  # fmt: skip
    for name in frees:
        function = getattr(_lib, "ipnscast_" + name)
        function.argtypes, function.restype = (c_void_p,), None
    for name, argument in (("kind_name", c_int), ("source_name", c_int), ("strerror", c_int)):
        function = getattr(_lib, "ipnscast_" + name)
        function.argtypes, function.restype = (argument,), c_char_p
    _lib.ipnscast_version.argtypes, _lib.ipnscast_version.restype = (), c_char_p
    for name in ("error_message", "key_name", "key_author"):
        function = getattr(_lib, "ipnscast_" + name)
        function.argtypes, function.restype = (c_void_p,), _Text


_declare()
_APPLIED, _RETRY, _REJECT = 1, 2, 3


def _check(code: int) -> None:
    """For calls that give no error but their code."""
    if code != 0:
        raise Error(code, _lib.ipnscast_strerror(code).decode())


def _call(function: Any, *arguments: Any) -> None:
    """For calls whose last parameter is an error."""
    error = c_void_p()
    code = function(*arguments, byref(error))
    if code == 0:
        return
    try:
        message = str(_lib.ipnscast_error_message(error)) if error else ""
    finally:
        _lib.ipnscast_error_free(error)
    raise Error(code, message or _lib.ipnscast_strerror(code).decode())


def _text(value: str) -> tuple:
    encoded = value.encode("utf-8")
    return encoded, len(encoded)


def _path(value: PathLike) -> tuple:
    encoded = os.fsencode(value)
    return encoded, len(encoded)


def _setting(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple, set, frozenset)):
        return ", ".join(_setting(one) for one in value)
    return os.fspath(value) if isinstance(value, os.PathLike) else str(value)


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000 + 0.5)


def version() -> str:
    """The version of the library."""
    return _lib.ipnscast_version().decode()


# ---- what calls give ----


@dataclasses.dataclass(frozen=True)
class Place:
    """What became of a publish at one place."""

    kind: str  # "node", "router" or "relay"
    what: str  # "content", "record" or "hint"
    url: str
    ok: bool
    detail: str
    took: float  # seconds


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of a publish. quorum_met: enough relays acknowledged, or where there are none, a place has it."""

    name: str
    cid: str
    sequence: int
    quorum_met: bool
    complete: bool  # no place is still without it
    queued: bool  # no node has the content yet
    settled: bool  # it cannot be displaced unnoticed any more
    places: List[Place]


@dataclasses.dataclass(frozen=True)
class Answer:
    """What one source answered to resolve()."""

    url: str
    answer: str
    sequence: int
    value: str
    took: float  # seconds


@dataclasses.dataclass(frozen=True)
class Resolution:
    """The record of a name. cid: the root of its value, or ""."""

    name: str
    sequence: int
    value: str
    cid: str
    valid_until: str  # RFC 3339
    expired: bool
    rollback: bool  # all sources answered less than was known here before
    answers: List[Answer]


@dataclasses.dataclass(frozen=True)
class NameStatus:
    """What is known of a name that is followed."""

    name: str
    sequence: int
    value: str
    cid: str
    valid_until: str
    stale: bool
    handed_over: bool
    own: bool


@dataclasses.dataclass(frozen=True)
class LostPublish:
    """A publish of this device that was displaced by a version which does not contain it."""

    sequence: int
    value: str
    winner_sequence: int
    winner_value: str
    uncertain: bool
    same_sequence: bool


@dataclasses.dataclass(frozen=True)
class Status:
    """What the client knows right now. places: whether each relay and gateway is up, by URL."""

    names: List[NameStatus]
    places: Mapping[str, bool]


@dataclasses.dataclass(frozen=True)
class Change:
    """A change of a name. Answer it with applied(), retry() or reject(), from any thread: until then nothing else of
    this name comes. What is not answered within the setting handover.handler_timeout comes again, also after a restart.
    """

    id: int
    kind: str  # "change", "refresh", "conflict", "stale", "provisional", "confirmed", "withdrawn", "lost"
    source: str  # "nostr", "poll", "websocket", "sse", "pubsub", "local", "w3name", "app"
    name: str
    sequence: int
    value: str  # "/ipfs/CID" or "/ipfs/CID/path"
    cid: str  # the content, fetched and verified; "" where there is none
    previous: str  # the CID that was handed over before, or ""
    other_value: str  # of conflict and lost: the value that lost
    author: str  # who signed the hint, 64 hex digits, or ""
    seen: float  # when it was heard, in seconds since 1970
    uncertain: bool  # of lost: the value does not say what it was made of
    single_source: bool  # first contact, and only one source answered
    attempt: int
    _client: "Client" = dataclasses.field(repr=False, compare=False)

    def applied(self) -> None:
        """It is done: the next change may come. Code.NOT_FOUND when that comes too late."""
        self._client._acknowledge(self.id, _APPLIED, 0)

    def retry(self, after: float = 0) -> None:
        """Not now: it comes again after so many seconds at the earliest."""
        self._client._acknowledge(self.id, _RETRY, _milliseconds(after))

    def reject(self) -> None:
        """Never this one: the next version is looked at anew."""
        self._client._acknowledge(self.id, _REJECT, 0)


# ---- keys and clients ----


class Key:
    """A Nostr key with the IPNS key that is derived from it, or a key for records alone."""

    def __init__(self, handle: c_void_p) -> None:
        self._handle = handle

    @classmethod
    def generate(cls) -> Key:
        handle = c_void_p()
        _check(_lib.ipnscast_key_generate(byref(handle)))
        return cls(handle)

    @classmethod
    def parse(cls, secret: str) -> Key:
        """From nsec1... or 64 hex digits."""
        handle = c_void_p()
        _call(_lib.ipnscast_key_parse, *_text(secret), byref(handle))
        return cls(handle)

    @classmethod
    def load(cls, folder: PathLike, label: str = "self", password: str = "") -> Key:
        """From a folder of keys, as `ipnscast init` makes it in its state directory."""
        handle = c_void_p()
        _call(_lib.ipnscast_key_load, *_path(folder), *_text(label), *_text(password), byref(handle))
        return cls(handle)

    def store(self, folder: PathLike, label: str = "self") -> None:
        """Into a folder of keys, as a file that only this user can read."""
        _call(_lib.ipnscast_key_store, self._handle, *_path(folder), *_text(label))

    @property
    def name(self) -> str:
        """The name that is published under with this key."""
        return str(_lib.ipnscast_key_name(self._handle))

    @property
    def author(self) -> str:
        """The Nostr public key, 64 hex digits; "" for a key that is none."""
        return str(_lib.ipnscast_key_author(self._handle))

    def __del__(self, free: Any = _lib.ipnscast_key_free) -> None:
        free(self._handle)


# Those that nobody has closed when the interpreter ends, whose threads must not go on then.
_open_clients: "weakref.WeakSet[Client]" = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    for client in list(_open_clients):
        client.close()


class Client:
    """Follows names and publishes. Thread-safe. Close it, or use it with `with` or `async with`."""

    def __init__(
        self, state_dir: PathLike, settings: Optional[Mapping[str, Any]] = None, key: Optional[Key] = None
    ) -> None:
        """One client at a time per state directory. `key` signs hints, and is the trusted author unless `trust.authors`
        is set. Code.INVALID for a setting, Code.CONFLICT when the state directory is in use."""
        self._handle = c_void_p()
        self._readers: dict = {}  # by event loop: those that wait for the descriptor
        config = c_void_p()
        _check(_lib.ipnscast_config_new(byref(config)))
        try:
            _call(_lib.ipnscast_config_set, config, *_text("state_dir"), *_path(state_dir))
            for name, value in (settings or {}).items():
                _call(_lib.ipnscast_config_set, config, *_text(name), *_text(_setting(value)))
            if key is not None:
                _call(_lib.ipnscast_config_set_key, config, key._handle)
            _call(_lib.ipnscast_open, config, byref(self._handle))
        finally:
            _lib.ipnscast_config_free(config)
        _open_clients.add(self)

    def close(self) -> None:
        """Stops everything and waits for it. Calls under way in other threads raise Code.CLOSED, iterations end."""
        _lib.ipnscast_close(self._handle)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_: Any) -> None:
        await asyncio.get_running_loop().run_in_executor(None, self.close)

    def __del__(self, free: Any = _lib.ipnscast_free) -> None:
        free(self._handle)

    # -- following --

    def follow(self, name: str, *, content: bool = True, only_looks: bool = False) -> None:
        """Follows a name. content=False: records only. only_looks: what is applied is not what this device publishes
        on next."""
        options = _FollowOptions(ctypes.sizeof(_FollowOptions), not content, only_looks)
        _call(_lib.ipnscast_follow, self._handle, *_text(name), None, None, byref(options))

    def unfollow(self, name: str) -> None:
        _call(_lib.ipnscast_unfollow, self._handle, *_text(name))

    def fileno(self) -> int:
        """A descriptor that is readable while changes wait: for select() and event loops."""
        return _lib.ipnscast_fd(self._handle)

    def wait(self, timeout: Optional[float] = None) -> Optional[Change]:
        """The next change; None when none comes within so many seconds (0: look only; None: wait for ever)."""
        deadline = None if timeout is None else time.monotonic() + timeout
        poller = select.poll()
        poller.register(self.fileno(), select.POLLIN)
        while True:
            change = self._next()
            if change is not None:
                return change
            left = None if deadline is None else max(0, deadline - time.monotonic())
            if left == 0:
                return None
            # Not in the C call: there, Ctrl-C would have to wait for a change.
            poller.poll(None if left is None else _milliseconds(left) + 1)

    async def next(self) -> Change:
        """The next change, in asyncio."""
        while True:
            change = self._next()
            if change is not None:
                return change
            await self._readable()

    def __iter__(self) -> Iterator[Change]:
        """The changes, one after the other, until the client is closed."""
        while True:
            try:
                change = self.wait()
            except Error as error:
                if error.code == Code.CLOSED:
                    return
                raise
            assert change is not None
            yield change

    async def __aiter__(self) -> AsyncIterator[Change]:
        while True:
            try:
                change = await self.next()
            except Error as error:
                if error.code == Code.CLOSED:
                    return
                raise
            yield change

    def _next(self) -> Optional[Change]:
        out = POINTER(_Event)()
        code = _lib.ipnscast_wait(self._handle, 0, byref(out))
        if code in (Code.TIMEOUT, Code.CANCELLED):
            return None
        _check(code)
        try:
            event = out.contents
            kind, source = _lib.ipnscast_kind_name(event.kind), _lib.ipnscast_source_name(event.source)
            return Change(
                event.id, kind.decode(), source.decode(), str(event.name), event.sequence, str(event.value),
                str(event.cid), str(event.previous), str(event.other_value), str(event.author),
                event.seen_ms / 1000, bool(event.uncertain), bool(event.single_source), event.attempt, self,
            )  # fmt: skip
        finally:
            _lib.ipnscast_event_free(out)

    async def _readable(self) -> None:
        loop = asyncio.get_running_loop()
        ready = loop.create_future()
        waiting = self._readers.setdefault(loop, [])
        waiting.append(ready)
        if len(waiting) == 1:
            loop.add_reader(self.fileno(), self._wake, loop)
        try:
            await ready
        finally:
            if ready in waiting:
                waiting.remove(ready)
            if not waiting and self._readers.get(loop) is waiting:
                del self._readers[loop]
                loop.remove_reader(self.fileno())

    def _wake(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.remove_reader(self.fileno())
        for ready in self._readers.pop(loop, []):
            if not ready.done():
                ready.set_result(None)

    def _acknowledge(self, change: int, answer: int, after_ms: int) -> None:
        _check(_lib.ipnscast_acknowledge(self._handle, change, answer, after_ms))

    # -- publishing --

    def publish(self, key: Key, path: PathLike, **options: Any) -> Outcome:
        """Publishes a file or directory under the key's name. Options: timeout (seconds), expected_sequence, based_on
        (a pair of sequence and value), replace, force, queue, hidden, trust_clock, settle (0: no, 1: when other devices
        write the name too, 2: always)."""
        return self._publish(_lib.ipnscast_publish, key, _path(path), options)

    def publish_cid(self, key: Key, cid: str, **options: Any) -> Outcome:
        """The same for content that the nodes already have."""
        return self._publish(_lib.ipnscast_publish_cid, key, _text(cid), options)

    def announce(self, name: str, cid: str, sequence: int, timeout: float = 0) -> Outcome:
        """Only the hint: tells the relays that the name has this content under this sequence."""
        out = POINTER(_Outcome)()
        time_ms = _milliseconds(timeout)
        _call(_lib.ipnscast_announce, self._handle, *_text(name), *_text(cid), sequence, time_ms, byref(out))
        return _outcome(out)

    def keep_alive(self, key: Key) -> None:
        """As long as the client is open, the record of the key's name is signed again before it expires."""
        _call(_lib.ipnscast_keep_alive, self._handle, key._handle)

    def _publish(self, function: Any, key: Key, what: tuple, options: Mapping[str, Any]) -> Outcome:
        given = _PublishOptions(struct_size=ctypes.sizeof(_PublishOptions))
        for name, value in options.items():
            if name == "timeout":
                given.timeout_ms = _milliseconds(value)
            elif name == "expected_sequence":
                given.has_expected, given.expected_sequence = 1, value
            elif name == "based_on":
                given.has_base, given.base_sequence = 1, value[0]
                given.base_value, given.base_value_length = _text(value[1])
            elif name in ("replace", "force", "queue", "hidden", "trust_clock", "settle"):
                setattr(given, name, int(value))
            else:
                raise TypeError(f"publish() has no option {name!r}")
        out = POINTER(_Outcome)()
        _call(function, self._handle, key._handle, *what, byref(given), byref(out))
        return _outcome(out)

    # -- looking up --

    def resolve(self, name: str, *, timeout: float = 0, cached: bool = False) -> Resolution:
        """Asks every source for the record of a name. cached: one that was asked for recently will do."""
        options = _ResolveOptions(ctypes.sizeof(_ResolveOptions), _milliseconds(timeout), cached, 0)
        out = POINTER(_Resolution)()
        _call(_lib.ipnscast_resolve, self._handle, *_text(name), byref(options), byref(out))
        try:
            found = out.contents
            rows = (found.answered[i].contents for i in range(found.answered_count))
            answers = [Answer(str(a.url), str(a.answer), a.sequence, str(a.value), a.took_ms / 1000) for a in rows]
            return Resolution(str(found.name), found.sequence, str(found.value), str(found.cid), str(found.valid_until),
                              bool(found.expired), bool(found.rollback), answers)  # fmt: skip
        finally:
            _lib.ipnscast_resolution_free(out)

    def get(self, cid: str, target: PathLike, path: str = "", *, timeout: float = 0, file_only: bool = False,
            symlinks: bool = False) -> None:  # fmt: skip
        """Fetches the file or directory at `path` inside of cid, verified, and writes it to `target`, which is absent
        before."""
        options = _GetOptions(ctypes.sizeof(_GetOptions), _milliseconds(timeout), file_only, symlinks)
        _call(_lib.ipnscast_get, self._handle, *_text(cid), *_text(path), *_path(target), byref(options))

    def status(self) -> Status:
        out = POINTER(_Status)()
        _call(_lib.ipnscast_get_status, self._handle, byref(out))
        try:
            known = out.contents
            rows = (known.names[i].contents for i in range(known.name_count))
            names = [NameStatus(str(n.name), n.sequence, str(n.value), str(n.cid), str(n.valid_until), bool(n.stale),
                                bool(n.handed_over), bool(n.own)) for n in rows]  # fmt: skip
            places = (known.places[i].contents for i in range(known.place_count))
            return Status(names, {str(place.url): bool(place.up) for place in places})
        finally:
            _lib.ipnscast_status_free(out)

    def lost(self, name: str) -> List[LostPublish]:
        """Publishes of this device that were displaced and not acknowledged."""
        out = POINTER(_Losses)()
        _call(_lib.ipnscast_lost, self._handle, *_text(name), byref(out))
        try:
            rows = (out.contents.lost[i].contents for i in range(out.contents.count))
            return [LostPublish(p.sequence, str(p.value), p.winner_sequence, str(p.winner_value), bool(p.uncertain),
                                bool(p.same_sequence)) for p in rows]  # fmt: skip
        finally:
            _lib.ipnscast_losses_free(out)

    def acknowledge_lost(self, name: str) -> None:
        """They are dealt with: their content may go."""
        _call(_lib.ipnscast_acknowledge_lost, self._handle, *_text(name))


def _outcome(out: Any) -> Outcome:
    try:
        done = out.contents
        rows = (done.places[i].contents for i in range(done.place_count))
        places = [Place(str(p.kind), str(p.what), str(p.url), bool(p.ok), str(p.detail), p.took_ms / 1000)
                  for p in rows]  # fmt: skip
        return Outcome(str(done.name), str(done.cid), done.sequence, bool(done.quorum_met), bool(done.complete),
                       bool(done.queued), bool(done.settled), places)  # fmt: skip
    finally:
        _lib.ipnscast_outcome_free(out)
