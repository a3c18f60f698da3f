"""Debian's chromium, driven through chromedriver with nothing but the standard library (the WebDriver protocol)."""

import base64
import json
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ARGUMENTS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--disable-dev-shm-usage"]
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
KEYS = {"left": "\ue012", "right": "\ue014", "home": "\ue011", "end": "\ue010", "enter": "\ue007", "escape": "\ue00c",
        "page down": "\ue00f", "page up": "\ue00e", "shift": "\ue008", "tab": "\ue004"}


class Browser:
    """One headless browser."""

    def __init__(self, width: int = 1100, height: int = 900, dark: bool = False) -> None:
        driver = shutil.which("chromedriver")
        assert driver and shutil.which("chromium"), \
            "the report is tested in a browser: install chromium and chromium-driver (make packages-test)"
        self.profile = tempfile.mkdtemp(prefix="report-browser-")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.process = subprocess.Popen([driver, f"--port={port}"], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        self.base = f"http://127.0.0.1:{port}"
        self.session = ""
        try:
            self._wait_for_driver()
            arguments = [*ARGUMENTS, f"--user-data-dir={self.profile}", f"--window-size={width},{height}"]
            if dark:
                arguments.append("--force-dark-mode")
            answer = self._call("POST", "/session", {"capabilities": {"alwaysMatch": {
                "browserName": "chrome", "goog:chromeOptions": {"args": arguments},
                "goog:loggingPrefs": {"browser": "ALL"}}}})
            self.session = f"/session/{answer['sessionId']}"
        except BaseException:
            self.close()
            raise

    def _wait_for_driver(self) -> None:
        for _ in range(100):
            try:
                self._call("GET", "/status")
                return
            except OSError:
                time.sleep(0.1)
        raise AssertionError("chromedriver does not answer")

    def _call(self, method: str, path: str, body: dict | None = None):
        data = json.dumps(body if body is not None else {}).encode() if method == "POST" else None
        request = urllib.request.Request(self.base + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.read().decode()[:600]}") from error

    def open(self, page: Path) -> None:
        """Loads a page from its file, and forgets older messages."""
        self.messages()
        self._call("POST", self.session + "/url", {"url": page.resolve().as_uri()})

    def url(self) -> str:
        """Where the browser is."""
        return self._call("GET", self.session + "/url")

    def run(self, script: str, *args):
        """The value of a script."""
        return self._call("POST", self.session + "/execute/sync", {"script": script, "args": list(args)})

    def wait(self, script: str, seconds: float = 20):
        """Waits until a script's value is true."""
        end = time.monotonic() + seconds
        while not (value := self.run(script)):
            assert time.monotonic() < end, f"not within {seconds} s: {script}; messages: {self.messages()}"
            time.sleep(0.05)
        return value

    def _element(self, selector: str) -> str:
        found = self._call("POST", self.session + "/element", {"using": "css selector", "value": selector})
        return f"{self.session}/element/{found[ELEMENT]}"

    def click(self, selector: str) -> None:
        """A click with the mouse, on something that can be seen."""
        self._call("POST", self._element(selector) + "/click", {})

    def type(self, selector: str, *keys: str) -> None:
        """Keys pressed on one element; names of KEYS, or text."""
        text = "".join(KEYS.get(key, key) for key in keys)
        self._call("POST", self._element(selector) + "/value", {"text": text})

    def hover(self, selector: str) -> None:
        """The mouse over one element."""
        element = self._element(selector).rsplit("/", 1)[1]
        self._call("POST", self.session + "/actions", {"actions": [{
            "type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": [
                {"type": "pointerMove", "duration": 0, "x": 0, "y": 0, "origin": {ELEMENT: element}}]}]})

    def messages(self) -> list[str]:
        """What the console said since the last call, policy violations included."""
        if not self.session:
            return []
        return [f"{m['level']}: {m['message']}" for m in
                self._call("POST", self.session + "/se/log", {"type": "browser"})]

    def resize(self, width: int, height: int) -> None:
        """Another window size."""
        self._call("POST", self.session + "/window/rect", {"width": width, "height": height})

    def emulate(self, **features: str) -> None:
        """Media features, such as prefers_color_scheme='dark'."""
        self._call("POST", self.session + "/goog/cdp/execute", {"cmd": "Emulation.setEmulatedMedia", "params": {
            "features": [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]}})

    def phone(self, width: int = 360, height: int = 740) -> None:
        """The size of a phone; headless windows do not get so narrow."""
        self._call("POST", self.session + "/goog/cdp/execute", {"cmd": "Emulation.setDeviceMetricsOverride", "params": {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": True}})

    def desktop(self) -> None:
        """Back from `phone`."""
        self._call("POST", self.session + "/goog/cdp/execute", {"cmd": "Emulation.clearDeviceMetricsOverride",
                                                                  "params": {}})

    def picture(self, path: Path, selector: str | None = None) -> None:
        """What is seen, or one element, as a PNG."""
        where = self._element(selector) if selector else self.session
        path.write_bytes(base64.b64decode(self._call("GET", where + "/screenshot")))

    def close(self) -> None:
        """Ends browser and driver."""
        try:
            if self.session:
                self._call("DELETE", self.session)
        except (OSError, AssertionError):
            pass
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)
