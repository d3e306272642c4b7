from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from api.app import create_app
from api.settings import ApiSettings
from sensors.kind import Kinds


@pytest.fixture
async def page(source: Any, kinds: Kinds, tmp_path: Path, bearer: dict[str, str]) -> None:
    (tmp_path / "js").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>Vigie</title>" + " " * 2000)
    (tmp_path / "js" / "app.js").write_text("export const x = 1;")
    (tmp_path / "secret.py").write_text("x = 1")
    app = create_app(source, kinds, settings=ApiSettings(page=tmp_path, language="en"))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://localhost", headers=bearer
    ) as client:
        yield client


async def test_the_page_is_asked_for_again_and_not_sent_again(page: httpx.AsyncClient) -> None:
    first = await page.get("/")
    again = await page.get("/", headers={"if-none-match": first.headers["etag"]})
    assert first.status_code == 200
    assert first.headers["content-type"] == "text/html; charset=utf-8"
    assert first.headers["cache-control"] == "no-cache"
    assert (again.status_code, again.content) == (304, b"")


async def test_modules_have_the_type_that_browsers_run(page: httpx.AsyncClient) -> None:
    headers = (await page.get("/js/app.js")).headers
    assert headers["content-type"] == "text/javascript; charset=utf-8"
    assert headers["x-content-type-options"] == "nosniff"
    assert "content-security-policy" not in headers  # of documents only, and a page has fifty modules
    assert "ratelimit-limit" not in headers


@pytest.mark.parametrize("path", ["/secret.py", "/../secret.py", "/js", "/js/", "/%2e%2e/secret.py", "/js/%00"])
async def test_only_the_files_of_the_page_are_served(page: httpx.AsyncClient, path: str) -> None:
    assert (await page.get(path)).status_code == 404


async def test_the_page_answers_head(page: httpx.AsyncClient) -> None:
    assert (await page.head("/")).status_code == 200


async def test_large_answers_are_compressed(page: httpx.AsyncClient) -> None:
    response = await page.get("/", headers={"accept-encoding": "gzip"})
    assert response.headers["content-encoding"] == "gzip"
    assert response.headers["vary"] == "Accept-Encoding"


async def test_the_page_is_told_its_language(page: httpx.AsyncClient) -> None:
    assert (await page.get("/v1/settings")).json() == {"title": "Vigie", "language": "en", "timezone": "Europe/Paris"}


async def test_the_coast_is_kept_by_browsers(client: httpx.AsyncClient) -> None:
    first = await client.get("/v1/geometry/coast")
    again = await client.get("/v1/geometry/coast", headers={"if-none-match": first.headers["etag"]})
    assert first.json()["type"] == "FeatureCollection"
    assert "max-age" in first.headers["cache-control"]
    assert again.status_code == 304


async def test_every_section_is_drawn_between_its_sites(client: httpx.AsyncClient, source: Any) -> None:
    features = (await client.get("/v1/geometry/sections")).json()["features"]
    assert len(features) == len(source.installed.sections)
    assert all(len(feature["geometry"]["coordinates"]) == 2 for feature in features)
