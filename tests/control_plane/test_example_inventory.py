# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""The environments of inventories/example deploy as they are."""

from __future__ import annotations

from ansible_collections.sm2a.airflow.tests.control_plane.runs import ControlPlane

ENVIRONMENTS = "small,standard,highly_available"


def test_example_environments_deploy_and_stay(control_plane: ControlPlane) -> None:
    control_plane.client("route53").create_hosted_zone(Name="example.com", CallerReference="test")
    # inventory.yml, which comes first, has the credentials of the local AWS and images that nobody need build.
    examples = ("-i", "inventories/example", "--limit")
    site = control_plane.play("site", *examples, ENVIRONMENTS)
    assert site.code == 0, site.end()
    # The one with the most options; the defaults have tests of their own.
    again = control_plane.play("site", *examples, "highly_available", "--check")
    assert again.code == 0, again.end()
    assert again.changed == []
    clusters = control_plane.client("ecs").list_clusters()["clusterArns"]
    assert sorted(arn.rpartition("/")[2] for arn in clusters) == ["highly-available", "small", "standard"]
