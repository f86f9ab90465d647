"""`python -m hourbook_simulators.conformance FOLDER...`: one line a folder, 1 under 95 %."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from hourbook_simulators.conformance.history import sequence
from hourbook_simulators.conformance.play import play
from hourbook_simulators.conformance.recordings import read_folder
from hourbook_simulators.conformance.report import misses, table, tallies


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="hourbook_simulators.conformance", description=__doc__)
    parser.add_argument("folders", nargs="+", metavar="FOLDER")
    parser.add_argument("--table", type=Path, help="where each exchange with its result is written")
    asked = parser.parse_args(words)
    try:
        folders = [read_folder(given) for given in asked.folders]
    except NotADirectoryError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    judged = asyncio.run(play(sequence(folders)))
    tally_of = tallies(folders, judged)
    sys.stdout.writelines(f"{tally}\n" for tally in tally_of)
    sys.stderr.writelines(f"{miss}\n" for miss in misses(judged))
    if asked.table is not None:
        asked.table.write_text(table(tally_of, judged), encoding="utf-8")
    return 0 if all(tally.is_enough for tally in tally_of) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
