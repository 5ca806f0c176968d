# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A task of every operator, sensor and decorator of Airflow's standard provider, each once. It needs no internet.

The connection fs_default has to exist, the environment that test_git.py makes, and a file MARK on the triggerer alone.
Somebody has to approve the task approval.
"""

from datetime import UTC, datetime, time, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.operators.datetime import BranchDateTimeOperator
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.hitl import (
    ApprovalOperator,
    HITLBranchOperator,
    HITLEntryOperator,
    HITLOperator,
)
from airflow.providers.standard.operators.latest_only import LatestOnlyOperator
from airflow.providers.standard.operators.python import (
    BranchExternalPythonOperator,
    BranchPythonOperator,
    BranchPythonVirtualenvOperator,
    ExternalPythonOperator,
    PythonOperator,
    PythonVirtualenvOperator,
    ShortCircuitOperator,
)
from airflow.providers.standard.operators.smooth import SmoothOperator
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.providers.standard.operators.weekday import BranchDayOfWeekOperator
from airflow.providers.standard.sensors.bash import BashSensor
from airflow.providers.standard.sensors.date_time import DateTimeSensor, DateTimeSensorAsync
from airflow.providers.standard.sensors.external_task import ExternalTaskMarker, ExternalTaskSensor
from airflow.providers.standard.sensors.filesystem import FileSensor
from airflow.providers.standard.sensors.python import PythonSensor
from airflow.providers.standard.sensors.time import TimeSensor, TimeSensorAsync
from airflow.providers.standard.sensors.time_delta import TimeDeltaSensor, TimeDeltaSensorAsync, WaitSensor
from airflow.providers.standard.sensors.weekday import DayOfWeekSensor
from airflow.sdk import dag, task

OTHER = "standard_provider_other"
MARK = "/tmp/standard_provider"
OLD_PYTHON = "/opt/environments/old/bin/python"
# One environment for all four tasks that want one.
CACHE = "/tmp/home/venvs"
WEEK = {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
MIDNIGHT = time(0, 0)
SOON = "{{ (dag_run.run_after + macros.timedelta(seconds=20)).isoformat() }}"
# Of what asks again and again.
OFTEN = {"poke_interval": 2, "timeout": 200}
FUNCTION_RUNS_ELSEWHERE = {"python": OLD_PYTHON, "expect_airflow": False}


def cowsay_version() -> str:
    """Of the other environment."""
    from importlib.metadata import version  # noqa: PLC0415  It runs in another Python.

    found = version("cowsay")
    if found != "5.0":
        raise ValueError(found)
    return "taken"


def airflow_is_there() -> str:
    """An environment with the packages of the system has Airflow's."""
    import airflow.sdk  # noqa: F401, PLC0415  In another Python.

    return "taken"


@dag(schedule=None, is_paused_upon_creation=False)
def standard_provider_other() -> None:
    EmptyOperator(task_id="nothing")


