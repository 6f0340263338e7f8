"""Puts Pythons that are newer than this machine's beside it, from a newer Debian's packages; nothing of the system is changed.

Run by `nox -s pythons`, where there are apt-get, dpkg-deb and patchelf: `python .ci/newer_pythons.py FOLDER 3.14 3.15` leaves
`FOLDER/usr/bin/python3.14` and `python3.15`. They run with the C library that came with them, which their programs are told to load.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

SUITE = "forky"


def main(root: Path, *pythons: str) -> None:
    """Fetch, unpack, and let each Python find what is its own."""
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as packages:
        fetch(Path(packages), [f"python{python}{part}" for python in pythons for part in ("", "-dev", "-venv")])
        for package in Path(packages).glob("archives/*.deb"):
            run("dpkg-deb", "--extract", package, root)
    for program in (root / "usr/bin").iterdir():
        if program.name not in {f"python{python}" for python in pythons}:  # it would be found in place of the system's
            program.unlink()
    for python in pythons:
        settle(root, python)


def fetch(folder: Path, names: list[str]) -> None:
    """Download packages and all they depend on, with a state of apt's own in a folder: the system's stays as it is."""
    for name in ("lists/partial", "archives/partial", "system/partial"):
        (folder / name).mkdir(parents=True)
    (folder / "installed").touch()
    address = mirror(folder / "system")
    (folder / "sources.list").write_text(f"deb {address} {SUITE} main\n")
    settings = {
        "Dir::State": folder,
        "Dir::State::lists": folder / "lists",
        "Dir::State::status": folder / "installed",
        "Dir::Cache": folder,
        "Dir::Etc::sourcelist": folder / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "APT::Sandbox::User": "root",
    }
    options = [f"--option={name}={value}" for name, value in settings.items()]
    run("apt-get", "update", "--quiet", "--error-on=any", *options)
    run("apt-get", "install", "--quiet", "--yes", "--no-install-recommends", "--download-only", *options, *names)


def mirror(lists: Path) -> str:
    """Return where this machine gets its own packages from. It may never have asked there; then the answer is put into `lists`."""
    ask = ("apt-get", "indextargets", "--format=$(REPO_URI)", "Created-By: Packages", "Label: Debian", "Component: main")
    found = run(*ask).split()
    if not found:
        own = f"--option=Dir::State::lists={lists}"
        run("apt-get", "update", "--quiet", own)
        found = run(*ask, own).split()
    if not found:
        sys.exit("This system's packages are not Debian's.")
    return found[0]


def settle(root: Path, python: str) -> None:
    """Tell a Python that its C library, headers and pip are where it was unpacked."""
    (library,) = (root / "usr/lib").glob("*-linux-gnu")
    (loader,) = library.glob("ld-linux*.so.*")
    program, headers = root / "usr/bin" / f"python{python}", root / "usr/include"
    run("patchelf", "--set-interpreter", loader, "--force-rpath", "--set-rpath", library, program)
    shutil.copy(headers / library.name / f"python{python}" / "pyconfig.h", headers / f"python{python}")  # in place of a pointer to it
    for path in (root / "usr/lib" / f"python{python}").iterdir():
        if path.is_symlink() and path.readlink().is_absolute():  # into /etc
            path.unlink()
        elif path.name.startswith("_sysconfigdata_") and not path.is_symlink():
            path.write_text("".join(moved(path.read_text().splitlines(keepends=True), root)))


def moved(lines: list[str], root: Path) -> Iterator[str]:
    """Put the root before each path that a Python says of itself; the zones of time and the tools are the system's."""
    for line in lines:
        stays = line.lstrip().startswith(("'INSTALL", "'DTRACE", "'TZPATH"))
        yield line if stays else line.replace("/usr/", f"{root}/usr/")


def run(*command: str | Path) -> str:
    """Run a program that must succeed. Return what it wrote."""
    return subprocess.run([str(part) for part in command], check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), *sys.argv[2:])
