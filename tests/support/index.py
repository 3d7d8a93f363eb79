"""Wheels made on the spot, and an index that serves them on loopback (the simple repository API, PEP 503 and 691)."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import html
import io
import json
import re
import tarfile
import urllib.parse
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from support import loopback


def wheel(  # noqa: PLR0913 - what a wheel may have
    name: str,
    version: str,
    *,
    requires: Sequence[str] = (),
    files: Mapping[str, str] | None = None,
    scripts: Mapping[str, str] | None = None,
    requires_python: str = "",
    extras: Sequence[str] = (),
) -> tuple[str, bytes]:
    """Return file name and content of a pure wheel; by default it holds a module with the version as `V`."""
    module = name.replace("-", "_")
    contents = dict(files) if files is not None else {f"{module}.py": f"V = {version!r}\n"}
    info = f"{module}-{version}.dist-info"
    metadata = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}"]
    metadata += [f"Requires-Dist: {requirement}" for requirement in requires]
    metadata += [f"Provides-Extra: {extra}" for extra in extras]
    metadata += [f"Requires-Python: {requires_python}"] if requires_python else []
    contents[f"{info}/METADATA"] = "\n".join(metadata) + "\n"
    contents[f"{info}/WHEEL"] = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    if scripts:
        lines = [f"{command} = {target}" for command, target in scripts.items()]
        contents[f"{info}/entry_points.txt"] = "[console_scripts]\n" + "\n".join(lines) + "\n"
    record = []
    for path, text in contents.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record.append(f"{path},sha256={digest},{len(text.encode())}")
    contents[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,"]) + "\n"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, text in contents.items():
            archive.writestr(path, text)
    return f"{module}-{version}-py3-none-any.whl", buffer.getvalue()


def repacked(wheel: tuple[str, bytes], changes: Mapping[str, str | None]) -> tuple[str, bytes]:
    """Return a wheel in which files are replaced, or left out where None, and RECORD is as it was."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(wheel[1])) as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            text = changes.get(name, old.read(name).decode())
            if text is not None:
                new.writestr(name, text)
    return wheel[0], buffer.getvalue()


def sdist(name: str, version: str, files: Mapping[str, str]) -> tuple[str, bytes]:
    """Return file name and content of a source distribution with these files."""
    module = name.replace("-", "_")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        contents = {"PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", **files}
        for path, text in contents.items():
            member = tarfile.TarInfo(f"{module}-{version}/{path}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return f"{module}-{version}.tar.gz", buffer.getvalue()


class Index:
    """An index that is being served.

    `requests` holds the path of every request, `headers` its headers; `status` is an error to answer everything with.
    `credentials` (`user:password`) are demanded where set, `redirects` leads paths elsewhere, `hashes` announces a
    sha256 for a file that is not its own, `requires_python` what a file is said to run on, `yanked` which files were
    taken back. With `uploaded`, the times of files (ISO 8601), pages are JSON (PEP 700). `asked` is called with each
    path before it is answered, `send` with each path, what leads to who asked, and the answer.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.status = 0
        self.url = ""
        self.credentials = ""
        self.redirects: dict[str, str] = {}
        self.hashes: dict[str, str] = {}
        self.requires_python: dict[str, str] = {}
        self.yanked: set[str] = set()
        self.uploaded: dict[str, str] = {}
        self.asked: Callable[[str], None] = lambda _path: None
        self.send: Callable[[str, io.BufferedIOBase, bytes], object] = lambda _path, file, body: file.write(body)

    def add(self, *files: tuple[str, bytes]) -> None:
        """Publish files, as `wheel` and `sdist` return them."""
        self.files.update(files)

    def url_for(self, credentials: str) -> str:
        """Return the URL of this index with credentials in it."""
        return self.url.replace("://", f"://{credentials}@")

    def page(self, project: str) -> tuple[str, str]:
        """Return media type and text of the page of a project, `""` where there is none."""
        names = [name for name in self.files if re.sub(r"[-_.]+", "-", name.partition("-")[0]).lower() == project]
        if not names:
            return "", ""
        if self.uploaded:
            content = {"meta": {"api-version": "1.1"}, "name": project, "files": [self._file(name) for name in names]}
            return "application/vnd.pypi.simple.v1+json", json.dumps(content)
        return "text/html", f"<!DOCTYPE html><html><body>{''.join(self._link(name) for name in names)}</body></html>"

    def _digest(self, name: str) -> str:
        return self.hashes.get(name) or hashlib.sha256(self.files[name]).hexdigest()

    def _link(self, name: str) -> str:
        requires = self.requires_python.get(name, "")
        attribute = f' data-requires-python="{html.escape(requires)}"' if requires else ""
        attribute += ' data-yanked="it is broken"' if name in self.yanked else ""
        shown = html.escape(name)
        return f'<a href="/files/{shown}#sha256={self._digest(name)}"{attribute}>{shown}</a><br>'

    def _file(self, name: str) -> dict[str, object]:
        file: dict[str, object] = {
            "filename": name,
            "url": f"/files/{name}",
            "hashes": {"sha256": self._digest(name)},
            "size": len(self.files[name]),
        }
        return {**file, "upload-time": self.uploaded[name]} if name in self.uploaded else file


@contextlib.contextmanager
def serve() -> Iterator[Index]:
    """Serve an index on a free port of 127.0.0.1."""
    index = Index()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            index.requests.append(self.path)
            index.headers.append(dict(self.headers))
            index.asked(self.path)
            status, headers, body = _answer(index, self.path, self.headers.get("Authorization", ""))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            with contextlib.suppress(ConnectionError):  # who asked was killed
                self.end_headers()
                index.send(self.path, self.wfile, body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    index.url = f"http://127.0.0.1:{server.server_port}/simple/"
    with loopback.running(server):
        yield index


def _answer(index: Index, path: str, authorization: str) -> tuple[int, dict[str, str], bytes]:
    parts = urllib.parse.unquote(path).strip("/").split("/")
    if index.status:
        return index.status, {}, b""
    if path in index.redirects:
        return 302, {"Location": index.redirects[path]}, b""
    if index.credentials and authorization != f"Basic {base64.b64encode(index.credentials.encode()).decode()}":
        return 401, {"WWW-Authenticate": 'Basic realm="index"'}, b""
    if parts[0] == "simple" and len(parts) == 2:
        kind, page = index.page(parts[1])
        return (200, {"Content-Type": kind}, page.encode()) if page else (404, {}, b"")
    if parts[0] == "files" and parts[1] in index.files:
        return 200, {"Content-Type": "application/octet-stream"}, index.files[parts[1]]
    return 404, {}, b""
