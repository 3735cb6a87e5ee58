"""``python -m lit_cnn`` is ``lit-cnn``."""

import sys

from lit_cnn.cli.main import main

sys.exit(main())
