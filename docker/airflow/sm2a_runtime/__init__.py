# Copyright: SM2A contributors
# Apache License 2.0
"""What the Airflow image adds to Airflow: migration, health checks and the hooks of the workers."""
