# SM2A's commands. Each installs what it needs into .venv; `make up PYTHON=python3.12` chooses the interpreter.
playbook := .venv/bin/ansible-playbook -i inventories/local

.PHONY: up down clean tools

up: tools  ## Bring SM2A up on the local AWS.
	@$(playbook) playbooks/local_aws.yml site.yml

down: tools  ## Remove everything that `make up` made; container images stay as a cache.
	@$(playbook) playbooks/local_aws.yml -e local_aws_state=absent

clean: down  ## As down, and the tools as well.
	rm -rf .venv .venv-latest .cache .sm2a artifacts

tools:
	@tools/bootstrap
