"""What can go wrong that a user can mend? Everything here; all the rest is a bug.

One root, so the command line needs one `except`. A message is one line that names the thing, the value
found, the value wanted and the way out.
"""


class StudyError(Exception):
    """Root of every error this project raises on purpose. The command line prints it and exits 2."""


class SpecError(StudyError):
    """The study's YAML (or a value derived from it) is not acceptable."""


class DataError(StudyError):
    """A data file is absent, unreadable, malformed, or holds no usable row."""


class NotFetched(DataError):
    """What `study fetch` brings is not there. Made of what is missing; who knows the command says it in full."""

    def __str__(self) -> str:
        return f"{self.args[0]}; run `study fetch` with this study first"


class StorageError(StudyError):
    """The storage cannot be read or written (absent, read-only, full)."""


class CheckpointError(StudyError):
    """A checkpoint or record is incomplete or differs from its checksum."""


class ModelError(StudyError):
    """A model, size or option that cannot be loaded or combined."""


class Preempted(StudyError):
    """This process was told to go. No failure: the state of the run is written, and its next start goes on from it."""


class Halted(Preempted):
    """The whole study was told to stop, so nobody starts this run again for now."""
