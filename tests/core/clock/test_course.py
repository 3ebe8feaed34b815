"""The course of a run: even, or shortened on its way; and settings that only a run can have written."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftwork.core.clock.course import Course
from graftwork.core.settings import Training, rate_at
from graftwork.errors import UsageError


@st.composite
def courses(draw: st.DrawFn) -> Course:
    course = Course(draw(st.integers(2, 500)))
    at = 0
    for _ in range(draw(st.integers(0, 4))):
        if course.end - at < 2:
            break
        at = draw(st.integers(max(at, 1), course.end - 1))  # twice after one step where the run paused between
        course = course.cut(at, draw(st.integers(at, course.end - 1)))
    return course


@given(courses())
def test_a_course_rises_to_its_end(course: Course) -> None:
    places = [course.place(step) for step in range(course.end + 1)]
    assert places[0] == 0
    assert all(first < second for first, second in itertools.pairwise(places))
    ended_at_once = course.cuts and course.cuts[-1] == course.cuts[-2]
    if not ended_at_once:
        assert places[-1] == pytest.approx(course.total)
    Training(steps=course.total, cuts=course.cuts)  # and a recipe can hold it


@given(courses(), st.floats(0, 1))
def test_step_at_is_the_first_step_there(course: Course, share: float) -> None:
    place = share * course.place(course.end)
    step = course.step_at(place)
    assert course.place(step) >= place - 1e-5
    assert step == 0 or course.place(step - 1) < place


def test_a_plain_course_is_the_steps_themselves() -> None:
    assert [Course(7).place(step) for step in range(8)] == list(range(8))
    assert all(isinstance(Course(7).place(step), int) for step in range(8))


def test_a_cut_changes_nothing_before_it_and_the_rate_falls_to_its_end() -> None:
    training, course = Training(warmup=0.1, schedule="linear"), Course(100, (40, 60))
    rates = [rate_at(training, course.place(step), 100) for step in range(60)]
    assert rates[:41] == [rate_at(training, step, 100) for step in range(41)]
    assert rates[-1] == pytest.approx(rate_at(training, 97, 100))
    assert all(first > second for first, second in itertools.pairwise(rates[40:]))


@pytest.mark.parametrize("cuts", [(40,), (40, 120), (40, 60, 30, 50), (40, 60, 50, 70), (70, 60), (-1, 5)])
def test_cuts_that_no_run_writes_are_refused(cuts: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match="Expected pairs of numbers, as a run writes them"):
        Training(steps=100, cuts=cuts)


def test_cuts_need_steps() -> None:
    with pytest.raises(UsageError, match="setting steps"):
        Training(cuts=(40, 60))
