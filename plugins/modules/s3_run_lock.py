#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
---
module: s3_run_lock
version_added: 0.1.0
short_description: Hold a lock in S3 while a playbook runs
description:
  - Keeps two runs of playbooks apart. The lock is an object that S3 writes for one run only (conditional write); it
    names the run that holds it.
  - A lock is stale, and taken over, when it has expired, when the process that holds it ran on this very machine and
    runs no longer, or when it belongs to an earlier job of the same job template (O(allow_simultaneous)). Every other
    run is refused, with the name of the holder.
  - A run that is ended by a signal (SIGINT, SIGTERM, SIGKILL) gives the lock back as well, by a process beside
    ansible-playbook that waits for its end. When a whole container or machine is killed, nothing can give it back.
  - A run that holds the lock gets it again with a new expiry. The lock that this run no longer holds is left alone.
  - Taking and giving back the lock is no change, so that a second run still reports none; taking away somebody else's
    (O(force)) and deleting the bucket (O(delete_bucket)) are changes.
  - Has an action plugin of the same name, which says on whose behalf the module runs.
author:
  - SM2A contributors (@sm2a)
options:
  bucket:
    description: Bucket of the lock.
    type: str
    required: true
  require_bucket:
    description: With V(false), run without a lock where there is no bucket, as on the way to remove an environment.
    type: bool
    default: true
  key:
    description: Key of the lock's object.
    type: str
    default: run-lock.json
  timeout:
    description: Seconds after which the lock expires.
    type: int
    default: 7200
  force:
    description: With O(state=absent), also take away a lock that another run holds.
    type: bool
    default: false
  delete_bucket:
    description:
      - With O(state=absent), delete the bucket as well. It stays when another run holds the lock, or has just taken it.
    type: bool
    default: false
  allow_simultaneous:
    description:
      - The option of that name of the job template, when the playbook is a job of AWX or Automation Platform.
      - With V(false), a job takes over the lock of an earlier job of its template at once. The controller starts it
        when the earlier one has ended, which must have been cancelled in a way that left no time to give the lock back.
        V(false) in a template that does allow simultaneous jobs lets two of them change an environment at once.
    type: bool
    default: true
  run:
    description: The run of the playbook. The action plugin fills it in.
    type: dict
    default: {}
  watcher_directory:
    description:
      - A directory that lasts as long as the run, for the number of the process that waits for its end; without it
        there is no such process. The action plugin fills it in.
    type: path
  state:
    description: V(present) takes the lock, V(absent) gives it back.
attributes:
  action:
    description: An action plugin says which process of the controller the lock is for.
    support: partial
  check_mode:
    description:
      - Reads only. With O(state=present) it warns of a run that holds the lock, because predictions may be wrong.
    support: full
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - sm2a.airflow.attributes
  - sm2a.airflow.state
"""

EXAMPLES = r"""
- name: Take the lock
  sm2a.airflow.s3_run_lock:
    bucket: staging-run-lock-123456789012
    timeout: 3600

- name: Give it back
  sm2a.airflow.s3_run_lock:
    bucket: staging-run-lock-123456789012
    state: absent
"""

RETURN = r"""
lock:
  description: The lock after the task, in check mode as predicted; empty when nobody holds it.
  returned: success
  type: dict
  contains:
    user:
      description: User that runs the playbook.
      type: str
      returned: when somebody holds it
    host:
      description: Machine on which it runs.
      type: str
      returned: when somebody holds it
    pid:
      description: Process of ansible-playbook there.
      type: int
      returned: when somebody holds it
    playbook:
      description: Name of the playbook.
      type: str
      returned: when somebody holds it
    job:
      description:
        - The job of AWX or Automation Platform that the run is, as the controller's extra variables say (C(awx_job_id)
          and so on), each limited to one line of 100 characters.
        - V(null) outside of a controller.
      type: dict
      returned: when somebody holds it
      contains:
        id: {description: Number of the job., type: int, returned: always}
        user: {description: User who launched it., type: str, returned: always}
        template_id: {description: "Number of its job template, or 0.", type: int, returned: always}
        template: {description: Name of its job template., type: str, returned: always}
        workflow_id: {description: "Number of the workflow job that it is part of, or 0.", type: int, returned: always}
        controller:
          description: Address of the controller, from the environment variable C(AWX_HOST).
          type: str
          returned: always
        allow_simultaneous: {description: As the option., type: bool, returned: always}
    since:
      description: When the lock was taken, by the clock of S3.
      type: str
      returned: when somebody holds it
    until:
      description: When it expires.
      type: str
      returned: when somebody holds it
    description:
      description: All this in one line for people, with the address of the job.
      type: str
      returned: when somebody holds it
held:
  description: Whether this run holds the lock now.
  returned: success
  type: bool
previous:
  description: The lock that was given back, taken away or, because it was stale, taken over; as RV(lock).
  returned: success
  type: dict
