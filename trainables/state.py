"""What must be on disk for a run to go on as if nothing had happened?

The trained tensors, the optimisers' moments and the position. Random numbers are not state: every step seeds its
own generator from (seed, step), and the order of the data is a function of (seed, epoch). Everything is
safetensors and JSON; nothing is unpickled.

States are written beside the training: the tensors are copied into main memory, and a thread writes them, as a whole
or not at all, while the next steps are made.

    with Writer(folder) as writer:
        writer.put(tensors, optimizers, position)       # returns after copying
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor
from torch.optim import Optimizer

from trainables import storage
from trainables.errors import CheckpointError

STATE = "state.safetensors"


@dataclass(frozen=True)
class _Copy:
    """A state in main memory."""

    tensors: dict[str, Tensor]
    position: str


class Writer:
    """Writes states of one run in the background: one at a time, and of those that wait only the newest.

    What goes wrong in the background is raised by the next `put`, by `flush`, or on leaving.
    """

    def __init__(self, folder: str) -> None:
        self.path = storage.join(folder, STATE)
        self._change = threading.Condition()
        self._waiting: _Copy | None = None
        self._writing = False
        self._error: BaseException | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.flush()
            return
        with suppress(Exception):  # what ended the run says more
            self.flush()

    def put(self, tensors: Mapping[str, Tensor], optimizers: Sequence[Optimizer], position: Mapping[str, Any]) -> None:
        """Copy a state; it is written soon. Raises `StorageError` when an earlier one could not be."""
        copy = _copied(tensors, optimizers, position)
        with self._change:
            self._raise()
            self._waiting = copy
            if not self._writing:
                self._writing = True
                # No daemon: an interpreter that ends waits for the state it has promised.
                threading.Thread(target=self._write, name="state").start()

    def flush(self) -> None:
        """Wait until the newest state is on the storage. Raises `StorageError` when it cannot be written."""
        with self._change:
            self._change.wait_for(lambda: not self._writing)
            self._raise()

    def _raise(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error

    def _write(self) -> None:
        while True:
            with self._change:
                copy, self._waiting = self._waiting, None
                if copy is None or self._error is not None:
                    self._writing = False
                    self._change.notify_all()
                    return
            try:
                storage.write_bytes(self.path, save(copy.tensors, metadata={"position": copy.position}))
            except Exception as error:  # raised where the run can hear it
                self._error = error


def _copied(tensors: Mapping[str, Tensor], optimizers: Sequence[Optimizer], position: Mapping[str, Any]) -> _Copy:
    flat = {f"model/{name}": tensor for name, tensor in tensors.items()}
    for number, optimizer in enumerate(optimizers):
        for index, moments in optimizer.state_dict()["state"].items():
            flat |= {f"optimizer/{number}/{index}/{name}": value for name, value in moments.items()}
    copies = {name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in flat.items()}
    return _Copy(copies, json.dumps(position))


def read(
    folder: str, tensors: Mapping[str, Tensor], optimizers: Sequence[Optimizer], same: Mapping[str, Any] | None = None
) -> dict[str, Any] | None:
    """Restore tensors and optimisers in place and return the position; None when there is no state.

    Raises `CheckpointError` when the state is cut short, belongs to another model, or has a position that says
    something else than `same` does.
    """
    path = storage.join(folder, STATE)
    try:
        data = storage.read_bytes(path)
    except FileNotFoundError:
        return None
    try:
        flat = load(data)
        position = json.loads(_metadata(data)["position"])
    except (SafetensorError, ValueError, KeyError) as error:
        raise CheckpointError(f"{path}: not a whole state ({error}); the run starts again") from error
    expected = {f"model/{name}" for name in tensors}
    if expected != {key for key in flat if key.startswith("model/")}:
        raise CheckpointError(f"{path}: holds other tensors than this run trains; the run starts again")
    for field, value in (same or {}).items():
        if position.get(field, value) != value:
            told = f"of a run with {field} {position[field]}, this one has {value}"
            raise CheckpointError(f"{path}: {told}; the run starts again")
    for name, tensor in tensors.items():
        tensor.data.copy_(flat[f"model/{name}"])
    for number, optimizer in enumerate(optimizers):
        whole = optimizer.state_dict()
        whole["state"] = _moments(flat, f"optimizer/{number}/")
        optimizer.load_state_dict(whole)
    return position


def _moments(flat: dict[str, Tensor], prefix: str) -> dict[int, dict[str, Tensor]]:
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in flat.items():
        if key.startswith(prefix):
            index, name = key[len(prefix) :].split("/")
            state.setdefault(int(index), {})[name] = value
    return state


def _metadata(data: bytes) -> dict[str, str]:
    """The header's metadata: eight bytes of length, then JSON (safetensors format)."""
    length = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + length])["__metadata__"]
