# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Limits that AWS and Airflow have for values, as tables with the page that says so."""
