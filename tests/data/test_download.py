"""Downloads against a server on 127.0.0.1 that drops connections, changes its files and lies about them."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
import tarfile
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from p2plib.data import download as module
from p2plib.data.catalogue import CATALOGUE, locate, open_source
from p2plib.data.download import download, fetch_archive
from p2plib.errors import UserError

ROOT = Path(__file__).resolve().parents[2]


class Server:
    """A file at /facades.tar.gz, served as a test wants it.

    Attributes:
        content: the file's bytes now.
        drops: after how many bytes each of the next answers breaks off; None sends it whole.
        ranges, etag, weak, length: whether it knows Range; sends an ETag; a weak one; a Content-Length.
        status: of the next answers: one each, then 200.
        hold: an answer waits here after its first half.
        requests: (Range, If-Range, status, bytes sent) of each answer.
    """

    def __init__(self) -> None:
        self.content = b""
        self.drops: list[int | None] = []
        self.ranges = self.etag = self.length = True
        self.weak = self.reset = False
        self.status: list[int] = []
        self.hold: threading.Event | None = None
        self.requests: list[tuple[str | None, str | None, int, int]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.home = f"http://127.0.0.1:{self.http.server_port}"
        self.address = f"{self.home}/facades.tar.gz"
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        wanted, condition = request.headers["Range"], request.headers["If-Range"]
        content, tag = self.content, f'"{hashlib.md5(self.content).hexdigest()}"'
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and self.ranges else 0
        if condition is not None and (self.weak or condition != tag):
            start = 0
        status = self.status.pop(0) if self.status else 206 if start else 200
        if start >= len(content) > 0:
            status = 416
        request.send_response(status)
        if status == 416:
            request.send_header("Content-Range", f"bytes */{len(content)}")
        if status == 206:
            request.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        body = content[start:] if status in (200, 206) else b""
        if self.etag:
            request.send_header("ETag", ("W/" if self.weak else "") + tag)
        if self.length:
            request.send_header("Content-Length", str(len(body)))
        drop = self.drops.pop(0) if self.drops and status < 400 else None
        body = body if drop is None else body[:drop]
        self.requests.append((wanted, condition, status, len(body)))  # before the client hears of it
        request.end_headers()
        with contextlib.suppress(OSError):
            if self.hold:
                request.wfile.write(body[: len(body) // 2])
                self.hold.wait(20)
                body = body[len(body) // 2 :]
            request.wfile.write(body)
            if drop is not None and self.reset:  # not a goodbye, but a slammed door
                time.sleep(0.05)
                request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                request.connection.close()

    @property
    def sent(self) -> int:
        return sum(count for *_, count in self.requests)


@pytest.fixture
def server():
    one = Server()
    yield one
    if one.hold:
        one.hold.set()
    one.http.shutdown()
    one.http.server_close()


def noise(count: int, seed: int = 0) -> bytes:
    return np.random.default_rng(seed).bytes(count)


def tar(files: dict[str, bytes | tarfile.TarInfo]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in files.items():
            if isinstance(content, tarfile.TarInfo):
                archive.addfile(content)
            else:
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


@pytest.fixture(scope="session")
def archive(picture) -> bytes:
    """A small set in the form of the real ones."""
    files: dict[str, bytes | tarfile.TarInfo] = {}
    for split, numbers in (("train", (1, 2, 3)), ("val", (4, 5))):
        for number in numbers:
            out = io.BytesIO()
            picture(number, 80, 40).save(out, "PNG")
            files[f"facades/{split}/{number}.png"] = out.getvalue()
    return tar(files)


@pytest.fixture
def pretend(server, archive, tmp_path, monkeypatch) -> Path:
    """The catalogue's facades, served here, downloaded into the folder that is returned."""
    server.content = archive
    entry = dataclasses.replace(CATALOGUE["facades"], bytes=len(archive))
    monkeypatch.setitem(CATALOGUE, "facades", entry)
    monkeypatch.setenv("P2PLIB_MIRROR", server.home)
    monkeypatch.setenv("P2PLIB_DATA", str(tmp_path / "sets"))
    monkeypatch.setattr(module.time, "sleep", lambda seconds: None)
    return tmp_path / "sets"


# --- one file ------------------------------------------------------------------------------------


def test_a_file_comes_whole(server, tmp_path):
    server.content = noise(700_000)
    path = download(server.address, tmp_path / "x.tar.gz", 700_000, pause=0)
    assert path.read_bytes() == server.content
    assert [p.name for p in tmp_path.iterdir()] == ["x.tar.gz"]
    assert server.requests == [(None, None, 200, 700_000)]


