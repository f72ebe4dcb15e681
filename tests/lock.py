"""Pin the newest versions that fit `pyproject.toml`: `make lock` (needs `uv`, which is installed if missing).

Only the exports are committed: they carry hashes and markers, and no registry's address.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
FILES = {
    "requirements.txt": ["--no-default-groups"],
    "requirements-dev.txt": ["--only-group", "dev"],
    "requirements-embedded.txt": ["--only-group", "embedded"],
    "requirements-faces.txt": ["--only-group", "faces"],
    "requirements-parquet.txt": ["--only-group", "parquet"],
    "requirements-scale.txt": ["--only-group", "scale"],
}
EXPORT = ["export", "--frozen", "--quiet", "--no-emit-project", "--no-emit-index-url", "--no-header"]


def uv(*arguments: str) -> None:
    """Run uv; its output goes to the terminal."""
    subprocess.run([sys.executable, "-m", "uv", *arguments], cwd=PROJECT, check=True)


def main() -> None:
    """Resolve anew and write the files."""
    if subprocess.run([sys.executable, "-m", "uv", "--version"], capture_output=True).returncode != 0:
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "uv"], check=True)
    uv("lock", "--upgrade", "--quiet")
    for name, options in FILES.items():
        uv(*EXPORT, "--format", "requirements-txt", *options, "--output-file", name)
        if re.search(r"https?://|index-url|find-links", (PROJECT / name).read_text()):
            sys.exit(f"{name} holds an address; it must not be committed like that.")


if __name__ == "__main__":
    main()
