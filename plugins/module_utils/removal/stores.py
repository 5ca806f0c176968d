# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What the removal of images, objects, messages and logs meets, loses and keeps. Of each, one page is counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.sm2a.airflow.plugins.module_utils import ecr as ecr_api
from ansible_collections.sm2a.airflow.plugins.module_utils import sqs as sqs_api
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import call
from ansible_collections.sm2a.airflow.plugins.module_utils.removal.findings import Findings, counted, size
from ansible_collections.sm2a.airflow.plugins.module_utils.s3 import buckets as s3_api

Options = Mapping[str, Any]


def repository(ecr: Any, name: str, force: bool) -> Findings:
    """ECR deletes a repository that holds images only by force."""
    number, more = ecr_api.count_images(ecr, name)
    if not number:
        return Findings()
    images = counted(number, "image", more=more)
    lost = [f"{images[0].upper()}{images[1:]} in the repository {name}."]
    if force:
        return Findings(lost=lost)
    return Findings(
        obstacles=[f"The repository {name} holds {images}: set images_force_delete to true to lose them."], lost=lost
    )


def bucket(s3: Any, name: str, force: bool) -> Findings:
    """A bucket that is not empty is kept, unless it is emptied by force."""
    if not s3_api.bucket_exists(s3, name):
        return Findings()
    number, more = s3_api.count_versions(s3, name)
    if not number:
        return Findings()
    said = f"The bucket {name} with {counted(number, 'object', 'objects and old versions', more=more)}"
    if force:
        return Findings(lost=[f"{said}."])
    return Findings(kept=[f"{said}, as storage_force_destroy is false."])


def queues(sqs: Any, options: Options) -> Findings:
    """Messages go with their queue."""
    wanted = {key: str(value) for key, value in options["tags"].items()}
    lost = []
    for name in sqs_api.queue_names(sqs, options["name_prefix"]):
        read = sqs_api.read_queue(sqs, name)
        messages = sqs_api.message_count(read[0]) if read and wanted.items() <= read[1].items() else 0
        if messages:
            lost.append(f"{counted(messages, 'message')} in the queue {name}.")
    return Findings(lost=lost)


@call("list the log groups")
def _log_groups(logs: Any, prefix: str) -> list[dict[str, Any]]:
    pages = logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix)
    return [group for page in pages for group in page["logGroups"]]


def log_groups(logs: Any, prefix: str) -> Findings:
    """Logs go with their group; CloudWatch refuses to delete one that is protected."""
    groups = _log_groups(logs, prefix)
    if not groups:
        return Findings()
    stored = size(sum(group.get("storedBytes", 0) for group in groups))
    obstacles = [
        f"The log group {group['logGroupName']} is protected from deletion: switch that off in CloudWatch Logs."
        for group in groups
        if group.get("deletionProtectionEnabled")
    ]
    lost = [f"The logs in CloudWatch under {prefix}, {counted(len(groups), 'log group')} of {stored}."]
    return Findings(obstacles=obstacles, lost=lost)