@pytest.mark.parametrize("known", [True, False])
def test_dropped_connections_are_continued_and_nothing_comes_twice(server, tmp_path, known):
    server.content, server.drops = noise(500_000), [100_000, 1, 150_000, 0, 0, 49_999]
    path = download(server.address, tmp_path / "x", 500_000 if known else None, pause=0)
    assert path.read_bytes() == server.content
    starts = [int(wanted[6:-1]) if wanted else 0 for wanted, *_ in server.requests]
    assert starts == [0, 100_000, 100_001, 250_001, 250_001, 250_001, 300_000]
    assert all(status == 206 for *_, status, _ in server.requests[1:])
    assert server.sent == 500_000


def test_reset_connections_are_continued(server, tmp_path):
    server.content, server.drops, server.reset = noise(500_000), [100_000, 200_000], True
    assert download(server.address, tmp_path / "x", 500_000, pause=0).read_bytes() == server.content
    assert len([1 for wanted, *_ in server.requests if wanted]) >= 1


def test_a_line_that_falls_silent_loses_nothing(server, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "TIMEOUT", 0.5)
    server.content, server.hold = noise(60_000), threading.Event()

    def release() -> None:
        while len(server.requests) < 3:
            time.sleep(0.01)
        server.hold.set()

    threading.Thread(target=release, daemon=True).start()
    assert download(server.address, tmp_path / "x", 60_000, pause=0).read_bytes() == server.content
    # Each answer gave the half of what was missing and then nothing more.
    assert [wanted for wanted, *_ in server.requests] == [None, "bytes=30000-", "bytes=45000-"]


def test_a_server_without_ranges_sends_it_again(server, tmp_path):
    server.content, server.drops, server.ranges = noise(90_000), [40_000], False
    assert download(server.address, tmp_path / "x", 90_000, pause=0).read_bytes() == server.content
    assert [status for *_, status, _ in server.requests] == [200, 200]


def test_a_server_without_ranges_that_always_drops_is_given_up(server, tmp_path):
    server.content, server.drops, server.ranges = noise(90_000), [40_000] * 50, False
    with pytest.raises(UserError, match=r"could not be reached \(the connection ended early\); 0\.0 MB are kept"):
        download(server.address, tmp_path / "x", 90_000, pause=0)
    assert len(server.requests) == 1 + module.ATTEMPTS


def test_a_server_that_says_no_length_is_believed_only_at_the_known_size(server, tmp_path):
    server.content, server.length, server.drops = noise(90_000), False, [30_000, 30_000]
    assert download(server.address, tmp_path / "x", 90_000, pause=0).read_bytes() == server.content
    assert server.sent == 90_000


def test_a_file_changed_between_attempts_is_not_mixed_with_the_old_one(server, tmp_path):
    server.content, server.drops = noise(90_000), [40_000, *[0] * 9]
    with pytest.raises(UserError, match="the next try goes on from there"):
        download(server.address, tmp_path / "x", 90_000, pause=0)
    server.content, server.drops = noise(90_000, seed=1), []
    assert download(server.address, tmp_path / "x", 90_000, pause=0).read_bytes() == server.content
    wanted, condition, status, _ = server.requests[-1]
    assert (wanted, status) == ("bytes=40000-", 200)
    assert condition is not None


def test_a_weak_tag_does_not_make_everything_come_again(server, tmp_path):
    """If-Range takes strong tags only: with a weak one in it, the server has to send the whole file."""
    server.content, server.weak, server.drops = noise(90_000), True, [40_000, 20_000]
    assert download(server.address, tmp_path / "x", 90_000, pause=0).read_bytes() == server.content
    assert server.sent == 90_000


def test_a_part_that_is_already_whole_is_taken(server, tmp_path):
    server.content = noise(50_000)
    (tmp_path / "x.part").write_bytes(server.content)
    assert download(server.address, tmp_path / "x", 50_000, pause=0).read_bytes() == server.content
    assert server.sent == 0


def test_a_part_longer_than_the_file_is_begun_again(server, tmp_path):
    server.content = noise(50_000)
    (tmp_path / "x.part").write_bytes(noise(60_000, seed=2))
    assert download(server.address, tmp_path / "x", 50_000, pause=0).read_bytes() == server.content


