"""What a page in the user's browser can do to Prefect's server while it runs, by a real browser: nothing.

And that the same page does whatever it likes with a server that is not protected.
"""

import http.server
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.browser import browser, new_page
from tests.support.machine import PASSWORD, Machine
from tests.support.processes import until
from tests.support.services import Server, ask, server

pytestmark = pytest.mark.operations
ADDRESS = "https://hooks.example.com/services/secret"  # of a webhook; it is never called
NAMES = ("elsewhere.example", "rebound.example")
ORIGINS = (
    "a page of another port",
    "a page of another name",
    "a name that resolves to this machine",
    "a page of no origin",
)

# What a page can try, each by itself. `word` is the password, for a page that has found it out.
ATTACKS = """
async ({api, run, flow, word}) => {
    const headers = word ? {Authorization: `Basic ${btoa(word)}`} : {}
    const json = {...headers, "Content-Type": "application/json"}
    const post = (by, path, body, options = {}) =>
        fetch(`${api}/${path}?by=${by}`, {method: "POST", body: JSON.stringify(body), headers: json, ...options})
    const text = async (by, path, body) => (await post(by, path, body)).text()
    const simple = {mode: "no-cors", headers: {}}  // without a question beforehand
    const untyped = body => new Blob([JSON.stringify(body)])  // which Prefect takes for JSON
    const create = by => ({name: `by ${by}`, flow_id: flow})
    const form = by => {
        document.body.appendChild(Object.assign(document.createElement("iframe"), {name: by}))
        const form = document.body.appendChild(document.createElement("form"))
        Object.assign(form, {method: "POST", enctype: "text/plain", target: by, action: `${api}/flow_runs/?by=${by}`})
        const field = form.appendChild(document.createElement("input"))
        const [name, value] = JSON.stringify({...create(by), x: "="}).split("=")
        Object.assign(field, {name, value})
        form.submit()
    }
    const socket = (path, protocols) => new Promise(resolve => {
        const opened = new WebSocket(`${api.replace("http", "ws")}/${path}`, protocols)
        opened.onerror = () => resolve("refused")
        opened.onopen = () => resolve("open")
    })
    const attempts = {
        look: () => fetch(`${api}/flows/${flow}?by=look`, {headers}).then(answer => answer.text()),
        read: () => text("read", "flows/filter", {}),
        secret: () => text("secret", "block_documents/filter", {include_secrets: true}),
        fetch: () => post("fetch", "flow_runs/", create("fetch")),
        untyped: () => post("untyped", "flow_runs/", null, {...simple, body: untyped(create("untyped"))}),
        beacon: () => navigator.sendBeacon(`${api}/flow_runs/?by=beacon`, untyped(create("beacon"))),
        form: () => form("form"),
        cancel: () => post("cancel", `flow_runs/${run}/set_state`, null,
            {...simple, body: untyped({state: {type: "CANCELLED"}, force: true})}),
        delete: () => fetch(`${api}/flow_runs/${run}?by=delete`, {method: "DELETE", headers}),
        events: () => socket("events/in", ["prefect"]),
        old_events: () => socket("events/in", []),
        logs: () => socket("logs/out", ["prefect"]),
    }
    const results = {}
    for (const [name, attempt] of Object.entries(attempts))
        results[name] = await Promise.resolve().then(attempt).then(String, error => `refused: ${error}`)
    return results
}
"""
SENT = {
    "look",
    "read",
    "secret",
    "fetch",
    "untyped",
    "beacon",
    "form",
    "cancel",
    "delete",
}  # `by` of what is no WebSocket


@dataclass
class Target:
    """A Prefect server, with a flow, a run that is to come, and a webhook."""

    api: str
    password: tuple[str, str] | None
    name: str = "the victim"

    def __post_init__(self) -> None:
        self.flow = self.ask("POST", "flows/", name=f"flow of {self.name}")["id"]
        self.run = self.ask("POST", "flow_runs/", flow_id=self.flow, name="victim", state={"type": "SCHEDULED"})["id"]
        kind = self.ask("GET", "block_types/slug/webhook")["id"]
        (schema, *_) = self.ask("POST", "block_schemas/filter", block_schemas={"block_type_id": {"any_": [kind]}})
        block = {
            "name": self.name.replace(" ", "-"),
            "block_type_id": kind,
            "block_schema_id": schema["id"],
            "data": {"url": ADDRESS},
        }
        self.ask("POST", "block_documents/", **block)

    def ask(self, method: str, path: str, **body: Any) -> Any:
        return ask(method, f"{self.api}/{path}", body or None, self.password).raise_for_status().json()

    def changes(self) -> set[str]:
        """What pages have done: who created a run, and who is to blame that the victim is not as it was."""
        runs = self.ask("POST", "flow_runs/filter", flows={"id": {"any_": [self.flow]}})
        created = {run["name"].removeprefix("by ") for run in runs if run["name"] != "victim"}
        victim = [run["state_type"] for run in runs if run["name"] == "victim"]
        return created | ({"delete"} if not victim else {"cancel"} if victim != ["SCHEDULED"] else set())


