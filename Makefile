# SM2A's commands. Each installs what it needs into .venv; `make up PYTHON=python3.12` chooses the interpreter.
environment := $(or $(UV_PROJECT_ENVIRONMENT),.venv)
playbook := $(environment)/bin/ansible-playbook -i inventories/local

.PHONY: up down password check-dags execution-environment clean tools test test-latest lint sanity unit molecule faults second-opinion audit end-to-end eda live awx-jobs bench bench-converge bench-first-deployment bench-throughput bench-images project-sets docs awx-apply awx test-tools awx-tools

up: tools  ## Bring SM2A up on the local AWS.
	@$(playbook) playbooks/local.yml
	@echo "Airflow: https://localhost:8443 (password of admin: make password)"

down: tools  ## Remove everything that `make up` made; container images stay as a cache.
	@$(playbook) playbooks/local_aws.yml -e local_aws_state=absent
	@rm -rf .sm2a

password: tools  ## Print the password of the Airflow administrator on the local AWS.
	@AWS_ENDPOINT_URL=http://10.91.0.1:4566 AWS_DEFAULT_REGION=eu-west-1 AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test \
		$(environment)/bin/python tools/admin_password.py sm2a

check-dags: tools  ## Can the DAGs in the directory PROJECT=... run? In seconds, in the newest Airflow image of this machine or IMAGE=...
	@$(environment)/bin/python -m tools.check_dags $(or $(PROJECT),$(error name your project: make check-dags PROJECT=directory)) \
		$(if $(IMAGE),--image $(IMAGE)) $(if $(QUEUES),--queues "$(QUEUES)")

execution-environment:  ## Build the image that AWX runs jobs in; docs/awx_execution_environment.md has the options (OPTIONS=...).
	@tools/bootstrap execution-environment
	@PYTHONPATH=collections $(environment)/bin/python -m tools.execution_environment $(OPTIONS)

awx-apply: awx-tools  ## Configure AWX: CONTROLLER_HOST and CONTROLLER_OAUTH_TOKEN say where; OPTIONS="-e awx_state=absent" removes it.
	@# Objects are arguments of modules as a whole, which only facts could make unsafe.
	@ANSIBLE_INJECT_FACT_VARS=false .venv-awx/bin/ansible-playbook extensions/awx/apply.yml $(OPTIONS)

clean: down  ## As down, and the tools as well.
	rm -rf .venv .venv-awx .venv-latest .cache artifacts

# One process waits for the deployed stack most of the time while the others do the rest (tests/conftest.py). -n 0 runs a part alone.
pytest := $(environment)/bin/pytest
alone := $(pytest) -n 0
shared := $(pytest) -n 3 --dist loadscope --no-loadscope-reorder

test: test-tools  ## Everything that must pass before a change lands.
	@SM2A_SECOND_OPINION=defaults $(shared) tests/integration --ignore tests/integration/test_options.py tests/faults \
		tests/stock_modules tests/checks tests/control_plane tests/second_opinion tests/audit tests/awx tests/unit

test-latest:  ## The same on Python 3.13 and the newest ansible-core.
	@UV_PROJECT_ENVIRONMENT=.venv-latest PYTHON=$(or $(PYTHON),python3.13) $(MAKE) test

lint: test-tools  ## ruff, mypy, yamllint, ansible-lint, shellcheck.
	@$(alone) tests/checks/test_lint.py

sanity: test-tools  ## ansible-test sanity.
	@$(alone) tests/checks/test_sanity.py

unit: test-tools
	@$(shared) tests/unit

molecule: test-tools  ## The role scenarios; output in artifacts/molecule.log.
	@$(alone) tests/checks/test_molecule.py

awx: test-tools  ## The configuration of AWX, and its apply to a stand-in for the controller.
	@$(alone) tests/awx

faults: test-tools  ## Lost replies, throttling, killed runs, deletions by hand; figures in artifacts/faults_*.json.
	@$(alone) tests/faults

second-opinion: test-tools  ## The roles on an emulator of AWS that we do not patch, with other options as well.
	@$(alone) tests/second_opinion

audit: test-tools  ## Security controls over a deployed environment and over bad twins, and which packages of the images are behind.
	@$(alone) tests/audit
	@$(environment)/bin/python -m tools.packages --output artifacts/packages.txt

end-to-end: test-tools  ## A whole stack of its own with real containers, and options that `make test` leaves alone; DATABASE_ENGINE=mysql for that one.
	@SM2A_END_TO_END_DATABASE_ENGINE=$(or $(DATABASE_ENGINE),postgres) $(alone) tests/integration

eda: test-tools  ## An alarm that Event-Driven Ansible answers with its remedy. Needs a Java runtime (Debian: openjdk-17-jre-headless).
	@tools/bootstrap test eda
	@$(alone) tests/eda

live: test-tools  ## The autoscaler on real containers: bursts, long tasks, and failures in the middle; about 30 minutes.
	@$(alone) tests/live

awx-jobs: test-tools  ## Every job template, the release and a cancel in the execution environment, as AWX runs them; about 7 minutes. Needs root and Podman.
	@tools/bootstrap execution-environment
	@$(alone) tests/awx_jobs

benchmark := PYTHONPATH=collections $(environment)/bin/python -m tests.benchmarks

bench:  ## The autoscaler against its peers on the same workloads; docs/autoscaling.md and .svg show it.
	@tools/bootstrap bench
	@$(benchmark).autoscaling --plot docs/autoscaling.svg --page docs/autoscaling.md

bench-converge: bench-first-deployment  ## Besides, runs without changes against bare boto3; about a quarter of an hour more.
	@tools/bootstrap bench
	@$(benchmark).converge --plot docs/speed.svg --page docs/speed.md

bench-first-deployment:  ## A first deployment with AWS's waiting times, on a local AWS; docs/speed.md and first_deployment.svg show it. About 25 minutes.
	@tools/bootstrap bench
	@$(benchmark).converge.first_deployment \
		--plot docs/first_deployment.svg --page docs/speed.md

bench-throughput: test-tools  ## Our broker against Redis on one stack, about an hour; docs/throughput.md and .svg show it.
	@tools/bootstrap bench
	@SM2A_END_TO_END_NUMBER=2 $(alone) tests/benchmarks/throughput
	@$(benchmark).throughput --plot docs/throughput.svg --page docs/throughput.md

bench-images: tools  ## Pull and unpack the Airflow image of `make up` with zstd and gzip; docs/speed.md has the table. Needs root.
	@$(benchmark).images --page docs/speed.md

project-sets: test-tools  ## Install what projects often want in the Airflow image of `make up`; docs/dag_authors.md has the table. About 20 minutes.
	@PYTHONPATH=collections $(environment)/bin/python -m tests.projects --page docs/dag_authors.md

docs: test-tools  ## Write what is made from sources: pages and drawings of docs/, and the surveys of AWX.
	@$(environment)/bin/python -m tools.pages
	@$(environment)/bin/python -m tools.surveys
	@$(environment)/bin/python -m tools.drawings

test-tools:
	@tools/bootstrap test

awx-tools:
	@UV_PROJECT_ENVIRONMENT=.venv-awx tools/bootstrap --project extensions/awx

tools:
	@tools/bootstrap
