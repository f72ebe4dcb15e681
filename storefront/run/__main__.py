"""Entry point: `python -m storefront.run [--demo]`. `--demo` turns DEMO and BANK_TRANSFER on unless the
environment says else."""

from __future__ import annotations

import os
import sys


def main() -> int:
    """Run the shop; 0 after an orderly stop, 1 when it could not start."""
    if "--demo" in sys.argv[1:]:
        os.environ.setdefault("DEMO", "on")
        os.environ.setdefault("BANK_TRANSFER", "on")
    from config import ConfigError, Settings
    from storefront.run.parent import Parent

    try:
        host, port = (
            os.environ.get("HOST", "").strip() or "127.0.0.1",
            os.environ.get("PORT", "").strip() or "8000",
        )
        if not port.isdecimal() or not 0 < int(port) < 65536:
            raise ConfigError(f"PORT must be a number from 1 to 65535, not {port!r}.")
        Parent(Settings.from_env(), host, int(port)).run()
    except ConfigError as error:
        sys.stderr.write(f"The shop cannot start.\n{error}\n")
        return 1
    except PermissionError as error:
        sys.stderr.write(
            f"The shop cannot start.\n{error.filename} may not be written: it belongs to another user, perhaps"
            " because the shop was once run as root. Take the folder back (chown -R), or set VAR_DIR.\n"
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
