"""The conformance kit under the name that authors' tests import, as `docs/activity-types.md` says.

The place of its modules in `kit` may change; this one stays.
"""

from __future__ import annotations

from conflicto.activity_types.kit.conformance import ConformanceTests, complaints, failures

__all__ = ["ConformanceTests", "complaints", "failures"]
