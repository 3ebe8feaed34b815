"""The order in which an ablation makes its runs: repeat by repeat, all arms of one before the next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace

from graftwork.errors import DataError, NumericalError
from graftwork.evidence.ablation.cells import Cell, Comparison
from graftwork.evidence.ablation.corrected_t import FEWEST
from graftwork.evidence.ablation.outcome import Outcome, outcome
from graftwork.evidence.ablation.racing import open_arms, open_comparisons, planned_looks
from graftwork.evidence.ablation.scale import Scale
from graftwork.evidence.words import duration, listed
from graftwork.recipe import Recipe
from graftwork.runs.ablation.arms import Arms
from graftwork.runs.ablation.cell import CellRunner, Wanted
from graftwork.runs.ablation.repeats import Pool, Repeat, repeat_of
from graftwork.runs.clock import Deadline
from graftwork.runs.listener import Listener
from graftwork.shown import counted

USUAL, MOST = 10, 40
"""Repeats where none are asked for, and at most where a budget or a race decides."""
ENOUGH = 3
"""Runs that are asked for together, for each that can be made at the same time, so that no machine waits."""
GIVEN_UP = 2
"""Repeats after which nothing more is tried, where every run has failed."""


@dataclass(frozen=True)
class Asked:
    """repeats: None for the usual number, or for as many as the budget or the race has. deadline: of a budget. race:
    no further repeats of what is decided."""

    repeats: int | None = None
    deadline: Deadline | None = None
    race: bool = False

    @property
    def most(self) -> int:
        """Repeats at most."""
        if self.repeats is not None:
            return self.repeats
        return MOST if self.race or self.deadline is not None else USUAL

    @property
    def looks(self) -> tuple[int, ...]:
        """The numbers of repeats at which a race may stop, fixed before anything is seen; none without a race."""
        return planned_looks(self.most) if self.race else ()


@dataclass
class Rounds:
    """Makes the cells of an ablation.

    arms: those that a budget has no time for are left out once it is known. walls: seconds by the clock of the
    last run of each arm.
    """

    pool: Pool
    recipe: Recipe
    arms: Arms
    asked: Asked
    runner: CellRunner
    listener: Listener
    scale: Scale
    cells: list[Cell] = field(default_factory=list)
    walls: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    _repeats: dict[int, Repeat] = field(default_factory=dict)
    _unsplit: set[int] = field(default_factory=set)

    def run(self) -> tuple[Cell, ...]:
        """All cells, those of failed runs too. Ctrl-C is raised again: what was finished is kept.

        Raises UsageError for a budget that is too small for the fewest repeats of one pair of arms; NumericalError
        where every run fails.
        """
        names = [name for name in self.arms.design.arms if name in self.arms.each]
        self._make([(0, names[0])])
        first = self.cells[0]
        each = self.walls.get(names[0], first.seconds + first.predict_seconds)
        names = self._afforded(names, each)
        self._announce(names, each)
        pending: list[tuple[int, str]] = []
        for number in range(self.asked.most):
            if number in self.asked.looks:
                pending = self._make(pending)
                names = self._still_open()
            if not self._can_be_split(number):
                continue
            if not names or not self._in_time(number, names, each):
                break
            pending += [(number, name) for name in names if (number, name) != (0, first.arm)]
            if self._enough(number, pending):
                pending = self._make(pending)
            if number + 1 == GIVEN_UP and all(cell.score is None for cell in self.cells):
                raise NumericalError(
                    f"Not one of the {len(self.cells):,} runs of the first {GIVEN_UP} repeats could be finished. "
                    f"{self.cells[0].arm}: {self.cells[0].failed}"
                )
        self._make(pending)
        return tuple(self.cells)

    def _enough(self, number: int, pending: Sequence[tuple[int, str]]) -> bool:
        """Whether to make what was asked for so far, before anything more is: the clock, or what comes of it, decides;
        or all machines have enough to do."""
        slots = self.runner.slots
        decides = slots == 1 or self.asked.deadline is not None or number + 1 == GIVEN_UP
        return decides or len(pending) >= ENOUGH * slots

    def _make(self, pairs: Sequence[tuple[int, str]]) -> list[tuple[int, str]]:
        """The cells of these arms on these repeats: found among the finished runs, or made, at the same time where
        there is room for it. Gives what is left to be made: nothing."""
        began, made = len(self.cells), dict[tuple[int, str], Cell]()

        def add(cell: Cell) -> None:
            made[cell.repeat, cell.arm] = cell
            self.cells.append(cell)
            self.listener.tabled(self.so_far, f"repeat {cell.repeat + 1} of {self._of}, {len(self.cells):,} runs")

        def wanted() -> Iterator[Wanted]:
            for number, name in pairs:
                cell = self._found(number, name)
                if cell is not None:
                    add(cell)
                    continue
                arm, repeat = self.arms.each[name], self._repeat(number)
                if not self.walls:
                    self.listener.doing("warming up")
                    self.runner.warm(arm, repeat)
                self.listener.doing(f"repeat {number + 1} of {self._of}: {name}")
                yield Wanted(name, arm, repeat)

        with closing(self.runner.run_each(wanted())) as each:
            for cell, seconds in each:
                self.walls[cell.arm] = seconds
                if cell.failed:
                    self.listener.note(f"repeat {cell.repeat + 1}, {cell.arm}: failed. {cell.failed}")
                add(cell)
        self.cells[began:] = [made[pair] for pair in pairs]  # in their order, whichever was done first
        return []

    def say(self, text: str) -> None:
        """What the page says too."""
        self.notes.append(text)
        self.listener.note(text)

    def so_far(self) -> Outcome:
        """What the cells that are there say."""
        return outcome(self.arms.design, self.cells, scale=self.scale, looks=self.asked.looks)

    def _found(self, number: int, name: str) -> Cell | None:
        return self.runner.found(name, self.arms.each[name], self._repeat(number))

    def _repeat(self, number: int) -> Repeat:
        if number not in self._repeats:
            self._repeats[number] = repeat_of(self.pool, self.recipe, number)
        return self._repeats[number]

    def _can_be_split(self, number: int) -> bool:
        """Whether the rows can be split for a repeat (the draw may leave too few groups); else it is left out, and
        said once."""
        if number in self._unsplit:
            return False
        try:
            self._repeat(number)
        except DataError as error:
            self._unsplit.add(number)
            self.say(f"repeat {number + 1} is left out, its rows can't be split: {error}")
        return number not in self._unsplit

    @property
    def _of(self) -> str:
        open_ended = self.asked.repeats is None and (self.asked.race or self.asked.deadline is not None)
        return f"at most {self.asked.most}" if open_ended else f"{self.asked.most}"

    def _afforded(self, names: list[str], each: float) -> list[str]:
        """The arms of as many comparisons as the budget has the fewest repeats for; the others are left out, and said.

        each: seconds of a run."""
        deadline, design = self.asked.deadline, self.arms.design
        if deadline is None:
            return names
        whole = design.method == "shapley"
        least = names if whole else [one for one in names if one in _pair(design.comparisons, names)]
        if FEWEST * len(least) * each > deadline.left() + each:
            what = "one pair of runs" if not whole else f"all {len(least)} runs"
            raise deadline.refuse(
                (FEWEST * len(least) - 1) * each - deadline.left(),
                f"{FEWEST} repeats of {what} take about {duration(FEWEST * len(least) * each)}, and no verdict is "
                "given from fewer",
            )
        kept, out = list[str](), list[str]()
        for one in design.comparisons if not whole else ():
            needed = [name for name in names if name in (*kept, one.with_, one.without)]
            if {one.with_, one.without} & set(design.refused):
                continue
            if FEWEST * len(needed) * each <= deadline.left() + each:
                kept = needed
            else:
                out.append(one.name)
        if whole or not out:
            return names
        left = [one for one in design.comparisons if one.name not in out]
        self.arms = replace(self.arms, design=replace(design, comparisons=tuple(left)))
        self.say(f"the budget has no time for {FEWEST} repeats of all: {listed(out)} left out")
        return kept

    def _announce(self, names: Sequence[str], each: float) -> None:
        """What it will take."""
        arms = counted(len(names), "run")
        said = f"a run takes about {duration(each)}, a repeat of {arms} {duration(each * len(names))}"
        if self.asked.deadline is not None:
            fit = int(max(self.asked.deadline.left(), 0.0) / max(each * len(names), 1e-9)) + 1
            self.listener.note(f"{said}: the budget has time for about {counted(min(fit, self.asked.most), 'repeat')}")
            return
        whole = [(number, name) for number in range(self.asked.most) if self._can_be_split(number) for name in names]
        there = sum(self._found(number, name) is not None for number, name in whole)
        left = len(whole) - max(there, 1)
        of = f", {there:,} of them finished before" if there > 1 else ""
        atmost = "at most " if self.asked.race else ""
        self.listener.note(
            f"{said}: {self.asked.most} repeats are {atmost}{counted(len(whole), 'run')}{of}, {atmost}about "
            f"{duration(each * left / self.runner.slots)} to come"
        )

    def _still_open(self) -> list[str]:
        """The arms that a further repeat needs."""
        design = self.arms.design
        names = open_comparisons(design, self.cells, looks=self.asked.looks)
        return [name for name in open_arms(design, names) if name in self.arms.each]

    def _in_time(self, number: int, names: Sequence[str], each: float) -> bool:
        """Whether the budget has time for a repeat; the fewest that say anything are begun while any is left."""
        if self.asked.deadline is None or number == 0:
            return True
        left = self.asked.deadline.left()
        wanted = [self.walls.get(name, each) for name in names if self._found(number, name) is None]
        if not wanted or (sum(wanted) / self.runner.slots <= left if number >= FEWEST else left > 0):
            return True
        self.say(f"the budget is used up after {counted(number, 'repeat')}")
        return False


def _pair(comparisons: Sequence[Comparison], names: Sequence[str]) -> tuple[str, str]:
    """The arms of the first comparison that can be made."""
    found = ((one.with_, one.without) for one in comparisons)
    return next(pair for pair in found if set(pair) <= set(names))