"""

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import STATE_OPTION, client, exit_with
from ansible_collections.sm2a.airflow.plugins.module_utils.s3 import lock_watcher, run_lock
from ansible_collections.sm2a.airflow.plugins.module_utils.s3.buckets import bucket_exists, delete_bucket
from ansible_collections.sm2a.airflow.plugins.module_utils.s3.lock_holder import Holder, holder_from

Options = Mapping[str, Any]
HOW_TO_UNLOCK = (
    "Wait until it ends. If it has certainly ended already, release its lock: ansible-playbook playbooks/unlock.yml, "
    "with the same inventory and limit. sm2a_lock=false runs without a lock."
)


def wanted_members(options: Options) -> dict[str, Any]:
    """The members of a Holder, but for its id."""
    if not options["run"]:
        raise AnsibleAWSError(message="s3_run_lock must be called through its action plugin, which identifies the run")
    return {**options["run"], "timeout_seconds": options["timeout"]}


def this_holder(options: Options) -> Holder:
    """This run, as it would hold the lock."""
    return holder_from({**wanted_members(options), "id": ""})


def is_mine(lock: run_lock.Lock | None, options: Options) -> bool:
    """Whether this run holds the lock."""
    return lock is not None and lock.holder.same_process(this_holder(options))


def watcher_note(options: Options) -> Path | None:
    """Where the watcher of this lock is noted."""
    place = hashlib.sha256(f"{options['bucket']}/{options['key']}".encode()).hexdigest()[:16]
    directory = options["watcher_directory"]
    return Path(directory) / f"run-lock-{place}" if directory else None


def watch(module: AnsibleAWSModule, options: Options, lock: run_lock.Lock) -> None:
    """Have the lock given back when the run is ended by a signal."""

    def give_back() -> None:
        # The connections of the former client went with the fork.
        s3 = client(module, "s3")
        with suppress(AnsibleAWSError):
            run_lock.delete(s3, options["bucket"], options["key"], lock)

    if note := watcher_note(options):
        lock_watcher.start(note, lock.holder.pid, lock.holder.process_start, give_back)


def result(
    lock: run_lock.Lock | None, previous: run_lock.Lock | None = None, *, held: bool = False, changed: bool = False
) -> dict[str, Any]:
    """What the module returns."""
    views = [one.view() if one else {} for one in (previous, lock)]
    diff = {"before": views[0], "after": views[1]} if changed else {"before": {}, "after": {}}
    return {"changed": changed, "diff": diff, "lock": views[1], "previous": views[0], "held": held}


def ensure_held(module: AnsibleAWSModule, s3: Any, options: Options) -> dict[str, Any]:
    """Take the lock; in check mode look at it only."""
    bucket, key = options["bucket"], options["key"]
    if module.check_mode or not (options["require_bucket"] or bucket_exists(s3, bucket)):
        lock = run_lock.read(s3, bucket, key)
        if lock and not is_mine(lock, options) and not lock.why_stale(this_holder(options)):
            module.warn(f"Another run is changing this environment, so the predicted changes may be wrong: {lock}")
        return result(lock)
    try:
        lock, replaced = run_lock.acquire(s3, bucket, key, wanted_members(options))
    except AnsibleAWSError as error:
        raise error if error.exception else AnsibleAWSError(message=f"{error.message}. {HOW_TO_UNLOCK}") from error
    if replaced:
        module.warn(f"Took over the run lock of {replaced}, because {replaced.why_stale(lock.holder)}")
    watch(module, options, lock)
    return result(lock, replaced, held=True)


def ensure_given_back(module: AnsibleAWSModule, s3: Any, options: Options) -> dict[str, Any]:
    """Release the lock, or take it from its holder, and delete the bucket on request."""
    bucket, key = options["bucket"], options["key"]
    lock = run_lock.read(s3, bucket, key)
    foreign = lock is not None and not is_mine(lock, options)
    if lock and foreign and not options["force"]:
        module.warn(f"The run lock was not released, because it belongs to another run: {lock}")
        return result(lock)
    if not module.check_mode and (note := watcher_note(options)):
        lock_watcher.stop(note)
    if options["delete_bucket"] and bucket_exists(s3, bucket):
        gone = module.check_mode or delete_all(s3, bucket, key, lock)
        removed = result(None, lock, changed=gone or foreign)
        # In check mode no lock was taken, which would go with the bucket.
        return {**removed, "diff": {"before": {"bucket": bucket}, "after": {}}} if gone else removed
    if lock and not module.check_mode:
        run_lock.delete(s3, bucket, key, lock)
    return result(None, lock, changed=foreign)


def delete_all(s3: Any, bucket: str, key: str, lock: run_lock.Lock | None) -> bool:
    """Whether the bucket could be deleted: it stays when somebody takes the lock in the meantime."""
    if lock:
        run_lock.delete(s3, bucket, key, lock)
    run_lock.delete_old_versions(s3, bucket)
    return bool(delete_bucket(s3, bucket))


def main() -> None:
    """Take or give back the lock."""
    module = AnsibleAWSModule(
        argument_spec={
            **run_lock.PLACE_OPTIONS,
            "require_bucket": {"type": "bool", "default": True},
            "timeout": {"type": "int", "default": 7200},
            "allow_simultaneous": {"type": "bool", "default": True},
            "watcher_directory": {"type": "path"},
            "force": {"type": "bool", "default": False},
            "delete_bucket": {"type": "bool", "default": False},
            "run": {"type": "dict", "default": {}},
            **STATE_OPTION,
        },
        supports_check_mode=True,
    )
    ensure = ensure_held if module.params["state"] == "present" else ensure_given_back
    s3 = client(module, "s3")
    exit_with(module, lambda: ensure(module, s3, module.params))


if __name__ == "__main__":
    main()
