# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Celery's settings with Redis as broker: those of the product, but for what makes it speak to SQS.

`[celery] celery_config_options` names them on one side of the benchmark. The same serializers, result backend,
concurrency, prefetch and late acknowledgement; Redis's own options are the defaults of Celery.
"""

from sm2a_runtime.celery import configuration

CELERY_CONFIG = {name: value for name, value in configuration.CELERY_CONFIG.items() if name != "broker_transport"}
