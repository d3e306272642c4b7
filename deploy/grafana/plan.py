"""What a push would change: read from Grafana first, all of it, before anything is written.

Ours are the data source and the folder `vigie`, the dashboards of our uids, and in that folder dashboards with our tag
and prefix and alert rules with our label. Nothing else is looked at twice.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from deploy.grafana.client import Grafana, GrafanaError, Refused
from deploy.grafana.shipped import FOLDER_NAME, FOLDER_UID, GROUP, OWNER, SOURCE_UID, Shipped

Json = Mapping[str, Any]
_SOURCE = f"/api/datasources/uid/{SOURCE_UID}"
_FOLDER = f"/api/folders/{FOLDER_UID}"
_RULES = "/api/v1/provisioning/alert-rules"
_TYPES = {"postgres", "grafana-postgresql-datasource"}
"""The plugin's two names: Grafana may give back the other one."""
_ENCRYPTED = {"require", "verify-ca", "verify-full"}
_PORT = 5432


@dataclass(frozen=True, slots=True)
class Request:
    """One call that changes something."""

    method: str
    path: str
    body: Json | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """what: created, updated or removed. undo: what takes it back."""

    what: str
    thing: str
    do: Request
    undo: Request


async def plan(grafana: Grafana, wanted: Shipped, database_url: str) -> list[Change]:
    """Every change, in the order in which it is to be made: data source, folder, rules, dashboards.

    Raises `GrafanaError`, also for what Grafana has from a file: a push cannot change that.
    """
    found = [await _source(grafana, wanted, database_url), await _folder(grafana)]
    changes = [change for change in found if change is not None]
    changes += [change async for change in _rules(grafana, wanted.rules)]
    changes += [change async for change in _dashboards(grafana, wanted.dashboards)]
    return changes


async def healthy(grafana: Grafana) -> str:
    """Ask Grafana whether it reaches the database; what it says against it, empty where it does."""
    try:
        said = await grafana.call("GET", f"{_SOURCE}/health")
    except Refused as exc:
        return str(exc)
    return "" if said.get("status") == "OK" else str(said.get("message", "no reason given"))


def contains(theirs: object, ours: object) -> bool:
    """Whether what Grafana has is what we gave it; it adds fields of its own."""
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        return all(name in theirs and contains(theirs[name], value) for name, value in ours.items())
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(contains, theirs, ours))
    return ours == theirs


async def _source(grafana: Grafana, wanted: Shipped, database_url: str) -> Change | None:
    url = urlsplit(database_url)
    secret = {"secureJsonData": {"password": unquote(url.password or "")}}
    ours = _source_at(wanted.source, url)
    theirs = await grafana.find(_SOURCE)
    if theirs is None:
        made = Request("POST", "/api/datasources", {**ours, **secret})
        return Change("created", "data source Vigie", made, Request("DELETE", _SOURCE))
    same = theirs.get("type") in _TYPES and contains(theirs, {name: ours[name] for name in ours if name != "type"})
    # A password is never given back: that it still opens the database is what can be known.
    if same and not await healthy(grafana):
        return None
    if theirs.get("readOnly"):
        raise GrafanaError(f"{grafana.url} has the data source Vigie from a file: change it there")
    before = {name: value for name, value in theirs.items() if name not in {"id", "orgId", "version"}}
    return Change(
        "updated", "data source Vigie", Request("PUT", _SOURCE, {**ours, **secret}), Request("PUT", _SOURCE, before)
    )


def _source_at(source: Json, url: SplitResult) -> Json:
    """Fill in where the database is, and how it is spoken to: `?sslmode=` as PostgreSQL's URLs have it."""
    database = url.path.removeprefix("/")
    mode = dict(parse_qsl(url.query)).get("sslmode", "disable")
    options = {**source["jsonData"], "database": database, "sslmode": mode if mode in _ENCRYPTED else "disable"}
    place = {"url": f"{url.hostname}:{url.port or _PORT}", "user": unquote(url.username or ""), "database": database}
    return {**source, **place, "jsonData": options}


