# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What Airflow imports before its first session of its database (airflow.cfg: `sql_alchemy_connect_args_async`)."""

from sm2a_runtime.database.async_connections import connect
from sm2a_runtime.database.pickled_columns import read_plain_values

read_plain_values()
connect_args = {"async_creator_fn": connect}
