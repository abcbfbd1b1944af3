"""Trainings as processes: who is at it, what they say, how they are stopped and go on.

All of it is in files of the run, so that it can be followed from another machine; nothing
here loads Keras.
"""

from posenb.jobs.attending import Attendance, alone, attended, history_table
from posenb.jobs.observing import Observation, Phase, Row, observe, stop_training
from posenb.jobs.record import Record
from posenb.jobs.starting import check_reach, launch, resume
from posenb.jobs.waiting import wait_for_training

__all__ = [
    "Attendance",
    "Observation",
    "Phase",
    "Record",
    "Row",
    "alone",
    "attended",
    "check_reach",
    "history_table",
    "launch",
    "observe",
    "resume",
    "stop_training",
    "wait_for_training",
]
