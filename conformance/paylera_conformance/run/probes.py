"""The probes of one process of a run: each on the target, with tokens from the run's driver, where it can apart."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from paylera_conformance.http.client import Client, ClientSettings, Pace
from paylera_conformance.http.request_budget import Limits
from paylera_conformance.model.outcomes import NotRun
from paylera_conformance.probe.followed_provisioner import follow
from paylera_conformance.probe.marks import PROBE
from paylera_conformance.probe.probe import Probe
from paylera_conformance.probe.recording import Recording
from paylera_conformance.probe.variation import Variation
from paylera_conformance.run.classify import mode_needed
from paylera_conformance.run.paused_cases import PausedCases
from paylera_conformance.run.processes import ONE_ONLY, count_workers, is_worker, must_be_alone
from paylera_conformance.target.adapter import load_adapter
from paylera_conformance.target.control_api import ControlApi, ControlProvisioner, discover
from paylera_conformance.target.openapi import Document, fetch_document
from paylera_conformance.target.provisioner import Provisioner, StaticProvisioner, share_tokens
from paylera_conformance.target.settings import ConfigError, Settings


class Probes:
    """Makes probes, and what they rest on: two clients, the provisioner of the driver, and the target's document.

    - `run_id`: every request names it;
    - `root`: the provisioner, where it is not the driver's;
    - `limits`: of what is sent to the API that is judged; to the control API goes what is needed.
    """

    def __init__(
        self,
        config: pytest.Config,
        settings: Settings,
        *,
        run_id: str,
        paused: PausedCases | None,
        limits: Limits,
        root: Provisioner | None = None,
    ) -> None:
        self.settings = settings
        self._config = config
        self._run_id = run_id
        self._paused = paused
        self._root = root
        pace = Pace(None if settings.is_loopback else settings.rps / max(count_workers(config), 1))
        self.client = Client(settings.client_settings(run_id), pace=pace, limits=limits)
        of_control = ClientSettings(
            run_id=run_id, timeout=settings.timeout, ca_file=settings.ca_file, secrets=settings.secrets
        )
        self._control_client = Client(of_control, pace=pace)
        worker: str = getattr(config, "workerinput", {}).get("workerid", "")
        is_resumed = paused is not None and paused.resumed is not None
        self._session_id = worker + (secrets.token_hex(4) if is_resumed else "")
        self._document: Document | None = None
        self._made = 0
        self.shared: Probe | None = None

    def close(self) -> None:
        """Close every connection."""
        self.client.close()
        self._control_client.close()

    def point_at(self, settings: Settings) -> None:
        """Go on against another target, or another namespace of it."""
        self.settings = settings
        self._root = None
        self._document = None

    @contextmanager
    def of_case(self, item: pytest.Item) -> Iterator[Probe]:
        """A probe of a namespace of its own, if there are such. Raises `NotRun` where the case lies beyond the mode."""
        self._check_mode(item)
        recording = self._paused.recording_of(item) if self._paused else None
        with self._namespace(recording) as provisioner:
            item.stash[PROBE] = self._make(provisioner, recording, name=item.nodeid.rpartition("/")[2])
            yield item.stash[PROBE]

    @contextmanager
    def of_many_cases(self) -> Iterator[Probe]:
        """The probe `shared` by cases that go on together, in a namespace of their own if there are such."""
        with self._namespace() as provisioner:
            self.shared = probe = self._make(provisioner, name="shared")
            yield probe
            if not provisioner.vanishes:
                probe.remove_created()

    def of_silent_case(self, item: pytest.Item) -> Probe:
        """The probe of a case that sends nothing itself. Raises `NotRun` where the case lies beyond the mode."""
        self._check_mode(item)
        item.stash[PROBE] = self._make(self.root())
        return item.stash[PROBE]

    def following(self, shared: Probe, name: str) -> Probe | None:
        """A probe of what several cases look at together in each session; `None` where the run does not wait."""
        return self._make(shared.provisioner, self._paused.follow(name), name=name) if self._paused else None

    def _check_mode(self, item: pytest.Item) -> None:
        mode = mode_needed(item)
        if mode > self.settings.mode:
            raise NotRun(f"needs mode {mode}, and this run is in mode {self.settings.mode}")

    @contextmanager
    def _namespace(self, recording: Recording | None = None) -> Iterator[Provisioner]:
        provisioner = self.root().isolate()
        try:
            yield provisioner
        finally:
            if not (recording and recording.waits):  # it is gone on with there
                provisioner.close()

    def _make(self, provisioner: Provisioner, recording: Recording | None = None, *, name: str = "") -> Probe:
        self._made += 1
        # In a namespace of its own a case may send what an earlier run has sent. Elsewhere that would be a replay, in a
        # later session of one run too.
        apart = "" if provisioner.vanishes else f"{self._run_id} {self._session_id}"
        seed = f"{self.settings.seed} {name or self._made}"
        return Probe(
            self.client,
            follow(provisioner, recording) if recording else provisioner,
            self.settings,
            variation=Variation(seed, self.settings.user_agent, apart=apart),
            document=self.document,
            recording=recording,
        )

    def document(self) -> Document:
        """The target's OpenAPI document, fetched once for each process."""
        if self._document is None:
            self._document = fetch_document(self.client, self.settings.url, self.settings.profile)
        return self._document

    def root(self) -> Provisioner:
        """The provisioner of the run's driver, made once. Raises `ConfigError`."""
        if self._root is None:
            root = self._make_root()
            # A controller that did not know its target has started workers all the same.
            if is_worker(self._config) and count_workers(self._config) > 1 and must_be_alone(root):
                raise ConfigError(f"{ONE_ONLY}: leave -n out")
            self._root = self._paused.provisioner(root) if self._paused else root
        return self._root

    def _make_root(self) -> Provisioner:
        settings = self.settings
        if settings.driver == "control":
            api = ControlApi(self._control_client, str(settings.control_url), settings.control_token)
            return ControlProvisioner(api, discover(api), settings)
        if settings.driver == "python":
            return load_adapter(settings)
        return StaticProvisioner(self._share(settings))

    def _share(self, settings: Settings) -> Settings:
        """The settings without the disposable tokens that another process of the run uses up."""
        if not is_worker(self._config):
            return settings
        given = vars(self._config)["workerinput"]
        return replace(settings, tokens=share_tokens(settings.tokens, given["workerid"], given["workercount"]))