@pytest.fixture(scope="module")
def guarded(served: Machine) -> Target:
    return Target(served.api, PASSWORD)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser(NAMES) as chromium:
        yield chromium


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[int]:
    """The port of another server on this machine, with an empty page."""

    class Empty(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Empty) as other:
        threading.Thread(target=other.serve_forever).start()
        yield other.server_port
        other.shutdown()


@pytest.fixture
def attack(chromium: Any, elsewhere: int) -> Iterator[Callable[[Target, str, str], dict[str, str]]]:
    """Try everything from a page of this origin, on the server under this name: what the page sees of it.

    The page knows the password: what is shown is that the server does not listen.
    """
    page = new_page(chromium)

    def attack(target: Target, origin: str, host: str) -> dict[str, str]:
        port = urlsplit(target.api).port
        settled: set[str] = set()
        for event in ("requestfinished", "requestfailed"):
            page.on(event, lambda request: settled.add(request.url.partition("by=")[2]))
        address = {
            "a page of another port": f"http://127.0.0.1:{elsewhere}/",
            "a page of another name": f"http://{NAMES[0]}:{elsewhere}/",
            "a name that resolves to this machine": f"http://{NAMES[1]}:{port}/",
            "a page of no origin": "data:text/html,",
        }[origin]
        if "resolves" in origin:  # the page came from elsewhere before the name resolved to here
            host = NAMES[1]
            page.route(address, lambda route: route.fulfill(body="<html></html>", content_type="text/html"))
        page.goto(address)
        api = f"http://{host}:{port}/api"
        word = ":".join(target.password or ())
        results = page.evaluate(ATTACKS, {"api": api, "run": target.run, "flow": target.flow, "word": word})
        until(lambda: page.wait_for_timeout(50) or settled >= SENT, "all is answered", saw=lambda: SENT - settled)
        return results

    yield attack
    page.close()


@pytest.mark.fault("{origin}, which knows the password and asks http://{host}:…", "nothing is read, nothing is changed")
@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_web_page(guarded: Target, attack: Callable[..., dict[str, str]], origin: str, host: str) -> None:
    results = attack(guarded, origin, host)
    assert guarded.changes() == set()
    for way in ("events", "old_events", "logs"):
        assert results[way] == "refused", way
    assert "flow of the victim" not in results["look"] + results["read"]
    assert ADDRESS not in results["secret"]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that is not protected."""
    with server(tmp_path_factory.mktemp("plain"), PREFECT_SERVER_CORS_ALLOWED_ORIGINS="*") as plain:
        yield plain


@pytest.mark.parametrize("origin", ["a page of another name", "a name that resolves to this machine"])
def test_the_same_page_has_its_way_with_an_unprotected_server(
    attack: Callable[..., dict[str, str]], origin: str, plain: Server
) -> None:
    """Or the test above would show nothing."""
    target = Target(plain.api, None, f"the victim of {origin}")
    seen: dict[str, Any] = {}

    def has_its_way() -> bool:  # not always at once: the server may say that its database is locked
        results = attack(target, origin, "127.0.0.1")
        seen.update(results | {"changes": target.changes()})
        read = [f"flow of {target.name}" in results[way] for way in ("look", "read")]
        opened = {results[way] for way in ("events", "old_events", "logs")}
        done = seen["changes"] == {"fetch", "untyped", "beacon", "delete"}
        return all(read) and ADDRESS in results["secret"] and opened == {"open"} and done

    until(has_its_way, "the page has done all of it", saw=lambda: seen)


def test_make_serve_refuses_to_work_with_an_unprotected_server(served: Machine, plain: Server) -> None:
    refused = served.command("flows.serve", PREFECT_API_URL=plain.api)
    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1].startswith(f"The Prefect server at {plain.api} obeys every web page: end it")


@pytest.mark.fault("the UI in a frame of another page", "the browser does not show it")
def test_a_frame(served: Machine, chromium: Any, elsewhere: int) -> None:
    page = new_page(chromium, ":".join(PASSWORD))
    page.goto(f"http://{NAMES[0]}:{elsewhere}/")
    with page.expect_console_message(lambda message: "frame-ancestors 'none'" in message.text):
        page.evaluate(
            "url => document.body.append(Object.assign(document.createElement('iframe'), {src: url}))", served.ui
        )
    page.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_ui_works_for_who_has_the_password(served: Machine, chromium: Any, host: str) -> None:
    page = new_page(chromium)
    page.goto(f"{served.ui.replace('127.0.0.1', host)}/deployments")
    page.get_by_role("textbox").fill("wrong")
    page.keyboard.press("Enter")
    page.get_by_text("Invalid credentials").first.wait_for()
    page.get_by_role("textbox").fill(":".join(PASSWORD))
    page.keyboard.press("Enter")
    page.get_by_text("nightly").first.wait_for()
    page.close()
