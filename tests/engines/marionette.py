"""Selenium's connection to Firefox without geckodriver, which no Debian package contains.

Firefox itself accepts the same commands.

The protocol is `length:[type, id, name, parameters]` over TCP, in both directions.
"""

import json
import socket
from typing import Any

from selenium.webdriver.remote.client_config import ClientConfig
from selenium.webdriver.remote.command import Command
from selenium.webdriver.remote.remote_connection import RemoteConnection

COMMANDS = {
    Command.NEW_SESSION: "WebDriver:NewSession",
    Command.QUIT: "WebDriver:DeleteSession",
    Command.GET: "WebDriver:Navigate",
    Command.REFRESH: "WebDriver:Refresh",
    Command.GET_CURRENT_URL: "WebDriver:GetCurrentURL",
    Command.CLOSE: "WebDriver:CloseWindow",
    Command.NEW_WINDOW: "WebDriver:NewWindow",
    Command.SWITCH_TO_WINDOW: "WebDriver:SwitchToWindow",
    Command.W3C_GET_CURRENT_WINDOW_HANDLE: "WebDriver:GetWindowHandle",
    Command.SWITCH_TO_FRAME: "WebDriver:SwitchToFrame",
    Command.W3C_GET_WINDOW_HANDLES: "WebDriver:GetWindowHandles",
    Command.SET_WINDOW_RECT: "WebDriver:SetWindowRect",
    Command.SET_TIMEOUTS: "WebDriver:SetTimeouts",
    Command.DELETE_ALL_COOKIES: "WebDriver:DeleteAllCookies",
    Command.FIND_ELEMENT: "WebDriver:FindElement",
    Command.FIND_ELEMENTS: "WebDriver:FindElements",
    Command.CLICK_ELEMENT: "WebDriver:ElementClick",
    Command.CLEAR_ELEMENT: "WebDriver:ElementClear",
    Command.SEND_KEYS_TO_ELEMENT: "WebDriver:ElementSendKeys",
    Command.W3C_EXECUTE_SCRIPT: "WebDriver:ExecuteScript",
    Command.W3C_EXECUTE_SCRIPT_ASYNC: "WebDriver:ExecuteAsyncScript",
    Command.W3C_GET_ALERT_TEXT: "WebDriver:GetAlertText",
    Command.W3C_ACCEPT_ALERT: "WebDriver:AcceptAlert",
    Command.W3C_DISMISS_ALERT: "WebDriver:DismissAlert",
    Command.SCREENSHOT: "WebDriver:TakeScreenshot",
}


class Marionette(RemoteConnection):
    """A connection that `selenium.webdriver.Remote` sends its commands over."""

    def __init__(self, port: int, timeout_s: float) -> None:
        super().__init__(client_config=ClientConfig(f"http://127.0.0.1:{port}"))
        self._socket = socket.create_connection(("127.0.0.1", port), timeout_s)
        self._reader = self._socket.makefile("rb")
        self._sent = 0
        self._read()  # its greeting

    def execute(self, command: str, params: dict[str, Any]) -> dict[str, Any]:
        self._sent += 1
        message = json.dumps([0, self._sent, COMMANDS[command], _parameters(command, params)]).encode()
        self._socket.sendall(b"%d:%b" % (len(message), message))
        _, _, error, value = self._read()
        if error:
            return {"status": 500, "value": json.dumps({"value": error})}
        is_wrapped = isinstance(value, dict) and set(value) == {"value"}
        return {"value": value["value"] if is_wrapped else value}

    def close(self) -> None:
        self._reader.close()
        self._socket.close()
        super().close()

    def _read(self) -> Any:
        length = b""
        while (byte := self._reader.read(1)) != b":":
            if not byte:
                raise ConnectionError("Firefox closed its connection")
            length += byte
        return json.loads(self._reader.read(int(length)))


def _parameters(command: str, params: dict[str, Any]) -> dict[str, Any]:
    if command == Command.NEW_SESSION:
        return dict(params["capabilities"]["alwaysMatch"])
    if command == Command.SCREENSHOT:
        return {"full": False}
    return {name: value for name, value in params.items() if name != "sessionId"}
