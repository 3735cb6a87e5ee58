"""Change lines of ``lit_cnn`` and see whether the tests nearest to them notice.

    python tests/mutation/mutate.py --seed 0 --count 70

Each mutant is one small change of meaning (``operators.py``), drawn by the seed from every room (``choosing.py``), and
put to the tests that are not slow of the file's mirror, of the test files that import it and, for commands, of those
that run them (``nearest.py``), in a copy of the project. These tests must pass without a mutant first. The results are
written after every mutant, and a stopped run that is started again goes on where it was; ``--again`` tries the
survivors once more, after tests were written. Prints a Markdown table; exits 1 if the tests fail without a mutant.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from choosing import choose, room_of
from nearest import Nearest, affordable
from operators import Mutant
from reporting import Result, identity, table, totals
from running import Copies, Outcome

ROOT = Path(__file__).parents[2]


def main() -> int:
    options = parse()
    sources = texts("lit_cnn")
    chosen = choose(sources, options.count, options.seed, options.only)
    results = read_results(options.output)
    survived = {key for key, result in results.items() if result.verdict == "survived"}
    done = set(results) - (survived if options.again else set())
    open_ones = [(file, mutant) for file, mutant in chosen if identity(file, mutant) not in done]
    print(f"{len(chosen)} mutants, {len(open_ones)} of them to try", flush=True)
    try:
        try_all(open_ones, sources, results, options)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    shown = [results[identity(file, mutant)] for file, mutant in chosen]
    print(f"\n{table(shown)}\n\n{totals(shown)}")
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0, help="which mutants are drawn (default %(default)s)")
    parser.add_argument("--count", type=int, default=70, help="how many mutants (default %(default)s)")
    parser.add_argument("--only", help="one room (training/callbacks) or one file (lit_cnn/tracking.py)")
    parser.add_argument("--jobs", type=int, choices=(1, 2), default=1, help="mutants at once (default %(default)s)")
    parser.add_argument("--budget", type=float, default=40, help="seconds of tests per mutant (default %(default)s)")
    parser.add_argument("--again", action="store_true", help="try those that survived once more")
    parser.add_argument(
        "--output",
        type=Path,
        default=ROOT / "build" / "mutants.json",
        help="results, read at the start and written after every mutant (default build/mutants.json)",
    )
    return parser.parse_args()


def texts(folder: str) -> dict[str, str]:
    """The Python files of a folder of the project, by their path in it."""
    return {path.relative_to(ROOT).as_posix(): path.read_text() for path in sorted((ROOT / folder).rglob("*.py"))}


def try_all(
    open_ones: list[tuple[str, Mutant]],
    sources: Mapping[str, str],
    results: dict[str, Result],
    options: argparse.Namespace,
) -> None:
    """Measure the tests that are needed, try every mutant and add its result to ``results`` and to the output file."""
    near = Nearest(sources, texts("tests"))
    needed = {test for file, _ in open_ones for test in (*near.mirrors(file), *near.near(file))}
    if not needed:
        return
    with TemporaryDirectory(prefix="mutants-") as folder, ThreadPoolExecutor(options.jobs) as pool:
        copies = Copies(ROOT, Path(folder), options.jobs)
        begin = time.monotonic()
        seconds = copies.measure(sorted(needed), options.jobs)
        print(f"{len(needed)} test files pass without a mutant, {time.monotonic() - begin:.0f} s", flush=True)

        def attempt(file: str, mutant: Mutant) -> Outcome:
            tests = affordable(near.mirrors(file), near.near(file), seconds, options.budget)
            if not tests:
                return Outcome("survived", "there is no near test", 0)
            timeout = 60 + 3 * sum(seconds[test] for test in tests)
            return copies.try_mutant(file, mutant.applied(sources[file]), tests, timeout)

        futures = {pool.submit(attempt, file, mutant): (file, mutant) for file, mutant in open_ones}
        try:
            for number, future in enumerate(as_completed(futures), 1):
                result = as_result(*futures[future], future)
                results[result.identity] = result
                write_results(options.output, results)
                print(f"{number}/{len(futures)} {result.sentence()}", flush=True)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            copies.stop()
            raise


def as_result(file: str, mutant: Mutant, future: "Future[Outcome]") -> Result:
    outcome = future.result()
    line = (ROOT / file).read_text().splitlines()[mutant.line - 1].strip()
    return Result(
        identity=identity(file, mutant),
        room=str(room_of(file)),
        place=f"{file}:{mutant.line}",
        line=line,
        kind=mutant.kind,
        original=mutant.original,
        mutant=mutant.mutant,
        verdict=outcome.verdict,
        test=outcome.test,
        seconds=outcome.seconds,
    )


def read_results(path: Path) -> dict[str, Result]:
    if not path.exists():
        return {}
    return {entry["identity"]: Result(**entry) for entry in json.loads(path.read_text())}


def write_results(path: Path, results: Mapping[str, Result]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps([asdict(result) for result in results.values()], indent=2))
    os.replace(partial, path)


if __name__ == "__main__":
    sys.exit(main())
