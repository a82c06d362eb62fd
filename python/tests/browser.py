"""Chromium without a window, steered through its debugging port by nothing but the standard library."""

import base64
import contextlib
import json
import os
import shutil
import socket
import struct
import subprocess
import time

#: What the browser is called, from system to system.
NAMES = ["chromium", "chromium-browser", "google-chrome"]
#: Seconds until a browser has started, or has answered.
PATIENCE = 60
#: As root there is no sandbox; pages are files of our own.
FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
         "--disable-background-networking", "--remote-debugging-port=0", "--window-size=1000,900"]  # fmt: skip


def find():
    """Return where the browser is, or None."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


class Page:
    """A page of a browser: RFC 6455 with Chromium's protocol in it."""

    def __init__(self, port, path):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        key = base64.b64encode(os.urandom(16)).decode()
        head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        self.socket.sendall(f"{head}Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
        self.stream = self.socket.makefile("rb")
        assert b" 101 " in self.stream.readline()
        while self.stream.readline().strip():
            pass
        self.count = 0
        #: Everything that was told without being asked for.
        self.events = []

    def _send(self, text):
        data = text.encode()
        size = len(data)
        head = struct.pack("!BBH", 0x81, 0xFE, size) if size < 65536 else struct.pack("!BBQ", 0x81, 0xFF, size)
        # The mask may be of zeros, which changes nothing.
        self.socket.sendall(head + bytes(4) + data)

    def _receive(self):
        text = b""
        while True:
            first, size = self.stream.read(2)
            if size == 126:
                (size,) = struct.unpack("!H", self.stream.read(2))
            elif size == 127:
                (size,) = struct.unpack("!Q", self.stream.read(8))
            data = self.stream.read(size)
            if first & 15 < 8:  # neither a ping nor a good-bye
                text += data
                if first & 128:
                    return json.loads(text)

    def call(self, method, **params):
        """Ask for something and return the answer."""
        self.count += 1
        self._send(json.dumps({"id": self.count, "method": method, "params": params}))
        while True:
            told = self._receive()
            if told.get("id") == self.count:
                assert "error" not in told, told
                return told["result"]
            self.events.append(told)

    def evaluate(self, script):
        """Return what a script comes to, once what it promises is there."""
        told = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    def open(self, url):
        """Open a page, and wait until its scripts have run and it is drawn."""
        for domain in ["Page", "Network", "Runtime"]:
            self.call(f"{domain}.enable")
        self.call("Page.navigate", url=url)
        end = time.monotonic() + PATIENCE
        while self.evaluate("document.readyState + location.protocol") != "completefile:":
            assert time.monotonic() < end, "the page does not load"
            time.sleep(0.05)
        self.wait()

    def wait(self):
        """Wait until what is due has been drawn."""
        self.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))")

    def mouse(self, kind, x, y, **more):
        """Move or press the mouse, or turn its wheel."""
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)
        self.wait()

    def drag(self, start, stop):
        """Press the mouse, move and release it."""
        self.mouse("mousePressed", *start, button="left", buttons=1, clickCount=1)
        self.mouse("mouseMoved", *stop, button="left", buttons=1)
        self.mouse("mouseReleased", *stop, button="left", clickCount=1)

    def requests(self):
        """Return the addresses that the page asked for."""
        sent = [e["params"] for e in self.events if e["method"] == "Network.requestWillBeSent"]
        return [params["request"]["url"] for params in sent]

    def errors(self):
        """Return the exceptions that nobody caught."""
        return [e["params"] for e in self.events if e["method"] == "Runtime.exceptionThrown"]


@contextlib.contextmanager
def page(folder):
    """Start a browser with its files in ``folder``, and give an empty page."""
    process = subprocess.Popen(
        [find(), *FLAGS, f"--user-data-dir={folder}", "about:blank"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        file, end = folder / "DevToolsActivePort", time.monotonic() + PATIENCE
        while not (file.exists() and file.read_text().count("\n")):
            assert process.poll() is None and time.monotonic() < end, "the browser does not start"
            time.sleep(0.05)
        port = int(file.read_text().split()[0])
        yield Page(port, _target(port))
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _target(port):
    """Return the path at which the empty page is steered."""
    import urllib.request

    with urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=PATIENCE) as answer:
        found = next(target for target in json.load(answer) if target["type"] == "page")
    return "/" + found["webSocketDebuggerUrl"].split("/", 3)[3]
