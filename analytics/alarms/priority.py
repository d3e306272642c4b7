"""The priority of an alarm and the arithmetic behind it: level x abnormality x place, each factor shown."""

from __future__ import annotations

from dataclasses import dataclass

from analytics.alarms.conditions import Condition, Sort
from analytics.alarms.lifecycle import Priority
from analytics.alarms.rules import AlarmRule, PlaceRule, Rules

ELSEWHERE = "elsewhere"
"""The name of a place that no rule knows; its factor is 1."""


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """How a priority came about. level: its word, or `severity` where the rule has one of its own."""

    level: str
    level_factor: float
    abnormality: str
    abnormality_factor: float
    place: str
    place_factor: float
    score: float
    medium: float
    high: float
    priority: Priority

    @property
    def words(self) -> str:
        """The sum as an operator would check it.

        >>> Arithmetic("jammed", 3, "unusual", 2, "gate", 1, 6, 3, 6, Priority.HIGH).words
        '3 (jammed) x 2 (unusual) x 1 (gate) = 6: high, from 6'
        """
        factors = (
            (self.level_factor, self.level),
            (self.abnormality_factor, self.abnormality),
            (self.place_factor, self.place),
        )
        product = " x ".join(f"{factor:g} ({name})" for factor, name in factors)
        bound = {
            Priority.HIGH: f"from {self.high:g}",
            Priority.MEDIUM: f"from {self.medium:g}",
            Priority.LOW: f"below {self.medium:g}",
        }
        return f"{product} = {self.score:g}: {self.priority}, {bound[self.priority]}"


def weigh(rules: Rules, rule: AlarmRule, condition: Condition, place: PlaceRule | None) -> Arithmetic:
    """The priority of a condition under its rule, at the place of its that counts most.

    Faults and the service's own troubles are not usual or unusual: their abnormality counts 1.
    """
    factors = rules.priority
    level, level_factor = _level(rules, rule, condition)
    judged = condition.sort is Sort.CONGESTION
    abnormality = condition.abnormality.label if judged else "not judged"
    abnormality_factor = factors.abnormality[condition.abnormality.label] if judged else 1.0
    place_name, place_factor = (place.name, place.factor) if place is not None else (ELSEWHERE, 1.0)
    score = round(level_factor * abnormality_factor * place_factor, 6)
    return Arithmetic(
        level=level,
        level_factor=level_factor,
        abnormality=abnormality,
        abnormality_factor=abnormality_factor,
        place=place_name,
        place_factor=place_factor,
        score=score,
        medium=factors.medium,
        high=factors.high,
        priority=_urgency(score, factors.medium, factors.high),
    )


def _level(rules: Rules, rule: AlarmRule, condition: Condition) -> tuple[str, float]:
    if rule.severity is not None:
        return "severity", rule.severity
    label = condition.level.label
    return label, rules.priority.level.get(label, 1.0)


def _urgency(score: float, medium: float, high: float) -> Priority:
    if score >= high:
        return Priority.HIGH
    return Priority.MEDIUM if score >= medium else Priority.LOW
