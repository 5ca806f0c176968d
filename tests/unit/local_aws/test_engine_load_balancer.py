# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A load balancer in front of real containers: TLS on its own port, health, sessions, redirects."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.support.ports import free_port
from cryptography import x509

CLUSTER = "tests"
SUBNETS = ["subnet-1", "subnet-2"]

# Answers with its host name, the request and the size of the body; POST /sick makes its health check fail.
WEB_SERVER = r"""
use IO::Socket::INET;
chomp(my $name = `hostname`);
my $server = IO::Socket::INET->new(LocalPort => 8080, Listen => 50, ReuseAddr => 1) or die;
my $sick = 0;
while (my $client = $server->accept) {
    my ($request, $length) = ("", 0);
    while (defined(my $line = <$client>)) {
        last if $line =~ /^\r?\n$/;
        $length = $1 if $line =~ /^content-length: *(\d+)/i;
        $request .= $line;
    }
    read($client, my $body, $length) if $length;
    $sick = 1 if $request =~ m{^POST /sick};
    my $status = $sick && $request =~ m{^GET /health} ? "500 Sick" : "200 OK";
    my $answer = "$name\n" . $request . "body=$length\n";
    print $client "HTTP/1.1 $status\r\nContent-Length: " . length($answer) . "\r\nConnection: close\r\n\r\n$answer";
    close $client;
}
"""

pytestmark = pytest.mark.engine


@dataclass
class Site:
    """A service behind a load balancer with an HTTPS and an HTTP listener."""

    local_aws: Any
    load_balancer: str
    target_group: str
    https_port: int
    http_port: int

    def request(
        self, method: str = "GET", path: str = "/", body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, str, str]:
        """(status, Set-Cookie, text) of a request to the HTTPS listener."""
        context = ssl._create_unverified_context()  # noqa: S323
        connection = http.client.HTTPSConnection("127.0.0.1", self.https_port, context=context, timeout=30)
        host = {"Host": f"airflow.test:{self.https_port}"}
        connection.request(method, path, body, {**host, **(headers or {})})
        response = connection.getresponse()
        return response.status, response.getheader("Set-Cookie") or "", response.read().decode()

    def states(self) -> list[str]:
        answer = self.local_aws.client("elbv2").describe_target_health(TargetGroupArn=self.target_group)
        return [item["TargetHealth"]["State"] for item in answer["TargetHealthDescriptions"]]


@pytest.fixture(scope="module")
def site(local_aws: Any) -> Iterator[Site]:
    elb, acm = local_aws.client("elbv2"), local_aws.client("acm")
    first, second = (acm.request_certificate(DomainName=name)["CertificateArn"] for name in ("airflow.test", "b.test"))
    balancer = elb.create_load_balancer(Name="site", Subnets=SUBNETS)["LoadBalancers"][0]["LoadBalancerArn"]
    group = elb.create_target_group(
        Name="site",
        Protocol="HTTP",
        Port=8080,
        VpcId="vpc-1",
        TargetType="ip",
        HealthCheckPath="/health",
        HealthCheckIntervalSeconds=5,
        HealthyThresholdCount=2,
        UnhealthyThresholdCount=2,
    )["TargetGroups"][0]["TargetGroupArn"]
    sticky = [{"Key": "stickiness.enabled", "Value": "true"}]
    elb.modify_target_group_attributes(TargetGroupArn=group, Attributes=sticky)
    made = Site(local_aws, balancer, group, free_port(), free_port())
    listener = elb.create_listener(
        LoadBalancerArn=balancer,
        Port=made.https_port,
        Protocol="HTTPS",
        Certificates=[{"CertificateArn": first}],
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )["Listeners"][0]["ListenerArn"]
    elb.add_listener_certificates(ListenerArn=listener, Certificates=[{"CertificateArn": second}])
    redirect = {"Protocol": "HTTPS", "Port": str(made.https_port), "StatusCode": "HTTP_301"}
    elb.create_listener(
        LoadBalancerArn=balancer,
        Port=made.http_port,
        Protocol="HTTP",
        DefaultActions=[{"Type": "redirect", "RedirectConfig": redirect}],
    )
    yield made
    elb.delete_load_balancer(LoadBalancerArn=balancer)
    local_aws.wait("the port's release", lambda: not _listens(made.https_port))


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def web(site: Site) -> Iterator[Site]:
    """The site with two targets behind it."""
    site.local_aws.wait("the listener", lambda: _listens(site.https_port))
    assert site.request()[0] == 503
    ports = [{"containerPort": 8080}]
    definition = site.local_aws.task_definition("web", command=["perl", "-e", WEB_SERVER], portMappings=ports)
    balancers = [{"targetGroupArn": site.target_group, "containerName": "main", "containerPort": 8080}]
    site.local_aws.create_service("web", definition, 2, loadBalancers=balancers, healthCheckGracePeriodSeconds=1)
    site.local_aws.wait_for_steady("web", 2)
    yield site
    site.local_aws.client("ecs").delete_service(cluster=CLUSTER, service="web", force=True)


