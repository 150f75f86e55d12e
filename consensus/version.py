"""The version, where all rooms can read it."""

VERSION = "0.4.0"
