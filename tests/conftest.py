"""Tests hold on any machine, however busy it is: what hypothesis makes up may take as long as it takes."""

from hypothesis import HealthCheck, settings

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")
