"""The page when the server closes its sockets with 1012: the session moves, and the candidate sees nothing of it."""

# ruff: noqa: F811  (fixtures are imported and then asked for by name)

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect
from tests.server.browser import fresh, in_browser, wait_until
from tests.server.test_page import Server
from tests.server.test_page_audio import (  # noqa: F401  (fixtures)
    server,
    session,
    talk,
    visit,
)

pytestmark = in_browser

SOCKETS = """
window.sockets = [];
window.losesSound = false;
window.WebSocket = class extends WebSocket {
    constructor(url, protocols) {
        super(url, protocols);
        this.kind = new URL(url).pathname.split("/").pop();
        this.start = Number(new URL(url).searchParams.get("start"));
        this.samples = 0;
        window.sockets.push(this);
    }
    send(data) {
        if (this.kind === "audio" && window.losesSound) return;
        super.send(data);
        this.samples += data.byteLength / 2;
    }
    move() {
        const closed = this.onclose;
        this.onclose = null;
        this.close(1000);
        closed({ code: 1012, reason: "moved" });
    }
};
window.move = () => {
    const before = window.sockets.length;
    for (const one of [...window.sockets]) if (one.readyState === 1) one.move();
    return before;
};
"""
"""The page's sockets, to be closed as a server closes them that hands its sessions on. Sound can be lost on its
way: it came after the state that is continued from."""

SOUND = """(first) => window.sockets.slice(first).filter((one) => one.kind === "audio" && one.samples)
    .map(({ start, samples }) => ({ start, samples }))"""


def test_a_session_that_moves_loses_no_sound_and_is_not_called_lost(
    visit: Callable[..., Page], server: Server
) -> None:
    session_id = fresh("moved")
    page = visit("camera", "microphone", query=f"?session={session_id}")
    page.add_init_script(SOCKETS)
    page.reload()
    page.get_by_role("button", name="Start").click()
    expect(page.locator("#sound-state")).to_have_text("Sound is sent")
    expect(page.locator("#connection")).to_have_text("Connected")
    while session(server, session_id)["sound"]["received"] < 3:
        page.wait_for_timeout(200)

    # In one go: the page keeps five seconds of what it has sent, which a busy test would exceed.
    had: list[dict[str, Any]]
    had, before = page.evaluate(
        f"""async () => {{
            window.losesSound = true;
            await new Promise((done) => setTimeout(done, 1000));
            window.losesSound = false;
            return [({SOUND})(0), window.move()];
        }}"""
    )
    wait_until(
        page,
        "(first) => new Set(window.sockets.slice(first).map((one) => one.kind)).size === 4",
        before,
    )
    wait_until(page, f"(first) => ({SOUND})(first).length > 0", before)

    # The next socket begins with a sample that the server had already.
    had_until = had[-1]["start"] + had[-1]["samples"] / 16_000 * 1e6
    assert page.evaluate(SOUND, before)[0]["start"] <= had_until


MOVE_BY_MOVE = """async () => {
    const { ReconnectingSocket } = await import("/page/reconnecting_socket.js");
    let now = 0, opens = true;
    const made = [], states = [], pauses = [];
    performance.now = () => now;
    window.setTimeout = (run, pause) => { pauses.push(pause); waiting = run; return 1; };
    let waiting = () => {};
    window.WebSocket = class {
        constructor() { made.push(this); }
        close() {}
    };
    const settle = () => new Promise((done) => { const port = new MessageChannel(); port.port1.onmessage = done; port.port2.postMessage(0); });
    const socket = new ReconnectingSocket({
        prepare: async () => { if (!opens) throw new Error("refused"); return new URL("ws://localhost/x"); },
        onMessage() {}, onState: (state) => states.push(state),
    });
    const open = async () => { await settle(); made.at(-1).onopen(); };
    const close = (code) => made.at(-1).onclose({ code, reason: "" });
    socket.start(); await open();

    // Moved, and refused twice on its way back.
    close(1012); opens = false;
    waiting(); await settle(); waiting(); await settle(); opens = true;
    waiting(); await open();
    const moved = { states: states.splice(0), pauses: pauses.splice(0) };

    // Moved, and refused for longer than a move takes.
    close(1012); opens = false; now += 1600;
    waiting(); await settle(); opens = true;
    waiting(); await open();
    const lost = { states: states.splice(0), pauses: pauses.splice(0) };

    // Moved again and again.
    for (let i = 0; i < 4; i += 1) { close(1012); waiting(); await open(); }
    return { moved, lost, again: { states: states.splice(0), pauses: pauses.splice(0) } };
}"""


def test_a_moved_socket_returns_at_once_but_not_again_and_again(
    visit: Callable[..., Page],
) -> None:
    found = visit().evaluate(MOVE_BY_MOVE)
    assert found["moved"]["states"] == ["connecting", "open", "moving", "open"]
    assert all(0 <= pause <= 150 for pause in found["moved"]["pauses"])
    assert found["lost"]["states"] == ["moving", "waiting", "connecting", "open"]
    assert found["lost"]["pauses"][1] >= 375
    third, *others = found["again"]["pauses"]
    assert third <= 150
    assert all(0.75 * 500 * 2**n <= pause <= 1.25 * 500 * 2**n for n, pause in enumerate(others))
    assert found["again"]["states"][:4] == ["moving", "open", "waiting", "connecting"]