@dag(schedule=None)
def standard_provider() -> None:
    # Each branch is to take the one and leave out the other.
    taken = EmptyOperator(task_id="taken", trigger_rule="none_failed_min_one_success")
    left_out = EmptyOperator(task_id="left_out")
    ways = {"follow_task_ids_if_true": "taken", "follow_task_ids_if_false": "left_out"}

    BashOperator(task_id="bash", bash_command="test -w . && echo fine > file && cat file")
    PythonOperator(task_id="python", python_callable=lambda: "fine")
    SmoothOperator(task_id="smooth")
    ExternalTaskMarker(task_id="marker", external_dag_id=OTHER, external_task_id="nothing")
    ExternalPythonOperator(task_id="external", python_callable=cowsay_version, **FUNCTION_RUNS_ELSEWHERE)
    PythonVirtualenvOperator(task_id="virtualenv", python_callable=airflow_is_there, venv_cache_path=CACHE)
    ShortCircuitOperator(task_id="short_circuit", python_callable=lambda: True) >> taken
    LatestOnlyOperator(task_id="latest_only") >> taken
    branches = [
        BranchPythonOperator(task_id="branch", python_callable=lambda: "taken"),
        BranchPythonVirtualenvOperator(
            task_id="branch_virtualenv", python_callable=airflow_is_there, venv_cache_path=CACHE
        ),
        BranchExternalPythonOperator(
            task_id="branch_external", python_callable=cowsay_version, **FUNCTION_RUNS_ELSEWHERE
        ),
        BranchDateTimeOperator(task_id="branch_date", target_lower=LONG_AGO, target_upper=None, **ways),
        BranchDayOfWeekOperator(task_id="branch_weekday", week_day=WEEK, **ways),
    ]

    # Nobody answers these; what they take then is said.
    patience = {"response_timeout": timedelta(seconds=5)}
    HITLOperator(task_id="human", subject="Which?", options=["this", "that"], defaults="this", **patience)
    HITLEntryOperator(task_id="human_entry", subject="Go on?", **patience)
    branches.append(
        HITLBranchOperator(
            task_id="human_branch", subject="Where?", options=["taken", "left_out"], defaults="taken", **patience
        )
    )
    ApprovalOperator(task_id="approval", subject="May it run?") >> taken

    run_other = TriggerDagRunOperator(
        task_id="trigger_other",
        trigger_dag_id=OTHER,
        # By which the sensors find the run.
        logical_date="{{ dag_run.run_after.isoformat() }}",
        wait_for_completion=True,
        poke_interval=2,
    )
    TriggerDagRunOperator(
        task_id="trigger_other_deferred",
        trigger_dag_id=OTHER,
        wait_for_completion=True,
        deferrable=True,
        poke_interval=2,
    )
    run_other >> ExternalTaskSensor(task_id="other_ran", external_dag_id=OTHER, **OFTEN)
    run_other >> ExternalTaskSensor(task_id="other_ran_deferred", external_dag_id=OTHER, deferrable=True, **OFTEN)

    DateTimeSensor(task_id="date", target_time=SOON, mode="reschedule", **OFTEN)
    DateTimeSensorAsync(task_id="date_deferred", target_time=SOON)
    TimeSensor(task_id="time", target_time=MIDNIGHT)
    TimeSensorAsync(task_id="time_deferred", target_time=MIDNIGHT)
    TimeDeltaSensor(task_id="delta", delta=timedelta(seconds=1), **OFTEN)
    # Early, for it counts from the start of the run.
    TimeDeltaSensorAsync(task_id="delta_deferred", delta=timedelta(seconds=60), priority_weight=100)
    WaitSensor(task_id="wait", time_to_wait=timedelta(seconds=1))
    WaitSensor(task_id="wait_deferred", time_to_wait=timedelta(seconds=1), deferrable=True)
    DayOfWeekSensor(task_id="weekday", week_day=WEEK)
    BashSensor(task_id="bash_sensor", bash_command="test -w .")
    PythonSensor(task_id="python_sensor", python_callable=lambda: True)
    FileSensor(task_id="file", filepath="/etc/os-release", **OFTEN)
    # The worker does not find it, so the triggerer looks for it on its own disk.
    FileSensor(task_id="file_deferred", filepath=MARK, deferrable=True, **OFTEN)

    @task
    def decorated_python() -> None:
        """In the process of the task."""

    @task.bash
    def decorated_bash() -> str:
        return "test -w ."

    @task.sensor(**OFTEN)
    def decorated_sensor() -> bool:
        return True

    @task.short_circuit
    def decorated_short_circuit() -> bool:
        return True

    @task.branch
    def decorated_branch() -> str:
        return "taken"

    decorated_python()
    decorated_bash()
    decorated_sensor()
    decorated_short_circuit() >> taken
    task.external_python(**FUNCTION_RUNS_ELSEWHERE)(cowsay_version)()
    task.virtualenv(venv_cache_path=CACHE)(airflow_is_there)()
    branches += [
        decorated_branch(),
        task.branch_external_python(**FUNCTION_RUNS_ELSEWHERE, task_id="decorated_branch_external")(cowsay_version)(),
        task.branch_virtualenv(venv_cache_path=CACHE, task_id="decorated_branch_virtualenv")(airflow_is_there)(),
    ]
    for branch in branches:
        branch >> [taken, left_out]


standard_provider_other()
standard_provider()
