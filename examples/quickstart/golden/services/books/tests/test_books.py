"""Tests of the handlers. Written once: this file is yours."""

from books._gen.settings import Settings


def test_settings_are_there(settings: Settings) -> None:
    assert settings.log_level == "info"
