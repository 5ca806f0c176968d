# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The module misbehave can be forked as those of sm2a.airflow are."""

from __future__ import annotations

from ansible_collections.sm2a.airflow.plugins.plugin_utils.forked_module import ForkedModule


class ActionModule(ForkedModule):
    """Nothing more than that."""