def test_deployment_completes_when_the_targets_are_healthy(web: Site) -> None:
    assert web.states() == ["healthy", "healthy"]


def test_request_is_forwarded_as_an_alb_does(web: Site) -> None:
    status, _cookie, text = web.request(path="/a%20b?q=1%2F2", headers={"X-Forwarded-For": "192.0.2.1"})
    assert status == 200
    assert "GET /a%20b?q=1%2F2 HTTP/1.1" in text
    lines = [line.strip().lower() for line in text.splitlines()]
    assert f"host: airflow.test:{web.https_port}" in lines
    assert "x-forwarded-for: 192.0.2.1, 127.0.0.1" in lines
    assert "x-forwarded-proto: https" in lines
    assert f"x-forwarded-port: {web.https_port}" in lines


def test_session_stays_at_one_target(web: Site) -> None:
    assert len({web.request()[2].splitlines()[0] for _ in range(4)}) == 2
    _status, cookie, text = web.request()
    assert cookie.startswith("AWSALB=")
    headers = {"Cookie": cookie.partition(";")[0]}
    assert {web.request(headers=headers)[2].splitlines()[0] for _ in range(4)} == {text.splitlines()[0]}


def test_big_body_arrives(web: Site) -> None:
    size = 20_000_000
    assert web.request("POST", "/upload", b"x" * size)[2].splitlines()[-1] == f"body={size}"


@pytest.mark.parametrize("name", ["airflow.test", "b.test"])
def test_certificate_is_chosen_by_name(site: Site, name: str) -> None:
    site.local_aws.wait("the listener", lambda: _listens(site.https_port))
    context = ssl._create_unverified_context()  # noqa: S323
    with (
        socket.create_connection(("127.0.0.1", site.https_port)) as plain,
        context.wrap_socket(plain, server_hostname=name) as secure,
    ):
        certificate = x509.load_der_x509_certificate(secure.getpeercert(binary_form=True) or b"")
    assert certificate.subject.rfc4514_string() == f"CN={name}"


def test_http_listener_redirects(site: Site) -> None:
    site.local_aws.wait("the listener", lambda: _listens(site.http_port))
    connection = http.client.HTTPConnection("127.0.0.1", site.http_port, timeout=10)
    connection.request("GET", "/dags?x=1", headers={"Host": f"airflow.test:{site.http_port}"})
    response = connection.getresponse()
    assert response.status == 301
    assert response.getheader("Location") == f"https://airflow.test:{site.https_port}/dags?x=1"


def test_port_that_cannot_be_bound_is_refused(site: Site) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        elb = site.local_aws.client("elbv2")
        with pytest.raises(elb.exceptions.ClientError, match=f"cannot bind 127.0.0.1:{port}"):
            elb.create_listener(
                LoadBalancerArn=site.load_balancer,
                Port=port,
                Protocol="HTTP",
                DefaultActions=[{"Type": "forward", "TargetGroupArn": site.target_group}],
            )


def test_target_that_fails_its_checks_is_replaced(web: Site) -> None:
    before = web.local_aws.tasks_of("web")
    web.request("POST", "/sick")
    web.local_aws.wait("a new task", lambda: web.local_aws.tasks_of("web") - before)
    (gone,) = web.local_aws.wait("the old one's end", lambda: before - web.local_aws.tasks_of("web"))
    task = web.local_aws.wait_for_task(gone, "STOPPED")
    assert task["stoppedReason"].startswith("Task failed ELB health checks in (target-group arn:aws:")
    web.local_aws.wait("two healthy targets", lambda: web.states() == ["healthy", "healthy"])
    assert web.request()[0] == 200


def test_requests_are_logged_in_the_bucket(web: Site) -> None:
    s3, elb = web.local_aws.client("s3"), web.local_aws.client("elbv2")
    s3.create_bucket(Bucket="web-logs", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::web-logs/web/AWSLogs/000000000000/*",
    }
    s3.put_bucket_policy(Bucket="web-logs", Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    pairs = {"enabled": "true", "bucket": "web-logs", "prefix": "web"}
    attributes = [{"Key": f"access_logs.s3.{key}", "Value": value} for key, value in pairs.items()]
    elb.modify_load_balancer_attributes(LoadBalancerArn=web.load_balancer, Attributes=attributes)
    assert web.request("POST", "/logged?q=1", b"body")[0] == 200

    def logged() -> list[str]:
        keys = [one["Key"] for one in s3.list_objects_v2(Bucket="web-logs").get("Contents", [])]
        bodies = [s3.get_object(Bucket="web-logs", Key=key)["Body"].read() for key in keys]
        return [line for body in bodies for line in gzip.decompress(body).decode().splitlines() if "/logged" in line]

    [line] = web.local_aws.wait("the access log", logged)
    assert f'"POST https://airflow.test:{web.https_port}/logged?q=1 HTTP/1.1"' in line
    fields = line.split()
    assert fields[0] == "https"
    assert fields[4].endswith(":8080")
    assert fields[8:11] == ["200", "200", "4"]
