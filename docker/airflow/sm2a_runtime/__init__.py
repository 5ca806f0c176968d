# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What the Airflow image adds to Airflow: migration, health checks and the hooks of the workers."""