@pytest.mark.parametrize("length", [True, False])
@pytest.mark.parametrize("size", [20_000, 80_000])
def test_another_size_is_refused_and_nothing_of_it_kept(server, tmp_path, length, size):
    server.content, server.length = noise(size), length
    with pytest.raises(UserError) as caught:
        download(server.address, tmp_path / "x", 50_000, pause=0)
    if length or size > 50_000:
        assert f"{server.address} has {size:,} bytes where 50,000 were expected" in str(caught.value)
        assert list(tmp_path.iterdir()) == []
    assert not (tmp_path / "x").exists()


def test_a_page_in_between_does_not_spoil_what_was_there(server, tmp_path):
    """The log-in page of a café's network: 200 OK, and not the file."""
    whole = noise(90_000)
    server.content, server.drops = whole, [40_000, *[0] * 9]
    with pytest.raises(UserError, match="could not be reached"):
        download(server.address, tmp_path / "x", 90_000, pause=0)
    server.content, server.drops = b"<html>Please log in</html>", []
    with pytest.raises(UserError, match="26 bytes where 90,000 were expected"):
        download(server.address, tmp_path / "x", 90_000, pause=0)
    server.content = whole
    assert download(server.address, tmp_path / "x", 90_000, pause=0).read_bytes() == whole
    assert server.requests[-1][0] == "bytes=40000-"


def test_a_server_in_trouble_is_asked_again(server, tmp_path):
    server.content, server.status = noise(1000), [503, 500]
    assert download(server.address, tmp_path / "x", 1000, pause=0).read_bytes() == server.content


def test_a_file_that_is_not_there(server, tmp_path):
    server.status = [404]
    with pytest.raises(UserError, match=r"The server answered 404 .* download it by hand, unpack it as .*facades"):
        download(server.address, tmp_path / "facades.tar.gz", 1000, pause=0)
    assert len(server.requests) == 1
    assert list(tmp_path.iterdir()) == []


def test_pauses_double_while_nothing_comes(server, tmp_path, monkeypatch):
    pauses = []
    monkeypatch.setattr(module.time, "sleep", pauses.append)
    server.content, server.drops = noise(1000), [0, 0, 500, 0]
    download(server.address, tmp_path / "x", 1000, pause=1.5)
    assert pauses == [1.5, 3.0, 1.5]


def test_a_disk_that_is_full_is_no_fault_of_the_network(server, tmp_path):
    server.content = noise(1000)
    (tmp_path / "x.part").mkdir()  # nobody can write there
    with pytest.raises(UserError, match=r"x\.part could not be written \(is a directory\)"):
        download(server.address, tmp_path / "x", 1000, pause=0)


# --- archives ------------------------------------------------------------------------------------


def test_terms_are_shown_before_the_first_download_and_then_no_more(pretend, server, capsys):
    folder = locate("facades")
    shown = capsys.readouterr().err
    assert "Terms: CMP Facades" in shown
    assert shown.index("Terms:") < shown.index("facades.tar.gz:")  # the bar comes after
    assert (folder, sorted(p.name for p in folder.iterdir())) == (pretend / "facades", ["train", "val"])
    assert sorted(p.name for p in pretend.iterdir()) == ["checksums.json", "facades"]
    assert locate("facades") == folder
    assert capsys.readouterr().err == ""
    assert len(server.requests) == 1


def test_a_set_of_the_catalogue_opens_in_the_papers_direction(pretend, picture):
    source = open_source("facades", 40, 40)
    assert (len(source.train), len(source.held_out), source.direction) == (3, 2, "BtoA")
    right = picture(2, 80, 40).crop((40, 0, 80, 40))
    assert (source.train.batch([1])[0][0].permute(1, 2, 0).numpy() == np.asarray(right)).all()


def test_the_checksum_is_recorded_and_then_enforced(pretend, server, archive):
    locate("facades")
    record = pretend / "checksums.json"
    assert json.loads(record.read_text()) == {"facades.tar.gz": hashlib.sha256(archive).hexdigest()}
    (pretend / "facades").rename(pretend / "away")
    changed = tar({"facades/train/1.png": noise(300)})
    server.content = changed
    with pytest.raises(UserError, match="is not what it was at the first download") as caught:
        fetch_archive(server.address, pretend / "facades", pause=0)
    assert str(record) in str(caught.value)
    assert not (pretend / "facades").exists()
    assert not (pretend / "facades.tar.gz").exists()
    record.unlink()  # as the sentence says
    fetch_archive(server.address, pretend / "facades", pause=0)
    assert (pretend / "facades" / "train" / "1.png").exists()


