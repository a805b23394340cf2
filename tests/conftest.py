"""What holds for all tests: nothing is timed, since a busy machine is no mistake of ours."""

from hypothesis import HealthCheck, settings

settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
