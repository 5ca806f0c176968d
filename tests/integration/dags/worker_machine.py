# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A DAG whose tasks use their worker as DAG authors do, and fail when it cannot do it. It needs no internet."""

import multiprocessing
import subprocess
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from airflow.sdk import dag, task


@dag(schedule=None)
def worker_machine() -> None:
    @task
    def home() -> None:
        """Tools keep caches and settings there."""
        folder = Path.home() / ".cache/tool"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "file").write_text("x")
        assert Path.home().stat().st_mode & 0o077 == 0
        assert Path("~airflow").expanduser() == Path.home()

    @task
    def character_sets() -> None:
        """Files of other systems."""
        for name in ("ISO-8859-1", "ISO-8859-15", "CP1252", "IBM850", "EBCDIC-INT", "UTF-16"):
            text = "cafe" if name == "EBCDIC-INT" else "café"
            there = subprocess.run(["iconv", "-t", name], input=text.encode(), capture_output=True, check=True).stdout
            back = subprocess.run(["iconv", "-f", name], input=there, capture_output=True, check=True).stdout
            assert back.decode() == text, name
        for name in ("EUC-JP", "SHIFT_JIS", "GB18030", "BIG5", "ISO-2022-JP"):
            subprocess.run(["iconv", "-t", name], input="日本".encode(), capture_output=True, check=True)

    @task
    def processes() -> None:
        """More than one processor."""
        with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork")) as executor:
            assert list(executor.map(abs, [-1, -2])) == [1, 2]

    @task
    def virtual_environments() -> None:
        """With Airflow's packages by uv, with pip by Python itself."""
        with TemporaryDirectory() as place:
            make = ["uv", "venv", "--python", "python", "--system-site-packages", f"{place}/uv"]
            subprocess.run(make, check=True)
            subprocess.run([f"{place}/uv/bin/python", "-c", "import jinja2, pendulum"], check=True)
            subprocess.run(["python", "-m", "venv", f"{place}/venv"], check=True)
            subprocess.run([f"{place}/venv/bin/pip", "--version"], check=True)

    @task.external_python(python="/opt/environments/old/bin/python", expect_airflow=False)
    def further_environment() -> None:
        """Made by the project, with another version of a package."""
        # The function runs in the other environment, which has nothing of this file.
        from importlib.metadata import version  # noqa: PLC0415

        assert version("cowsay") == "5.0"

    home()
    character_sets()
    processes()
    virtual_environments()
    further_environment()


worker_machine()
