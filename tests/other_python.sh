#!/usr/bin/env bash
# Prints the newest Python from 3.11 on that is at hand and of another version than "$1"; nothing when there is none.
# Looked for on PATH and, as their usual place, below pyenv's folder.
set -u
own=$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])') || exit 0
for version in 3.14 3.13 3.12 3.11; do
    [ "$version" = "$own" ] && continue
    for candidate in "$(command -v "python$version" || true)" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$version".*/bin/python"$version"; do
        if [ -x "$candidate" ] && "$candidate" -c 'import venv, ssl, sqlite3' 2>/dev/null; then
            echo "$candidate"
            exit 0
        fi
    done
done
