"""Change lines of ``lit_cnn`` and see whether the tests nearest to them notice.

    python tests/mutation/mutate.py --seed 0 --count 70

Each mutant is one small change of meaning (``operators.py``), drawn by the seed from every room (``choosing.py``), and
put to the tests that are not slow of the file's mirror, of the test files that import it and, for commands, of those
that run them (``nearest.py``), in a copy of the project. These tests must pass without a mutant first. The results are
written after every mutant: a stopped run that is started again goes on where it was, until a source or a test changes.
``--again``, after tests were written, keeps what was killed and tries the survivors once more. Prints a Markdown table;
exits 1 if the tests fail without a mutant.
"""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from tempfile import TemporaryDirectory

from choosing import choose, room_of
from nearest import Nearest, affordable
from operators import Mutant
from record import Record, digest
from reporting import Result, identity, table, totals
from running import Copies, Outcome

ROOT = Path(__file__).parents[2]


def main() -> int:
    options = parse()
    sources, tests = texts("lit_cnn"), texts("tests")
    chosen = {identity(*case): case for case in choose(sources, options.count, options.seed, options.only)}
    record = Record.read(options.output, digest({**sources, **tests}), again=options.again)
    left = record.open_ones(list(chosen), options.again)
    print(f"{len(chosen)} mutants, {len(left)} of them to try", flush=True)
    try:
        if left:
            try_all([chosen[name] for name in chosen if name in left], sources, tests, record, options)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped: the same command goes on from here", file=sys.stderr)
        return 130
    shown = [record.results[name] for name in chosen]
    print(f"\n{table(shown)}\n\n{totals(shown)}")
    return 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0, help="which mutants are drawn (default %(default)s)")
    parser.add_argument("--count", type=int, default=70, help="how many mutants (default %(default)s)")
    parser.add_argument("--only", help="one room (training/callbacks) or one file (lit_cnn/tracking.py)")
    parser.add_argument("--jobs", type=int, choices=(1, 2), default=1, help="mutants at once (default %(default)s)")
    parser.add_argument("--budget", type=float, default=40, help="seconds of tests per mutant (default %(default)s)")
    parser.add_argument("--again", action="store_true", help="keep what was killed; try the survivors once more")
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
    cases: Sequence[tuple[str, Mutant]],
    sources: Mapping[str, str],
    tests: Mapping[str, str],
    record: Record,
    options: argparse.Namespace,
) -> None:
    """Measure the tests that are needed, try every mutant and add its result to the record.

    Raises:
        ValueError: A test fails without a mutant.
    """
    near = Nearest(sources, tests)
    needed = {test for file, _ in cases for test in (*near.mirrors(file), *near.near(file))}
    with TemporaryDirectory(prefix="mutants-") as folder, ThreadPoolExecutor(options.jobs) as pool:
        copies = Copies(ROOT, Path(folder), options.jobs)
        if new := sorted(needed - set(record.seconds)):
            begin = time.monotonic()
            seconds, problem = copies.measure(new, options.jobs)
            record.seconds |= seconds
            record.write()
            if problem:
                raise ValueError(f"tests fail without a mutant:\n{problem}")
            print(f"{len(new)} test files pass without a mutant, {time.monotonic() - begin:.0f} s", flush=True)

        def attempt(file: str, mutant: Mutant) -> Outcome:
            chosen = affordable(near.mirrors(file), near.near(file), record.seconds, options.budget)
            if not chosen:
                return Outcome("survived", "there is no near test", 0)
            timeout = 60 + 3 * sum(record.seconds[test] for test in chosen)
            return copies.try_mutant(file, mutant.applied(sources[file]), chosen, timeout)

        futures = {pool.submit(attempt, file, mutant): (file, mutant) for file, mutant in cases}
        try:
            for number, future in enumerate(as_completed(futures), 1):
                file, mutant = futures[future]
                result = as_result(file, mutant, sources[file], future.result())
                record.add(result)
                print(f"{number}/{len(futures)} {result.sentence()}", flush=True)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            copies.stop()
            raise


def as_result(file: str, mutant: Mutant, source: str, outcome: Outcome) -> Result:
    return Result(
        identity=identity(file, mutant),
        room=str(room_of(file)),
        place=f"{file}:{mutant.line}",
        line=source.splitlines()[mutant.line - 1].strip(),
        kind=mutant.kind,
        original=mutant.original,
        mutant=mutant.mutant,
        verdict=outcome.verdict,
        test=outcome.test,
        seconds=outcome.seconds,
    )


if __name__ == "__main__":
    sys.exit(main())
