"""A policy: what counts as suspicious in one exam, validated before it is used.

Policies are TOML files. What a file leaves out is the default rule, what it says and this
module does not know is refused with the path to it. A policy never changes once made;
accommodations for one candidate make a new one.
"""

from proctoring.judgement.policy.folder import Policies, read_policies
from proctoring.judgement.policy.loading import (
    MAX_POLICY_BYTES,
    load_policy,
    parse_policy,
    read_policy,
    shipped_policies,
    shipped_policy,
)
from proctoring.judgement.policy.model import Policy

__all__ = [
    "MAX_POLICY_BYTES",
    "Policies",
    "Policy",
    "load_policy",
    "parse_policy",
    "read_policies",
    "read_policy",
    "shipped_policies",
    "shipped_policy",
]
