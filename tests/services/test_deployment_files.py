"""Files that no program of ours reads: docker-compose.yml, Dockerfile and .env.example, held to what the code says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from curation.demo.options import DemoOptions

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
READ = re.compile(r"""environment\.\w+\(\s*"([A-Z_]+)"|environ(?:\.get)?[\[(]"([A-Z_]+)"|named\(environ, "([A-Z_]+)\"""")


def variables_read() -> set[str]:
    """Names of the environment that the packages read."""
    files = [path for package in ("curation", "worker", "trainer") for path in (ROOT / package).rglob("*.py")]
    found = {name for path in files for match in READ.findall(path.read_text()) for name in match if name}
    demo = {f"DEMO_{name.upper()}" for name in DemoOptions.__dataclass_fields__ if name != "workers"}
    machines = {"CUDA_VISIBLE_DEVICES", "RANK", "WORLD_SIZE"}  # set by those who launch a process, not by who sets Whetstone up
    return (found | demo) - {"DJANGO_SETTINGS_MODULE", "SECRET_KEY_FILE", *machines}


def variables_of_compose() -> set[str]:
    return set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text())) - {"WHETSTONE_TAG"}


def variables_documented() -> set[str]:
    return set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))


def test_every_setting_is_in_the_example_and_no_other() -> None:
    assert variables_documented() == variables_read() | variables_of_compose()


def test_example_shows_the_demonstration_s_own_sizes() -> None:
    shown = dict(re.findall(r"^#DEMO_([A-Z]+(?:_[A-Z]+)?)=([\d.e-]+)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
    main = DemoOptions()
    sizes = {name.upper(): getattr(main, name) for name in DemoOptions.__dataclass_fields__ if name != "workers"}
    assert {name: float(value) for name, value in shown.items() if name != "EXIT"} == sizes


@pytest.mark.process
def test_compose_file_meets_its_specification() -> None:
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", "docker-compose.yml"]
    done = subprocess.run(check, check=False, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["migrate", "web", "worker", "worker-gpu"])
def test_containers_of_ours_wait_for_their_servers(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["depends_on"]["postgres"] == {"condition": "service_healthy"}
    if name != "migrate":
        assert service["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
        assert "healthcheck" in service


def test_no_secret_has_a_default() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    for secret in ("SECRET_KEY", "POSTGRES_PASSWORD"):
        assert set(re.findall(rf"\$\{{{secret}(.*?)\}}", text)) == {":?set it in .env"}


def test_gpu_worker_runs_only_in_its_profile() -> None:
    assert {name for name, service in COMPOSE["services"].items() if "profiles" in service} == {"worker-gpu"}


def test_images_are_stages_of_the_dockerfile_and_copy_what_exists() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    stages = set(re.findall(r"^FROM \S+ AS (\S+)", dockerfile, re.MULTILINE))
    assert {service["build"]["target"] for service in COMPOSE["services"].values() if "build" in service} == stages
    for sources in re.findall(r"^COPY (.+) \S+$", dockerfile, re.MULTILINE):
        for source in sources.split():
            assert (ROOT / source).exists(), source
