# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""
### Is this deployment well?

Thirty tasks run in parallel on the workers, and their results come back together. Two more read a variable and a
connection, which live in AWS Secrets Manager and never in the database. A run that succeeds has used the queue, the
workers, the execution API, the secrets backend and the log store.
"""

from datetime import timedelta

from airflow.sdk import Connection, Variable, dag, task

COUNT = 30


@dag(
    schedule=None,
    catchup=False,
    doc_md=__doc__,
    tags=["sm2a", "smoke"],
    default_args={"retries": 1, "retry_delay": timedelta(seconds=10)},
    max_active_tasks=COUNT + 2,
)
def sm2a_smoke() -> None:
    @task
    def read_variable() -> str:
        """From the secret `<prefix>/variables/smoke_variable`."""
        return str(Variable.get("smoke_variable"))

    @task
    def read_connection() -> str:
        """From the secret `<prefix>/connections/smoke_connection`. Its password stays in memory."""
        connection = Connection.get("smoke_connection")
        return f"{connection.conn_type}://{connection.host}"

    @task
    def square(number: int) -> int:
        print(f"The square of {number} is {number * number}")
        return number * number

    @task
    def add(squares: list[int]) -> int:
        """Fails unless every square arrived, once."""
        total = sum(squares)
        expected = (COUNT - 1) * COUNT * (2 * COUNT - 1) // 6
        if total != expected:
            raise ValueError(f"the sum is {total}, not {expected}")
        return total

    @task
    def report(total: int, variable: str, connection: str) -> str:
        """The last line of a healthy deployment."""
        return f"sum of squares {total}, variable {variable}, connection {connection}"

    report(add(square.expand(number=list(range(COUNT)))), read_variable(), read_connection())


sm2a_smoke()
