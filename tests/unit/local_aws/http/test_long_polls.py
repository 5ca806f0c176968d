# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A message goes to a client that is still there."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

POLL = """
import boto3, sys
print("polling", flush=True)
client = boto3.client("sqs", endpoint_url=sys.argv[1], region_name="eu-west-1", aws_access_key_id="test",
                      aws_secret_access_key="test")
client.receive_message(QueueUrl=sys.argv[2], WaitTimeSeconds=20)
"""


def test_poll_of_a_killed_client_takes_no_message(control_plane: Any) -> None:
    sqs = control_plane.client("sqs")
    url = sqs.create_queue(QueueName="left-behind")["QueueUrl"]
    endpoint = f"http://127.0.0.1:{control_plane.port}"
    with subprocess.Popen([sys.executable, "-c", POLL, endpoint, url], stdout=subprocess.PIPE) as client:
        assert client.stdout is not None
        client.stdout.readline()
        # Long enough for the request to arrive; the poll itself would last 20 seconds.
        time.sleep(3)
        assert client.poll() is None
        client.kill()
    time.sleep(0.5)
    sqs.send_message(QueueUrl=url, MessageBody="work")
    time.sleep(0.5)
    assert [each["Body"] for each in sqs.receive_message(QueueUrl=url).get("Messages", [])] == ["work"]


def test_long_poll_still_waits_for_a_message(control_plane: Any) -> None:
    sqs = control_plane.client("sqs")
    url = sqs.create_queue(QueueName="waited-for")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="later", DelaySeconds=1)
    assert [each["Body"] for each in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=10)["Messages"]] == ["later"]
