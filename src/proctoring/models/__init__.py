"""Model weights: catalogue, verified download, and the runtimes that load them."""

import sys

# OpenVINO imports its telemetry package if it is installed. Nothing may send usage data, so the import
# is blocked in this process; here, because this runs before the package first imports OpenVINO.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
