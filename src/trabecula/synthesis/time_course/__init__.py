"""Network meta-analysis of time courses."""

from trabecula.synthesis.time_course.curves import (
    Curve,
    EmaxCurve,
    ExponentialCurve,
    IntegratedLogisticCurve,
    LinearSplineCurve,
    LogLinearCurve,
)
from trabecula.synthesis.time_course.fit import TimeCourseFit
from trabecula.synthesis.time_course.prediction import TimeCourseComparison, TimeCoursePrediction
from trabecula.synthesis.time_course.time_course_network import time_course_network

__all__ = [
    "Curve",
    "EmaxCurve",
    "ExponentialCurve",
    "IntegratedLogisticCurve",
    "LinearSplineCurve",
    "LogLinearCurve",
    "TimeCourseComparison",
    "TimeCourseFit",
    "TimeCoursePrediction",
    "time_course_network",
]
