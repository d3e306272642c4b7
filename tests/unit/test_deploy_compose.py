"""deploy/compose.yaml and what it mounts, as far as that can be known without an engine."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from compose_spec import PyCompose

from deploy.container.secrets import make_secrets
from deploy.embedded import broker
from service.arguments import COMMANDS
from service.settings import load_settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
TEXT = (DEPLOY / "compose.yaml").read_text("utf-8")


def parsed() -> PyCompose:
    """The file as the Compose Specification reads it, the host's own variables at their defaults."""
    return PyCompose.from_yaml(re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", TEXT))


FILE: dict[str, Any] = parsed().to_dict()
SERVICES: dict[str, dict[str, Any]] = FILE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("vigie:")}


def mounts() -> Iterator[tuple[str, str]]:
    for name, service in SERVICES.items():
        for volume in service.get("volumes", []):
            source = volume if isinstance(volume, str) else str(volume["source"])
            yield name, source.split(":")[0]


def test_the_file_is_what_the_compose_specification_allows() -> None:
    parsed().validate()


def test_a_word_that_compose_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="reed_only"):
        PyCompose.from_yaml(TEXT.replace("read_only", "reed_only"))


@pytest.mark.parametrize("name", OURS)
def test_every_variable_of_ours_is_a_setting_with_a_value_that_it_takes(name: str, tmp_path: Path) -> None:
    environ = dict(OURS[name]["environment"])
    for variable, value in environ.items():
        if str(value).startswith("/run/secrets/"):
            secret = tmp_path / Path(value).name
            secret.write_text("mqtts://user:password@broker:8883")
            environ[variable] = str(secret)
    settings = load_settings(environ)
    assert {"database_url"} <= {field for field in settings.__struct_fields__ if getattr(settings, field)}


@pytest.mark.parametrize("name", OURS)
def test_every_command_of_ours_exists(name: str) -> None:
    assert OURS[name]["command"][0] in {command.name for command in COMMANDS}


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_has_a_pinned_image_a_read_only_root_no_rights_and_limits(name: str) -> None:
    service = SERVICES[name]
    assert re.fullmatch(r"[\w./-]+:v?\d+\.\d+\.\d+[\w.-]*", service["image"])
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert {"cpus", "memory", "pids"} <= service["deploy"]["resources"]["limits"].keys()
    assert service["logging"]["options"]["max-size"]


def test_what_stays_up_says_whether_it_works_and_begins_after_the_migration() -> None:
    lasting = {name for name, service in SERVICES.items() if service.get("restart") == "unless-stopped"}
    assert lasting >= {"database", "broker", "ingest", "analyse", "serve", "grafana"}
    assert {name for name in lasting if "healthcheck" not in SERVICES[name]} == {"simulators"}  # it talks to nobody
    for name in lasting & OURS.keys():
        assert OURS[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"


def test_no_secret_stands_in_the_file_and_each_is_made_by_init(tmp_path: Path) -> None:
    for service in SERVICES.values():
        for variable, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|TOKEN|URL", variable):
                assert variable.endswith("_FILE"), variable
                assert Path(value).parent == Path("/run/secrets")
                assert Path(value).name in service["secrets"]
    made = make_secrets(tmp_path / "secrets", ["broker"])
    wanted = {Path(secret["file"]).name for secret in FILE["secrets"].values()}
    assert {secret["file"] for secret in FILE["secrets"].values()} == {f"./secrets/{name}" for name in wanted}
    assert wanted <= set(made)
    assert set(FILE["secrets"]) == {secret for service in SERVICES.values() for secret in service.get("secrets", [])}


def test_what_is_mounted_from_the_project_is_there() -> None:
    for _, source in mounts():
        if source.startswith("./") and source != "./backups":
            assert (DEPLOY / source).exists(), source


def test_the_page_grafana_and_prometheus_listen_on_loopback_unless_somebody_says_so() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    for name, ports in published.items():
        assert ports
        if name != "broker":
            assert all(str(port).startswith("127.0.0.1:") for port in ports), name


def test_secrets_are_made_once_differ_and_open_the_door(tmp_path: Path) -> None:
    folder, other = tmp_path / "secrets", tmp_path / "other"
    made = make_secrets(folder, ["broker", "192.0.2.7"])
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert set(made) == set(before)
    assert make_secrets(folder, ["broker"]) == []
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before
    make_secrets(other, ["broker"])
    assert not {name for name in before if (other / name).read_bytes() == before[name]}
    assert folder.stat().st_mode & 0o077 == 0
    user, _, digest = before["broker_passwords"].decode().splitlines()[1].partition(":")
    salt = base64.b64decode(digest.split("$")[3])
    password = before["broker_sensors_password"].decode().strip()
    assert broker.password_line(user, password, salt).strip() == f"sensors:{digest}"


def test_a_lost_secret_is_made_anew_and_the_certificate_on_demand(tmp_path: Path) -> None:
    init = [str(DEPLOY / "init"), "--folder", str(tmp_path / "secrets")]

    def run(*options: str) -> str:
        done = subprocess.run(
            [*init, *options],
            capture_output=True,
            text=True,
            check=True,
            env={"PATH": _path(), "PYTHON": sys.executable},
        )
        return done.stdout

    assert "broker_certificate" in run("--name", "port.example")
    assert "nothing changed" in run()
    assert run("--renew").rstrip().endswith("made broker_key, broker_certificate")
    (tmp_path / "secrets" / "grafana_password").unlink()
    assert run().rstrip().endswith("made grafana_password")


def _path() -> str:
    found = shutil.which("openssl")
    assert found is not None
    return f"{Path(found).parent}:/usr/bin:/bin"


def test_the_brokers_limits_are_those_of_the_embedded_one() -> None:
    def directives(text: str) -> dict[str, str]:
        lines = (line.partition(" ") for line in text.splitlines() if line and not line.startswith("#"))
        return {name: value for name, _, value in lines if not name.startswith("log_")}

    embedded = directives(broker.configuration(Path("/data"), 1))
    shipped = directives((DEPLOY / "container" / "mosquitto.conf").read_text())
    places = {"listener", "password_file", "persistence_location"}
    assert {name: shipped.get(name) for name in embedded.keys() - places} == {
        name: embedded[name] for name in embedded.keys() - places
    }
    assert shipped["allow_anonymous"] == "false"


def test_the_image_has_what_is_shipped_and_nothing_else() -> None:
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    ignore = (ROOT / ".dockerignore").read_text().splitlines()
    let_in = {line[1:] for line in ignore if line.startswith("!")}
    assert "*" in ignore
    assert let_in == {"requirements.lock", "pyproject.toml", "README.md", "LICENSE", *packages["packages"]}
    assert "deploy/secrets" in ignore


def test_the_dockerfile_is_as_hadolint_wants_it_and_its_image_is_nobody() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, DEPLOY / "Dockerfile"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    text = (DEPLOY / "Dockerfile").read_text()
    assert text.count("\nFROM ") == 2
    assert "--require-hashes" in text
    assert re.findall(r"^USER (.*)$", text, flags=re.MULTILINE) == ["10001:10001"]
