#!/usr/bin/python
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A module that ends in a bad way, leaves something behind, or tells where it runs.

``do`` is one of DEEDS; ``secret`` must not be seen; a sleeper writes its process id to ``file``.
"""

from __future__ import annotations

import atexit
import importlib
import logging
import os
import signal
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.sm2a.airflow.plugins.module_utils.common.waiters import wait_until


def surroundings(module: AnsibleModule) -> dict[str, Any]:
    """Everything that a module before may have changed."""
    boto3 = importlib.import_module("boto3")
    umask = os.umask(0)
    os.umask(umask)
    credentials = boto3.Session().get_credentials()
    return {
        "forked": "ansible.executor.task_executor" in sys.modules,
        "environment": {key: os.environ[key] for key in sorted(os.environ) if key.startswith(("AWS_", "PROBE", "LC_"))},
        "directory": str(Path.cwd()),
        "umask": umask,
        "handlers": [str(signal.getsignal(number)) for number in (signal.SIGTERM, signal.SIGALRM)],
        "interrupt": signal.getsignal(signal.SIGINT) is signal.default_int_handler,
        "alarm": signal.getitimer(signal.ITIMER_REAL)[0] > 0,
        "logging": [logging.root.level, len(logging.root.handlers), logging.getLogger("botocore").level],
        "input": sys.stdin.read(),
        "session": boto3.DEFAULT_SESSION is None,
        "key": credentials.access_key if credentials else None,
        "region": boto3.Session().region_name,
        "hour": time.localtime(0).tm_hour,
        "check_mode": module.check_mode,
        "script": __name__,
        "temporary": str(Path(module.tmpdir).parent.name).startswith("ansible-tmp") or Path(module.tmpdir).is_dir(),
    }


def change(module: AnsibleModule) -> None:
    """Change whatever can be changed."""
    boto3 = importlib.import_module("boto3")
    os.environ.update(PROBE="left behind", AWS_ACCESS_KEY_ID="left-behind", TZ="Asia/Tokyo")
    time.tzset()
    os.chdir("/")
    os.umask(0o777)
    for number in (signal.SIGTERM, signal.SIGALRM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    logging.root.setLevel(logging.DEBUG)
    logging.getLogger("botocore").setLevel(logging.DEBUG)
    logging.root.addHandler(logging.NullHandler())
    boto3.setup_default_session(aws_access_key_id="left-behind", aws_secret_access_key="x", region_name="left-behind")
    module.no_log_values.add("umask")
    module.warn("This is left behind")
    module.exit_json(changed=True)


def sleep(module: AnsibleModule) -> None:
    """Work for longer than the task may."""
    if module.params["file"]:
        Path(module.params["file"]).write_text(str(os.getpid()), encoding="utf-8")
    time.sleep(4)
    module.exit_json()


def wait(module: AnsibleModule) -> None:
    """Wait for something that takes three seconds, and say so."""
    begin = time.monotonic()
    wait_until(lambda: time.monotonic() > begin + 3, 1, 60, lambda: "the probe is\ncreating")
    module.exit_json()


def fail(_module: AnsibleModule) -> None:
    raise ValueError("not caught")


def nothing(_module: AnsibleModule) -> None:
    """Return without a result."""


def leave(_module: AnsibleModule) -> None:
    sys.exit(3)


def leave_at_once(_module: AnsibleModule) -> None:
    os._exit(4)


def crash(_module: AnsibleModule) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def make_noise(module: AnsibleModule) -> None:
    """Say things on all channels, before and after the result."""
    print("a library says something")
    print("and complains", file=sys.stderr)
    warnings.warn("a warning of Python", stacklevel=1)
    logging.getLogger("botocore").info("found the secret")
    logging.getLogger("botocore").warning("a warning of botocore")
    atexit.register(print, "and something at the end")
    module.exit_json(said="Grüße, \u4e16\u754c \udce4")


def warn(module: AnsibleModule) -> None:
    module.warn("mind this")
    module.deprecate("do it otherwise", version="9.0.0", collection_name="sm2a.testing")
    module.exit_json(warned=True)


def tell_secret(module: AnsibleModule) -> None:
    module.exit_json(said=f"the secret is {module.params['secret']}", parts=[{"value": module.params["secret"]}])


def return_much(module: AnsibleModule) -> None:
    module.exit_json(much="x" * 300_000, results={"not": "a list"}, stdout="a\nb", ansible_facts={"fact": 1})


DEEDS: dict[str, Callable[[AnsibleModule], None]] = {
    "look": lambda module: module.exit_json(**surroundings(module)),
    "measure": lambda module: module.exit_json(length=len(os.environ["PROBE"])),
    "change": change,
    "sleep": sleep,
    "wait": wait,
    "fail": fail,
    "nothing": nothing,
    "leave": leave,
    "leave at once": leave_at_once,
    "crash": crash,
    "make noise": make_noise,
    "warn": warn,
    "tell secret": tell_secret,
    "return much": return_much,
}


def main() -> None:
    """Do it."""
    options = {
        "do": {"type": "str", "required": True, "choices": list(DEEDS)},
        "secret": {"type": "str", "no_log": True},
        "file": {"type": "path"},
    }
    module = AnsibleModule(options, supports_check_mode=True)
    DEEDS[module.params["do"]](module)


if __name__ == "__main__":
    main()
