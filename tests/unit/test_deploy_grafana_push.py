"""A push against a server that gives the answers which Grafana's HTTP API documents."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from deploy.grafana.client import Grafana, GrafanaError
from deploy.grafana.push import push
from deploy.grafana.shipped import Shipped, shipped
from service.cli import main

TOKEN = "glsa_of-a-service-account"
READER = "postgresql://vigie_grafana:sesame@db.port.example:5432/vigie"
Answer = tuple[int, Any]


@dataclass
class Contract:
    """What Grafana keeps, and its answers as its documentation has them. forbidden: paths not to be written."""

    version: str = "12.0.2"
    password: str = "sesame"
    forbidden: str = "nothing"
    alerting: bool = True
    sources: dict[str, dict[str, Any]] = field(default_factory=dict)
    folders: dict[str, dict[str, Any]] = field(default_factory=dict)
    dashboards: dict[str, dict[str, Any]] = field(default_factory=dict)
    rules: dict[str, dict[str, Any]] = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)
    number: int = 0

    def state(self) -> str:
        return json.dumps(
            [self.sources, self.folders, {u: d["dashboard"] for u, d in self.dashboards.items()}, self.rules]
        )

    def answer(self, method: str, path: str, token: str, body: Any) -> Answer:
        if path == "/api/health":
            return 200, {"commit": "087143285", "database": "ok", "version": self.version}
        if token != f"Bearer {TOKEN}":
            return 401, {"message": "Invalid API key"}
        if method != "GET":
            self.writes.append(f"{method} {path}")
            if re.search(self.forbidden, path):
                needed = "Permissions needed: any of alert.rules:write"
                return 403, {"message": f"You'll need additional permissions to perform this action. {needed}"}
        for pattern, handler in self.routes():
            if match := re.fullmatch(pattern, path.partition("?")[0]):
                return handler(method, path, body, *match.groups())
        return 404, {"message": "Not found"}

    def routes(self) -> list[tuple[str, Callable[..., Answer]]]:
        return [
            (r"/api/datasources(?:/uid/([^/]+))?", self.source),
            (r"/api/datasources/uid/([^/]+)/health", self.health),
            (r"/api/folders(?:/([^/]+))?", self.folder),
            (r"/api/dashboards/(?:db|uid/([^/]+))", self.dashboard),
            (r"/api/search", self.search),
            (r"/api/v1/provisioning/alert-rules(?:/([^/]+))?", self.rule),
        ]

    def source(self, method: str, _: str, body: Any, uid: str | None) -> Answer:
        if method in {"GET", "DELETE"}:
            if uid not in self.sources:
                return 404, {"message": "Data source not found"}
            kept = self.sources[uid] if method == "GET" else self.sources.pop(uid)
            shown = {name: value for name, value in kept.items() if name != "secureJsonData"}
            return 200, {**shown, "id": 1, "orgId": 1, "secureJsonFields": {"password": True}, "readOnly": False}
        secret = body.get("secureJsonData") or self.sources.get(uid or "", {}).get("secureJsonData")
        self.sources[body["uid"]] = {**body, "type": "grafana-postgresql-datasource", "secureJsonData": secret}
        return 200, {"datasource": body, "id": 1, "message": "Datasource added", "name": body["name"]}

    def health(self, _method: str, _path: str, _body: Any, uid: str) -> Answer:
        if self.sources[uid]["secureJsonData"] == {"password": self.password}:
            return 200, {"message": "Database Connection OK", "status": "OK"}
        return 400, {"message": "password authentication failed for user vigie_grafana", "status": "ERROR"}

    def folder(self, method: str, _: str, body: Any, uid: str | None) -> Answer:
        if method == "POST":
            self.folders[body["uid"]] = body
            return 200, {"id": 1, "uid": body["uid"], "title": body["title"], "version": 1}
        if uid not in self.folders:
            return 404, {"message": "folder not found", "status": "not-found"}
        return 200, self.folders[uid] if method == "GET" else self.folders.pop(uid)

    def dashboard(self, method: str, _: str, body: Any, uid: str | None) -> Answer:
        if method == "POST":
            self.number += 1
            model = {**body["dashboard"], "id": self.number, "version": self.number}
            self.dashboards[model["uid"]] = {
                "dashboard": model,
                "meta": {"folderUid": body["folderUid"], "provisioned": False},
            }
            return 200, {"id": self.number, "uid": model["uid"], "status": "success", "version": self.number}
        if uid not in self.dashboards:
            return 404, {"message": "Dashboard not found"}
        return 200, self.dashboards[uid] if method == "GET" else {
            "title": self.dashboards.pop(uid)["dashboard"]["title"]
        }

    def search(self, _method: str, _path: str, _body: Any) -> Answer:
        tagged = [one for one in self.dashboards.values() if "vigie" in one["dashboard"].get("tags", [])]
        return 200, [{"uid": one["dashboard"]["uid"], "folderUid": one["meta"]["folderUid"]} for one in tagged]

    def rule(self, method: str, _: str, body: Any, uid: str | None) -> Answer:
        if not self.alerting:
            return 404, {"message": "Not found"}
        if method == "GET":
            return 200, list(self.rules.values())
        if method == "DELETE":
            self.rules.pop(str(uid))
            return 204, None
        self.rules[body["uid"]] = {**body, "id": 1, "updated": "2026-03-02T08:00:00Z"}
        return 201 if method == "POST" else 200, body


class Served:
    def __init__(self) -> None:
        self.contract = contract = Contract()

        class Handler(BaseHTTPRequestHandler):
            def do_any(self) -> None:
                size = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(size)) if size else None
                assert self.headers["X-Disable-Provenance"] == "true"
                status, answer = contract.answer(self.command, self.path, self.headers["Authorization"], body)
                content = b"" if answer is None else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_DELETE = do_any  # noqa: N815  the names that http.server asks for

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})

    def push(self, *, token: str = TOKEN, wanted: Shipped | None = None, dry_run: bool = False) -> list[str]:
        said: list[str] = []

        async def run() -> None:
            async with Grafana(self.url, token) as grafana:
                await push(grafana, wanted or shipped("fr"), READER, dry_run=dry_run, say=said.append)

        asyncio.run(run())
        return said


@pytest.fixture
def grafana() -> Iterator[Served]:
    served = Served()
    served.thread.start()
    yield served
    served.server.shutdown()
    served.thread.join()
    served.server.server_close()


def test_a_push_brings_everything_and_a_second_one_changes_nothing(grafana: Served) -> None:
    said = grafana.push()
    assert said[:2] == ["created: data source Vigie", "created: folder Vigie"]
    assert len(said) == 2 + 4 + 6
    assert all(one["meta"]["folderUid"] == "vigie" for one in grafana.contract.dashboards.values())
    source = grafana.contract.sources["vigie"]
    assert (source["url"], source["user"], source["jsonData"]["database"]) == (
        "db.port.example:5432",
        "vigie_grafana",
        "vigie",
    )
    grafana.contract.writes.clear()
    assert grafana.push() == ["nothing to change"]
    assert grafana.contract.writes == []


def test_a_grafana_whose_alerting_is_switched_off_gets_the_rest(grafana: Served) -> None:
    grafana.contract.alerting = False
    assert len(grafana.push()) == 2 + 6
    assert grafana.push() == ["nothing to change"]


def test_a_dry_run_says_what_would_change_and_writes_nothing(grafana: Served) -> None:
    said = grafana.push(dry_run=True)
    assert said[0] == "would be created: data source Vigie"
    assert grafana.contract.writes == []


def test_what_was_changed_in_grafana_is_taken_back_and_what_was_moved_stays_where_it_is(grafana: Served) -> None:
    grafana.push()
    road = grafana.contract.dashboards["vigie-road"]
    road["dashboard"]["title"], road["meta"]["folderUid"] = "Mine", "elsewhere"
    grafana.contract.rules["vigie-no-readings"]["for"] = "1h"
    assert grafana.push() == ["updated: alert rule vigie-no-readings", "updated: dashboard vigie-road"]
    road = grafana.contract.dashboards["vigie-road"]
    assert (road["dashboard"]["title"], road["meta"]["folderUid"]) == ("Vigie – Route", "elsewhere")


def test_what_is_no_longer_ours_goes_and_what_is_others_stays(grafana: Served) -> None:
    grafana.push()
    kept = grafana.contract

    def other(uid: str, folder: str, tags: list[str]) -> None:
        kept.dashboards[uid] = {"dashboard": {"uid": uid, "title": uid, "tags": tags}, "meta": {"folderUid": folder}}

    other("vigie-old", "vigie", ["vigie"])
    other("a-copy", "vigie", ["vigie"])
    other("vigie-elsewhere", "elsewhere", ["vigie"])
    other("vigie-untagged", "vigie", [])
    theirs = {"uid": "theirs", "folderUID": "vigie", "labels": {"team": "it"}}
    kept.rules |= {"theirs": theirs, "vigie-old": {**theirs, "uid": "vigie-old", "labels": {"managed_by": "vigie"}}}
    assert grafana.push() == ["removed: alert rule vigie-old", "removed: dashboard vigie-old"]
    assert {"a-copy", "vigie-elsewhere", "vigie-untagged"} <= kept.dashboards.keys()
    assert "theirs" in kept.rules


def test_a_changed_password_of_the_database_is_brought_too(grafana: Served) -> None:
    grafana.push()
    grafana.contract.sources["vigie"]["secureJsonData"] = {"password": "an older one"}
    assert grafana.push() == ["updated: data source Vigie"]
    assert grafana.push() == ["nothing to change"]


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"version": "9.3.16"}, r"is Grafana 9\.3\.16: the dashboards need 9\.4 or newer"),
        ({"version": ""}, r"is no Grafana: /api/health answered 200 without a version"),
        (
            {"forbidden": "alert-rules"},
            r"does not let the token POST .*alert\.rules:write.*role Admin; nothing was changed",
        ),
        ({"forbidden": "dashboards"}, r"does not let the token POST /api/dashboards/db .*; nothing was changed"),
        (
            {"password": "another"},
            r"does not reach the database: .*password authentication failed.*; nothing was changed",
        ),
    ],
)
def test_a_push_that_is_refused_says_one_line_and_leaves_nothing_behind(
    grafana: Served, broken: dict[str, str], message: str
) -> None:
    before = grafana.contract.state()
    for name, value in broken.items():
        setattr(grafana.contract, name, value)
    with pytest.raises(GrafanaError, match=message) as refused:
        grafana.push()
    assert "\n" not in str(refused.value)
    assert grafana.contract.state() == before


def test_a_push_that_is_refused_puts_back_what_was_there_before(grafana: Served) -> None:
    grafana.push()
    grafana.contract.rules["vigie-no-readings"]["for"] = "1h"
    grafana.contract.dashboards["vigie-road"]["dashboard"]["title"] = "Mine"
    grafana.contract.forbidden = "dashboards"
    with pytest.raises(GrafanaError, match="nothing was changed"):
        grafana.push()
    assert grafana.contract.rules["vigie-no-readings"]["for"] == "1h"


def test_a_wrong_token_and_a_server_that_is_not_there_are_told_in_one_line(grafana: Served) -> None:
    with pytest.raises(GrafanaError, match="does not know the token"):
        grafana.push(token="wrong")
    assert grafana.contract.writes == []
    grafana.url = "http://127.0.0.1:1"
    with pytest.raises(GrafanaError, match=r"cannot reach Grafana at http://127\.0\.0\.1:1"):
        grafana.push()
    grafana.url = "grafana.example"
    with pytest.raises(GrafanaError, match="is no address of a Grafana"):
        grafana.push()


def test_what_grafana_has_from_a_file_is_not_pushed_over(grafana: Served) -> None:
    grafana.push()
    road = grafana.contract.dashboards["vigie-road"]
    road["dashboard"]["title"], road["meta"]["provisioned"] = "Of a file", True
    grafana.contract.writes.clear()
    with pytest.raises(GrafanaError, match="has dashboard vigie-road from a file"):
        grafana.push()
    assert grafana.contract.writes == []


def test_the_command_pushes_with_the_token_and_the_page_of_the_settings(
    grafana: Served, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VIGIE_GRAFANA_TOKEN", TOKEN)
    monkeypatch.setenv("VIGIE_GRAFANA_DATABASE_URL", READER)
    arguments = ["grafana", "push", "--url", grafana.url, "--language", "en", "--page", "https://vigie.port.example/"]
    assert main(arguments) == 0
    assert "created: dashboard vigie-port" in capsys.readouterr().out
    model = grafana.contract.dashboards["vigie-port"]["dashboard"]
    assert model["title"] == "Vigie – Port overview"
    page = next(variable for variable in model["templating"]["list"] if variable["name"] == "page")
    assert page["query"] == "https://vigie.port.example"
    monkeypatch.delenv("VIGIE_GRAFANA_TOKEN")
    assert main(arguments) == 1
    assert "Grafana wants a token" in capsys.readouterr().err
