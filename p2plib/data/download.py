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
ATTEMPTS = 4  # in a row without a single new byte
TIMEOUT = 30.0  # seconds of silence

_DROPPED = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError)


def fetch_archive(address: str, folder: Path, expected_bytes: int | None = None, pause: float = 1.0) -> Path:
    """Download a tar.gz and unpack it as `folder`, which appears only when all of it is there.

    The archive's sha256 is written to checksums.json beside the folder when it first unpacks, and
    demanded of every later download, from wherever it comes.

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
    record = home / "checksums.json"
    found = _check_sum(archive, record, address)
    _unpack(archive, folder)
    _write_sum(record, archive.name, found)  # only now: what did not unpack is not what is to be had again
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
                complete, reason = _transfer(address, part, expected_bytes, bar), "the connection ended early"
            except urllib.error.HTTPError as error:
                if error.code < 500:
                    raise UserError(_refused(address, file, error)) from None
                complete, reason = False, f"the server answered {error.code} {error.reason}"
            except _DROPPED as error:
                complete, reason = False, str(getattr(error, "reason", error)) or type(error).__name__
            except OSError as error:
                raise cannot_write(part, error) from error
            if complete and (expected_bytes is None or _size(part) >= expected_bytes):
                break
            failures = 0 if _size(part) > before else failures + 1
            if failures >= ATTEMPTS:
                raise UserError(_unreachable(address, file, reason, _size(part)))
            if failures:
                bar.set_postfix_str(f"{reason}; trying again")
                time.sleep(pause * 2 ** (failures - 1))
    if expected_bytes is not None and (size := _size(part)) != expected_bytes:
        _forget(part)
        raise _wrong_size(address, size, expected_bytes)
    part.replace(file)
    _forget(part)
    return file


def _transfer(address: str, part: Path, expected_bytes: int | None, bar: Any) -> bool:
    """One request, appended to `part`; True if the server sent all it promised."""
    have, tag = _size(part), _tag_file(part)
    try:
        request = urllib.request.Request(address, headers={"User-Agent": "p2plib"})
    except ValueError:
        raise UserError(f"{address!r} is no address: http://… or https://… was expected (see P2PLIB_MIRROR).") from None
    if have:
        request.add_header("Range", f"bytes={have}-")
        if tag.exists():
            request.add_header("If-Range", tag.read_text())  # a changed file is sent whole again
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        if error.code != 416:
            raise
        if have == (_total(error.headers) or expected_bytes):  # nothing after what we have: it was complete
            return True
        _forget(part)  # what we have is longer than the file is: begin again
        return False
    with response:
        goes_on = response.status == 206 and response.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        length = response.headers.get("Content-Length")
        promised = int(length) if length and length.isdecimal() else None
        whole = _total(response.headers) if goes_on else promised
        if expected_bytes is not None and whole is not None and whole != expected_bytes:
            raise _wrong_size(address, whole, expected_bytes)  # what came before it stays, for when it is right again
        if not goes_on:
            have = 0
            _forget(part)
            if validator := _validator(response.headers):
                tag.write_text(validator)
        bar.n = have
        bar.total = bar.total or whole
        left = promised
        with open(part, "ab") as out:
            while block := _read(response, left):
                out.write(block)
                out.flush()  # a kill loses nothing that came
                bar.update(len(block))
                left = None if left is None else left - len(block)
    return not left


def _read(response: Any, left: int | None) -> bytes:
    """What has come in by now, so that nothing is lost to a line that falls silent; b"" at the end.

    Whatever the network does wrong is a ConnectionError, and never taken for a full disk.
    """
    try:
        block: bytes = response.read1(CHUNK if left is None else min(left, CHUNK))
        return block
    except (TimeoutError, http.client.HTTPException):
        raise
    except OSError as error:
        raise ConnectionError(error.strerror or str(error)) from error


def _validator(headers: Any) -> str | None:
    """What If-Range may name: a strong ETag, else the date."""
    tag = headers.get("ETag")
    return tag if tag and not tag.startswith("W/") else headers.get("Last-Modified")


def _total(headers: Any) -> int | None:
    """Size of the whole file: what stands behind the slash of Content-Range."""
    total = headers.get("Content-Range", "").rpartition("/")[2]
    return int(total) if total.isdecimal() else None


def _check_sum(archive: Path, record: Path, address: str) -> str:
    """The archive's sha256, equal to the recorded one if there is one."""
    with open(archive, "rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    before = _read_sums(record).get(archive.name)
    if before is not None and before != found:
        archive.unlink()
        raise UserError(
            f"{address} is not what it was at the first download (sha256 {found[:12]}… instead of {before[:12]}…): "
            f"it was not unpacked. If the change is known to be good, remove {record} and run the same command again."
        )
    return found


def _read_sums(record: Path) -> dict[str, str]:
    try:
        known = json.loads(record.read_text(encoding="utf-8")) if record.exists() else {}
        return {str(name): str(value) for name, value in known.items()}
    except (ValueError, AttributeError):
        raise UserError(f"{record} is damaged: remove it, and the checksums are recorded anew.") from None


def _write_sum(record: Path, name: str, found: str) -> None:
    write_atomic(record, json.dumps(_read_sums(record) | {name: found}, indent=1) + "\n")


def _unpack(archive: Path, folder: Path) -> None:
    """Unpack into a folder with another name and rename it at the end."""
    scratch = folder.with_name(f".{folder.name}.unpacking")
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        _check_whole(archive)
        scratch.mkdir()
        with tarfile.open(archive, "r:gz") as tar:
            tar.extractall(scratch, filter="data")
        inside = list(scratch.iterdir())
        if not inside:
            raise tarfile.ReadError("it holds nothing")
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


def _check_whole(archive: Path) -> None:
    """Read to the end, where gzip keeps its own sum: tarfile stops before it, and takes a broken header for the end."""
    with gzip.open(archive) as file:
        while file.read(CHUNK):
            pass


def _wrong_size(address: str, size: int, expected_bytes: int) -> UserError:
    return UserError(
        f"{address} has {size:,} bytes where {expected_bytes:,} were expected, so it is not the file "
        f"this course knows; nothing of it was kept. Try again, or ask whoever runs the server."
    )


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


def _tag_file(part: Path) -> Path:
    return part.with_name(part.name + ".etag")


def _forget(part: Path) -> None:
    """Remove a partial file, and what was known of it."""
    part.unlink(missing_ok=True)
    _tag_file(part).unlink(missing_ok=True)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
