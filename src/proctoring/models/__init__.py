"""Which weights, from where, verified; loaded into a runtime."""

import sys

# OpenVINO imports its telemetry package only if it is there, for its converter tools. Nothing of
# ours may ever phone home, so for this process it is not there. Here, because this comes before
# whatever of this floor first imports OpenVINO; no other floor does.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
