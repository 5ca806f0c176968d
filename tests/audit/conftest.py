"""The account and the deployment that are audited."""

from __future__ import annotations

from ansible_collections.sm2a.airflow.tests.control_plane.conftest import control_plane, deployed

__all__ = ["control_plane", "deployed"]