def test_another_mirror_has_to_send_the_same(pretend, server):
    locate("facades")
    (pretend / "facades").rename(pretend / "away")
    server.content = tar({"facades/train/1.png": noise(300)})
    with pytest.raises(UserError, match="is not what it was"):
        fetch_archive(f"{server.home}/mirror/facades.tar.gz", pretend / "facades", pause=0)


def test_the_checksum_of_a_bad_archive_is_not_remembered(pretend, server, archive):
    server.content = bytes(len(archive))
    with pytest.raises(UserError, match=r"facades\.tar\.gz is damaged"):
        locate("facades")
    server.content = archive
    assert locate("facades").is_dir()


@pytest.mark.parametrize("text", ["{", "[]", ""])
def test_a_record_of_checksums_spoiled_by_hand(pretend, text):
    pretend.mkdir()
    (pretend / "checksums.json").write_text(text)
    with pytest.raises(UserError, match=r"checksums\.json is damaged: remove it"):
        locate("facades")
    assert not (pretend / "facades").exists()


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


def device(name: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type = tarfile.FIFOTYPE
    return member


@pytest.mark.parametrize(
    ("name", "member"),
    [
        ("../../escaped", b"out"),
        ("facades/../../../escaped", b"out"),
        ("facades/link", link("facades/link", "../../../escaped")),
        ("facades/link", link("facades/link", "/etc/passwd")),
        ("facades/hard", link("facades/hard", "../../escaped", tarfile.LNKTYPE)),
        ("facades/pipe", device("facades/pipe")),
    ],
)
def test_nothing_is_written_outside_the_folder(server, tmp_path, name, member):
    server.content = tar({"facades/train/1.png": noise(300), name: member, "facades/train/2.png": noise(300)})
    home = tmp_path / "some" / "where"
    with pytest.raises(UserError) as caught:
        fetch_archive(server.address, home / "facades", pause=0)
    assert f"facades.tar.gz holds '{name}', which would be written outside its folder" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert [str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*")] == ["some", "some/where"]


def test_an_absolute_path_lands_inside(server, tmp_path):
    outside = tmp_path / "outside" / "file"
    server.content = tar({"facades/1.png": b"in", str(outside): b"out"})
    fetch_archive(server.address, tmp_path / "sets" / "facades", pause=0)
    assert not outside.exists()
    assert {p.name for p in (tmp_path / "sets").iterdir()} == {"facades", "checksums.json"}


def damaged(archive: bytes) -> dict[str, bytes]:
    middle = len(archive) // 2
    flipped = bytearray(archive)
    flipped[middle] ^= 4
    return {
        "not a tar": noise(5000),
        "a page": b"<html>gone</html>",
        "empty": b"",
        "a tar of nothing": tar({}),
        "one bit flipped": bytes(flipped),
        "the sum at the end flipped": archive[:-8] + bytes([archive[-8] ^ 1]) + archive[-7:],
        **{f"cut after {part} %": archive[: len(archive) * part // 100] for part in (1, 30, 60, 90, 99)},
        "cut before its last byte": archive[:-1],
    }


@pytest.mark.parametrize("kind", damaged(b"x" * 100))
def test_a_damaged_archive_is_removed_and_said(server, tmp_path, archive, kind):
    server.content = damaged(archive)[kind]
    with pytest.raises(UserError, match=r"facades\.tar\.gz is damaged .*; run the same command to download it again"):
        fetch_archive(server.address, tmp_path / "facades", pause=0)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_extraction_never_looks_finished(pretend, server, monkeypatch):
    def stop(self, member, *rest, inner=tarfile.TarFile.makefile):
        inner(self, member, *rest)
        if member.name.endswith("2.png"):
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(tarfile.TarFile, "makefile", stop)
        with pytest.raises(KeyboardInterrupt):
            locate("facades")
    assert sorted(p.name for p in pretend.iterdir()) == ["facades.tar.gz"]
    assert len(list((locate("facades") / "train").iterdir())) == 3
    assert len(server.requests) == 1  # what had come was not fetched again


def test_a_full_disk_while_unpacking(pretend, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(tarfile.TarFile, "makefile", full)
        with pytest.raises(UserError, match=r"facades could not be written \(no space left on device\)"):
            locate("facades")
    assert sorted(p.name for p in pretend.iterdir()) == ["facades.tar.gz"]
    assert locate("facades").is_dir()


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is of POSIX")
def test_a_process_killed_while_downloading_is_gone_on_from(pretend, server, archive):
    server.hold = threading.Event()
    code = "import sys; from pathlib import Path; from p2plib.data.download import fetch_archive; " + (
        f"fetch_archive({server.address!r}, Path({str(pretend / 'facades')!r}), {len(archive)})"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.DEVNULL)
    part, deadline = pretend / "facades.tar.gz.part", time.monotonic() + 30
    while not (part.exists() and part.stat().st_size >= len(archive) // 2) and time.monotonic() < deadline:
        threading.Event().wait(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (pretend / "facades").exists()
    assert not (pretend / "facades.tar.gz").exists()
    server.hold.set()
    assert sorted(p.name for p in locate("facades").iterdir()) == ["train", "val"]
    assert server.requests[-1][0] == f"bytes={len(archive) // 2}-"


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is of POSIX")
def test_a_process_killed_while_unpacking_leaves_no_folder(pretend, server, archive):
    code = (
        "import os, tarfile; from pathlib import Path; from p2plib.data.download import fetch_archive\n"
        "def die(self, member, *rest, inner=tarfile.TarFile.makefile):\n"
        "    inner(self, member, *rest)\n"
        "    if member.name.endswith('2.png'): os.kill(os.getpid(), 9)\n"
        "tarfile.TarFile.makefile = die\n"
        f"fetch_archive({server.address!r}, Path({str(pretend / 'facades')!r}), {len(archive)})"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.DEVNULL).returncode == -9
    assert not (pretend / "facades").exists()
    assert len(list((locate("facades") / "train").iterdir())) == 3
    assert sorted(p.name for p in pretend.iterdir()) == ["checksums.json", "facades"]
    assert len(server.requests) == 1


# --- through the command line ----------------------------------------------------------------------


def closed_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def last_line(err: str) -> str:
    return err.replace("\r", "\n").strip().splitlines()[-1]


def test_without_a_network_the_offline_set_is_named(pretend, p2p, tmp_path, monkeypatch):
    monkeypatch.setenv("P2PLIB_MIRROR", f"http://127.0.0.1:{closed_port()}")
    code, out, err = p2p("train", "facades", "--out", tmp_path / "run")
    assert (code, out) == (2, "")
    assert last_line(err).startswith("p2plib: http://127.0.0.1:")
    assert "synthetic-facades works at once" in last_line(err)
    assert "nothing was kept" in last_line(err)
    assert err.count("p2plib:") == 1
    assert "Traceback" not in err
    assert not (tmp_path / "run").exists()
    assert list(pretend.iterdir()) == []


def test_a_mirror_that_is_no_address(pretend, p2p, tmp_path, monkeypatch):
    monkeypatch.setenv("P2PLIB_MIRROR", "my-server")
    code, _, err = p2p("train", "facades", "--out", tmp_path / "run")
    assert code == 2
    assert last_line(err).startswith("p2plib: 'my-server/facades.tar.gz' is no address")


def test_a_mirror_on_this_disk(pretend, archive, tmp_path, monkeypatch):
    (tmp_path / "facades.tar.gz").write_bytes(archive)
    monkeypatch.setenv("P2PLIB_MIRROR", tmp_path.as_uri())
    assert sorted(p.name for p in locate("facades").iterdir()) == ["train", "val"]


def test_an_archive_with_dots_in_it_through_the_command_line(pretend, p2p, server, tmp_path):
    server.content = tar({"../escaped": b"out"})
    entry = dataclasses.replace(CATALOGUE["facades"], bytes=len(server.content))
    CATALOGUE["facades"] = entry  # put back by the fixture
    code, _, err = p2p("train", "facades", "--out", tmp_path / "run")
    assert code == 2
    assert last_line(err).startswith("p2plib: facades.tar.gz holds '../escaped'")
    assert list(pretend.iterdir()) == []
    assert not (tmp_path / "run").exists()


def test_data_download_and_list(pretend, p2p):
    assert "to download" in p2p("data", "list")[1].splitlines()[0]
    code, out, _ = p2p("data", "download", "facades")
    assert (code, out) == (0, f"facades is in {pretend / 'facades'}\n")
    assert "here" in p2p("data", "list")[1].splitlines()[0]


def test_every_archive_says_its_terms_and_has_an_address(monkeypatch):
    monkeypatch.delenv("P2PLIB_MIRROR", raising=False)
    for name in ("facades", "maps"):
        entry = CATALOGUE[name]
        request = urllib.request.Request(entry.address)
        assert (request.type, request.selector.rpartition("/")[2]) == ("http", f"{name}.tar.gz")
        assert len(entry.terms) > 40
