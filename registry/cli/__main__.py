"""``python -m registry.cli``, where the script ``model-bucket`` is not on the path."""

from __future__ import annotations

import sys

from registry.cli import main

sys.exit(main())