async def _folder(grafana: Grafana) -> Change | None:
    if await grafana.find(_FOLDER) is not None:
        return None  # its title is the port's own affair
    made = Request("POST", "/api/folders", {"uid": FOLDER_UID, "title": FOLDER_NAME})
    return Change("created", "folder Vigie", made, Request("DELETE", f"{_FOLDER}?forceDeleteRules=true"))


async def _rules(grafana: Grafana, wanted: Sequence[Json]) -> AsyncIterator[Change]:
    answer = await grafana.find(_RULES)
    if answer is None:
        return  # its alerting is switched off
    found = {rule["uid"]: rule for rule in answer}
    for rule in wanted:
        ours = {**rule, "orgID": 1, "folderUID": FOLDER_UID, "ruleGroup": GROUP}
        uid, theirs = rule["uid"], found.get(rule["uid"])
        if theirs is None:
            made = Request("POST", _RULES, ours)
            yield Change("created", f"alert rule {uid}", made, Request("DELETE", f"{_RULES}/{uid}"))
        elif not contains(theirs, {name: value for name, value in ours.items() if name != "orgID"}):
            _refuse_file(grafana, theirs.get("provenance") == "file", f"alert rule {uid}")
            path = f"{_RULES}/{uid}"
            yield Change("updated", f"alert rule {uid}", Request("PUT", path, ours), Request("PUT", path, theirs))
    kept = {rule["uid"] for rule in wanted}
    for uid, theirs in found.items():
        is_ours = theirs.get("folderUID") == FOLDER_UID and contains(theirs.get("labels") or {}, OWNER)
        if is_ours and uid not in kept and theirs.get("provenance") != "file":
            yield Change(
                "removed", f"alert rule {uid}", Request("DELETE", f"{_RULES}/{uid}"), Request("POST", _RULES, theirs)
            )


async def _dashboards(grafana: Grafana, wanted: Sequence[Json]) -> AsyncIterator[Change]:
    for ours in wanted:
        uid = ours["uid"]
        found = await grafana.find(f"/api/dashboards/uid/{uid}")
        if found is None:
            yield Change("created", f"dashboard {uid}", _save(ours, FOLDER_UID), _remove(uid))
        elif not contains(found["dashboard"], ours):
            _refuse_file(grafana, found["meta"].get("provisioned", False), f"dashboard {uid}")
            where = found["meta"].get("folderUid", "")  # who moved it had a reason
            yield Change("updated", f"dashboard {uid}", _save(ours, where), _save(found["dashboard"], where))
    kept = {ours["uid"] for ours in wanted}
    for hit in await grafana.call("GET", f"/api/search?type=dash-db&tag={OWNER['managed_by']}&limit=5000"):
        uid = hit["uid"]
        if hit.get("folderUid") == FOLDER_UID and uid.startswith("vigie-") and uid not in kept:
            found = await grafana.call("GET", f"/api/dashboards/uid/{uid}")
            if not found["meta"].get("provisioned", False):
                yield Change("removed", f"dashboard {uid}", _remove(uid), _save(found["dashboard"], FOLDER_UID))


def _save(dashboard: Json, folder: str) -> Request:
    model = {**dashboard, "id": None}
    model.pop("version", None)
    body = {"dashboard": model, "folderUid": folder, "overwrite": True, "message": "vigie grafana push"}
    return Request("POST", "/api/dashboards/db", body)


def _remove(uid: str) -> Request:
    return Request("DELETE", f"/api/dashboards/uid/{uid}")


def _refuse_file(grafana: Grafana, from_file: bool, thing: str) -> None:  # noqa: FBT001  the one question it asks
    if from_file:
        raise GrafanaError(f"{grafana.url} has {thing} from a file: update the files there, or stop mounting them")
