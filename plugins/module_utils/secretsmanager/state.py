# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Brings one secret to its wanted state. Values stay inside: outcomes hold metadata and version ids only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.policy import compare_policies
from ansible_collections.amazon.aws.plugins.module_utils.tagging import ansible_dict_to_boto3_tag_list
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import tag_change
from ansible_collections.sm2a.airflow.plugins.module_utils.common.results import Outcome
from ansible_collections.sm2a.airflow.plugins.module_utils.secretsmanager import api, values
from ansible_collections.sm2a.airflow.plugins.module_utils.secretsmanager.sources import value_from

Options = Mapping[str, Any]
NEW_VERSION = "new"  # stands for the id of a version that check mode does not make


def same_setting(option: str, current: str, wanted: str) -> bool:
    """Whether a setting is as wanted; a key may be named by id, alias or ARN."""
    if option == "kms_key_id" and current.startswith("arn:"):
        return wanted in (current, current.rsplit(":", 1)[-1], current.rsplit("/", 1)[-1])
    return current == wanted


class SecretManager:
    """Manages secrets of one account and region.

    ``hide`` is told every generated value, so that the caller can mask it in whatever it prints; ``warn`` is told what
    check mode cannot see.
    ``options`` of one secret: name, description, kms_key_id, tags, purge_tags, policy (dict or None), and at most one
    of generate, generate_json, compose, value, value_from.
    """

    def __init__(self, client: Any, check_mode: bool, hide: Callable[[str], None], warn: Callable[[str], None]) -> None:
        self.client = client
        self.check_mode = check_mode
        self.hide = hide
        self.warn = warn
        self.value_changes: set[str] = set()  # names whose value this run changed, or in check mode would change

    def ensure_present(self, options: Options) -> Outcome:
        """Create, restore or change the secret."""
        secret = api.describe_secret(self.client, options["name"])
        if secret is None:
            outcome = self.create(options)
            if outcome:
                return outcome
            secret = api.describe_secret(self.client, options["name"]) or {}
        return self.change(secret, options)

    def ensure_absent(self, name: str, recovery_window_in_days: int | None) -> Outcome:
        """Delete the secret; ``recovery_window_in_days`` None deletes for ever, also what is scheduled already."""
        secret = api.describe_secret(self.client, name)
        if secret is None or (secret.get("DeletedDate") and recovery_window_in_days is not None):
            return Outcome(False)
        if not self.check_mode:
            api.delete_secret(self.client, name, recovery_window_in_days)
        return Outcome(True, api.view(secret))

    def create(self, options: Options) -> Outcome | None:
        """Create the secret with its value in one call; None when somebody else just did."""
        name, tags = options["name"], {key: str(value) for key, value in (options["tags"] or {}).items()}
        value = self.wanted_value(options, None)
        if value is None and not self.check_mode:
            raise AnsibleAWSError(message=f"Secret {name} does not exist, and no value for its creation is given")
        self.value_changes.add(name)
        optional = {"Description": options["description"], "KmsKeyId": options["kms_key_id"]}
        settings = {
            "Name": name,
            "Tags": ansible_dict_to_boto3_tag_list(tags),
            **{key: setting for key, setting in optional.items() if setting},
        }
        made: dict[str, Any] | None = {
            "ARN": api.secret_placeholder_arn(self.client, name),
            "VersionId": NEW_VERSION,
        }
        if not self.check_mode:
            made = api.create_secret(self.client, value or "", **settings)
        if made is None:
            return None
        after = api.view({**settings, "ARN": made["ARN"], "VersionIdsToStages": {made["VersionId"]: ["AWSCURRENT"]}})
        if options["policy"]:
            after["policy"] = options["policy"]
            if not self.check_mode:
                api.put_policy(self.client, name, options["policy"])
        return Outcome(True, {}, after)

    def change(self, secret: dict[str, Any], options: Options) -> Outcome:
        """Bring an existing secret to the wanted state, one aspect after the other."""
        before = api.view(secret)
        after = dict(before)
        if before["scheduled_for_deletion"]:
            after["scheduled_for_deletion"] = False
            if not self.check_mode:
                api.restore_secret(self.client, options["name"])
        after |= self.change_settings(before, options)
        after["tags"] = self.change_tags(before["tags"], options)
        # Before the value: the policy may be what lets the caller read it.
        if options["policy"] is not None:
            before["policy"], after["policy"] = self.change_policy(options)
        after["version_id"] = self.change_readable_value(before, options, before.get("policy") != after.get("policy"))
        return Outcome(before != after, before, after)

    def change_settings(self, before: Options, options: Options) -> dict[str, str]:
        """Set description and key where they differ; returns the settings that changed."""
        changes = {
            option: options[option]
            for option in ("description", "kms_key_id")
            if options[option] is not None and not same_setting(option, before[option] or "", options[option])
        }
        if changes and not self.check_mode:
            keys = {"description": "Description", "kms_key_id": "KmsKeyId"}
            api.update_secret(self.client, options["name"], {keys[option]: value for option, value in changes.items()})
        return changes

    def change_tags(self, current: Mapping[str, str], options: Options) -> dict[str, str]:
        """Set and remove tags; returns what the secret carries afterwards."""
        change = tag_change(current, options["tags"], options["purge_tags"])
        if change.set and not self.check_mode:
            api.tag_secret(self.client, options["name"], change.set)
        if change.remove and not self.check_mode:
            api.untag_secret(self.client, options["name"], change.remove)
        return change.result

    def change_readable_value(self, before: Options, options: Options, policy_changed: bool) -> str | None:
        """Change the value, which the caller may be allowed to read only now that the policy has changed."""
        try:
            if not policy_changed or self.check_mode:
                return self.change_value(before, options)
            return api.once_readable(lambda: self.change_value(before, options))
        except AnsibleAWSError as error:
            if not (policy_changed and self.check_mode and api.is_denied(error)):
                raise
        self.warn(
            f"Secret {options['name']} is not compared: its resource policy does not allow the caller to read it yet"
        )
        version: str | None = before["version_id"]
        return version

    def change_value(self, before: Options, options: Options) -> str | None:
        """Store another value where it must change; returns the id of the version that is then current."""
        version: str | None = before["version_id"]
        sources = [options[source] for source in ("generate_json", "compose", "value", "value_from")]
        if version and all(source is None for source in sources):
            return version  # nothing asked for, or generated already
        name = options["name"]
        if self.check_mode and before["scheduled_for_deletion"]:
            return version  # AWS does not let anyone read it before it is restored
        current = api.secret_value(self.client, name) if version else None
        if version and current is None:
            raise AnsibleAWSError(message=f"Secret {name} holds a binary value, which this module does not overwrite")
        value = self.wanted_value(options, current)
        if value is None:
            return NEW_VERSION if self.source_will_change(options) else version
        if values.same(current, value):
            return version
        self.value_changes.add(name)
        return NEW_VERSION if self.check_mode else api.put_value(self.client, name, value)

    def change_policy(self, options: Options) -> tuple[dict[str, Any], dict[str, Any]]:
        """Set or remove the resource policy; returns it before and after."""
        current = api.resource_policy(self.client, options["name"])
        wanted: dict[str, Any] = options["policy"]
        if not compare_policies(current, wanted):
            return current, current
        if not self.check_mode:
            api.put_policy(self.client, options["name"], wanted)
        return current, wanted

    def wanted_value(self, options: Options, current: str | None) -> str | None:
        """The value to store; None when none is asked for, or when it depends on what check mode does not make."""
        if options["generate"]:
            value = values.generate(**options["generate"])
            self.hide(value)
            return value
        if options["generate_json"]:
            value = values.generated_object(options["generate_json"], current)
            for part in values.generated_parts(options["generate_json"], value):
                self.hide(part)
            return value
        if options["compose"]:
            return self.composed_value(options["compose"])
        if options["value_from"]:
            value = value_from(self.client, options["value_from"], options["name"])
            self.hide(value)
            return value
        return None if options["value"] is None else values.text_of(options["value"])

    def composed_value(self, compose: Options) -> str | None:
        """The composed text; None in check mode when the source does not exist yet or is about to change."""
        if self.check_mode and self.source_will_change({"compose": compose}):
            return None
        name = compose["source"]
        described = api.describe_secret(self.client, name) if self.check_mode else None
        if self.check_mode and (described is None or described.get("DeletedDate")):
            return None
        source = api.secret_value(self.client, name)
        if source is None:
            raise AnsibleAWSError(message=f"Secret {name}, from which other secrets are composed, does not exist")
        value = values.compose(compose["template"], source, name)
        self.hide(value)
        return value

    def source_will_change(self, options: Options) -> bool:
        """Whether the source of a composed secret has another value after this run."""
        return bool(options["compose"]) and options["compose"]["source"] in self.value_changes
