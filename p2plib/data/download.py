"""Fetching an archive so that an interruption costs nothing and a damaged one is never used.

Own lines where a library would do: pooch, the usual one, neither goes on from a partial file nor
filters what an archive may unpack.
"""

from __future__ import annotations

import gzip
import hashlib
import http.client
import json
import shutil
import tarfile
import time
import urllib.error
import urllib.request
import zlib
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

from p2plib.errors import UserError
from p2plib.files import cannot_write, make_folder, write_atomic

CHUNK = 1 << 18
ATTEMPTS = 5  # in a row without a single new byte
TIMEOUT = 30.0  # seconds of silence

_DROPPED = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError)


def fetch_archive(address: str, folder: Path, expected_bytes: int | None = None, pause: float = 1.0) -> Path:
    """Download a tar.gz and unpack it as `folder`, which appears only when all of it is there.

    The archive's sha256 is written to checksums.json beside the folder at the first download, and
    demanded at every later one.

    Args:
        address: http(s) address of a tar.gz whose files lie in one folder.
        folder: where that folder's contents shall be.
        expected_bytes: size of the archive, where it is known.
        pause: seconds before the first new attempt, doubled after each that brings nothing.

    Raises:
        UserError: without a network, for a wrong size or checksum, or for an archive that is damaged or
            wants to write outside its folder.
    """
    home = make_folder(folder.parent)
    archive = home / f"{folder.name}.tar.gz"
    if not archive.exists():
        download(address, archive, expected_bytes, pause)
    _check_sum(archive, home / "checksums.json", address)
    _unpack(archive, folder)
    archive.unlink()
    return folder


def download(address: str, file: Path, expected_bytes: int | None = None, pause: float = 1.0) -> Path:
    """Fetch one file, going on from `file`.part where an earlier try stopped.

    Raises:
        UserError: when the server cannot be reached or answers with an error, or the size is wrong.
    """
    part = file.with_name(file.name + ".part")
    failures = 0
    with tqdm(total=expected_bytes, unit="B", unit_scale=True, unit_divisor=1000, desc=file.name) as bar:
        while True:
            before = _size(part)
            try:
                complete = _transfer(address, part, bar)
            except urllib.error.HTTPError as error:
                raise UserError(_refused(address, file, error)) from None
            except _DROPPED as error:
                complete, reason = False, str(getattr(error, "reason", error)) or type(error).__name__
            except OSError as error:
                raise cannot_write(part, error) from error
            else:
                reason = "the connection ended early"
            if complete and (expected_bytes is None or _size(part) >= expected_bytes):
                break
            failures = 0 if _size(part) > before else failures + 1
            if failures >= ATTEMPTS:
                raise UserError(_unreachable(address, file, reason, _size(part)))
            time.sleep(pause * 2**failures if failures else 0)
    if expected_bytes is not None and (size := _size(part)) != expected_bytes:
        part.unlink()
        raise UserError(
            f"{address} gave {size:,} bytes where {expected_bytes:,} were expected, so it is not the file "
            f"this course knows; nothing was kept. Try again, or ask whoever runs the server."
        )
    part.replace(file)
    _etag_file(part).unlink(missing_ok=True)
    return file


def _transfer(address: str, part: Path, bar: Any) -> bool:
    """One request, appended to `part`; True if the server sent all it promised."""
    have, tag = _size(part), _etag_file(part)
    request = urllib.request.Request(address, headers={"User-Agent": "p2plib"})
    if have:
        request.add_header("Range", f"bytes={have}-")
        if tag.exists():
            request.add_header("If-Range", tag.read_text())  # a changed file is sent whole again
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        if error.code == 416:  # nothing after what we have: it was complete
            return True
        raise
    with response:
        goes_on = response.status == 206 and response.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        if not goes_on:
            have = 0
        promised = response.headers.get("Content-Length")
        if validator := response.headers.get("ETag") or response.headers.get("Last-Modified"):
            tag.write_text(validator)
        bar.n = have
        bar.total = bar.total or (have + int(promised) if promised else None)
        with open(part, "ab" if goes_on else "wb") as out:
            while block := response.read(CHUNK):
                out.write(block)
                bar.update(len(block))
    return promised is None or _size(part) >= have + int(promised)


def _check_sum(archive: Path, record: Path, address: str) -> None:
    with open(archive, "rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    known: dict[str, Any] = json.loads(record.read_text()) if record.exists() else {}
    before = known.get(address)
    if before is None:
        write_atomic(record, json.dumps(known | {address: found}, indent=1) + "\n")
    elif before != found:
        archive.unlink()
        raise UserError(
            f"{address} is not what it was at the first download (sha256 {found[:12]}… instead of {before[:12]}…): "
            f"it was not unpacked. If the change is known to be good, remove its line from {record}."
        )


def _unpack(archive: Path, folder: Path) -> None:
    """Unpack into a folder with another name and rename it at the end."""
    scratch = folder.with_name(f".{folder.name}.unpacking")
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        with tarfile.open(archive, "r:gz") as tar:
            tar.extractall(scratch, filter="data")
        inside = list(scratch.iterdir())
        (inside[0] if len(inside) == 1 and inside[0].is_dir() else scratch).replace(folder)
    except tarfile.FilterError as error:
        archive.unlink()
        raise UserError(
            f"{archive.name} holds {error.tarinfo.name!r}, which would be written outside its folder or is no "
            f"ordinary file: nothing was unpacked, and the archive was removed."
        ) from None
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        archive.unlink()
        raise UserError(
            f"{archive.name} is damaged ({error}): it was removed; run the same command to download it again."
        ) from None
    except OSError as error:
        raise cannot_write(folder, error) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _refused(address: str, file: Path, error: urllib.error.HTTPError) -> str:
    return (
        f"The server answered {error.code} ({error.reason}) for {address}: if the set has moved, download it by "
        f"hand, unpack it as {_unpacked(file)}, and run the same command again."
    )


def _unreachable(address: str, file: Path, reason: str, have: int) -> str:
    kept = f"{have / 1e6:.1f} MB are kept and the next try goes on from there" if have else "nothing was kept"
    return (
        f"{address} could not be reached ({reason}); {kept}. Check the connection and run the same command again; "
        f"without a network, synthetic-{_unpacked(file).name} works at once."
    )


def _unpacked(file: Path) -> Path:
    return file.with_name(file.name.removesuffix(".tar.gz"))


def _etag_file(part: Path) -> Path:
    return part.with_name(part.name + ".etag")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
