"""Makes the corrupted test sets of a configuration ahead of its runs: `python -m thawline.prefetch`.

Started by `npx thawline prefetch`. The resolved configuration comes as JSON on standard input; what happens goes as
lines of JSON to standard output: `{"made", "missing"}` while it works, then `{"done"}` or `{"error"}`.
"""

from __future__ import annotations

import json
import os
import sys

from thawline.config.run import RunConfig, parse_config
from thawline.data.corrupted_sets import open_test_set
from thawline.data.loading import load_vision_data
from thawline.errors import UserError
from thawline.host.process import bind_life_to_parent
from thawline.storage.cache import default_cache_folder


def main() -> int:
    bind_life_to_parent(os.getppid())
    try:
        config = parse_config(json.load(sys.stdin))
        test_set = None
        if isinstance(config, RunConfig):  # Texts are never made.
            data = load_vision_data(config.data)
            test_set = open_test_set(config.evaluate, config.data, data, num_processes=config.device.threads)
        if test_set is not None:
            for made, missing in test_set.make_ahead(lambda: False):
                _tell({"made": made, "missing": missing})
    except UserError as error:
        _tell({"error": {"code": error.code, "message": error.message, "hint": error.hint}})
        return 2
    except KeyboardInterrupt:
        return 130
    if test_set is None:
        nothing = {"num_sets": 0, "num_images": 0, "regenerated": False}
        _tell({"done": nothing | {"left_out": {}, "made_with": {}, "folder": ""}})
        return 0
    done = {
        "num_sets": len(test_set.corruptions) * len(test_set.severities),
        "num_images": test_set.num_images,
        "regenerated": test_set.regenerated,
        "left_out": dict(test_set.left_out),
        "made_with": dict(test_set.made_with),
        "folder": str(default_cache_folder()),
    }
    _tell({"done": done})
    return 0


def _tell(line: dict[str, object]) -> None:
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    sys.exit(main())
