"""Every error Wayside raises on purpose, as one tree.

::

    WaysideError
    ├── InvalidInput             the caller sent something we cannot accept, and `param` says where
    │   ├── UnsupportedParameter   a parameter of the protocol that we do not honour
    │   ├── UnsupportedOperation   an operation of the protocol that we do not offer
    │   ├── UnreadableDocument     bytes that are not what they claim, broken, or hostile
    │   ├── UnsupportedMedia       a type of content we have no reader for
    │   └── TooLarge               over a stated limit of size, length or count
    ├── Unauthenticated          no key, or a key that we do not know
    ├── Forbidden                a known key whose role may not do this
    ├── NotFound                 no such thing, or not within the caller's tenant (never told apart)
    ├── Conflict                 the state of the thing does not allow this now
    │   ├── InFlight               the same idempotency key is still being worked on
    │   ├── PromotionRefused       a model that is worse than the champion; `findings` say in what
    │   └── WorkspaceInUse         another process owns this workspace
    ├── KeyReused                an idempotency key that came back with another body
    ├── RateLimited              over the rate or the quota; `retry_after` says when to come back
    ├── EngineError              an engine could not answer
    │   ├── EngineUnavailable      unreachable, refusing, or its circuit breaker is open
    │   ├── EngineTimeout          no answer within the time allowed
    │   └── EngineRejected         the engine called the request wrong (its 4xx)
    ├── SystemFault              one of the company's systems (help desk, orders, procurement) did not serve us
    │   ├── SystemUnavailable      unreachable, or refusing us: whatever was asked for has not been done
    │   └── OutcomeUnknown         no answer that says whether it was done: read it back before trying again
    ├── MissingExtra             an optional package is not installed; the message has the command that installs it
    ├── CorruptArtefact          a model file whose hash is not the pinned one
    ├── BundleRefused            a bundle for devices that must not be used, each reason with its own error
    │   ├── BundleUnreadable       no manifest that this program can read
    │   ├── BundleUnsigned         nobody has signed it
    │   ├── UnknownSigner          signed, by no key that this device trusts
    │   ├── RevokedSigner          signed by a key that was revoked
    │   ├── BundleTampered         its bytes are not those that were signed
    │   ├── BundleTruncated        it ends before its end
    │   ├── BundleDowngraded       older than one that this device has had
    │   ├── BundleExpired          past the time until which it may be installed
    │   ├── BundleMisdirected      made for another company, or under another name, than was asked for
    │   └── WrongBase              an adapter whose base model is neither in it nor on the device
    ├── DownloadFailed           a download that broke; asked for again, it goes on where it stopped
    │   └── ArtefactChanged        what is offered now is not what the download began with: begin with the manifest
    ├── ApiError                 a gateway's API refused a client of ours; the message is the gateway's own
    ├── GatewayUnreachable       a device that did not reach the gateway, or got no whole answer
    └── ConversionFailed         a trained model that could not be brought into the format of where it runs

`app/errors.py` holds the one table that maps these to HTTP statuses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.gates import Finding


class WaysideError(Exception):
    """Root of the tree. `code` is a stable machine-readable word; `param` names the offending input, if one does."""

    code = "error"

    def __init__(self, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        if code is not None:
            self.code = code


class InvalidInput(WaysideError):
    """The caller sent something we cannot accept."""

    code = "invalid_input"


class UnsupportedParameter(InvalidInput):
    """A parameter of the protocol that we do not honour; refused rather than dropped."""

    code = "unsupported_parameter"


class UnsupportedOperation(InvalidInput):
    """An operation of the protocol that we do not offer; the message says what to do instead."""

    code = "unsupported_operation"


class UnreadableDocument(InvalidInput):
    """Bytes that are not what they claim to be, are broken, or are hostile."""

    code = "unreadable_document"


class UnsupportedMedia(InvalidInput):
    """A type of content for which there is no reader."""

    code = "unsupported_media"


class TooLarge(InvalidInput):
    """Over a stated limit of size, length or count."""

    code = "too_large"


class Unauthenticated(WaysideError):
    """No key, or a key that we do not know."""

    code = "invalid_api_key"


class Forbidden(WaysideError):
    """A known key whose role may not do this."""

    code = "forbidden"


class NotFound(WaysideError):
    """No such thing within the caller's tenant. Another tenant's thing is not found either."""

    code = "not_found"


class Conflict(WaysideError):
    """The state of the thing does not allow this now."""

    code = "conflict"


class InFlight(Conflict):
    """The first request with this idempotency key has not ended yet."""

    code = "idempotency_in_flight"


class PromotionRefused(Conflict):
    """A version that the gate does not let become the champion. `findings` is all that the gate looked at."""

    code = "promotion_refused"

    def __init__(self, version: str, findings: Sequence[Finding]) -> None:
        told = "; ".join(each.words for each in findings if each.refuses)
        super().__init__(f"{version} is not promoted: {told}", param="version")
        self.findings = findings


class WorkspaceInUse(Conflict):
    """Another process owns this workspace."""

    code = "workspace_in_use"


class KeyReused(WaysideError):
    """An idempotency key that came back with another body."""

    code = "idempotency_key_reused"


class RateLimited(WaysideError):
    """Over the rate or the quota.

    `retry_after` is in seconds.
    """

    code = "rate_limited"

    def __init__(self, message: str, *, retry_after: float, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.retry_after = retry_after


class EngineError(WaysideError):
    """An engine could not answer."""

    code = "engine_error"


class EngineUnavailable(EngineError):
    """The engine is unreachable or refusing, or its circuit breaker is open."""

    code = "engine_unavailable"


class EngineTimeout(EngineError):
    """The engine gave no answer within the time allowed."""

    code = "engine_timeout"


class EngineRejected(EngineError):
    """The engine called the request wrong. Another engine would not do better, so there is no fallback."""

    code = "engine_rejected"


class SystemFault(WaysideError):
    """One of the company's systems did not serve us: it is set up wrongly, or answers what nobody can read."""

    code = "system_fault"


class SystemUnavailable(SystemFault):
    """The system is unreachable, too busy, or refuses us. Whatever was asked for has not been done.

    `retry_after` is in seconds, where the system said when to come back.
    """

    code = "system_unavailable"

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class OutcomeUnknown(SystemFault):
    """An action that may or may not have been done, now or in a moment. Whoever repeats it reads back first."""

    code = "outcome_unknown"


class MissingExtra(WaysideError):
    """An optional package is not installed."""

    code = "missing_extra"

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"this needs the package {package}: run  pip install -c constraints.txt -e '.[{extra}]'")
        self.package, self.extra = package, extra


class CorruptArtefact(WaysideError):
    """A file of a model whose SHA-256 is not the pinned one. It has been deleted, never opened."""

    code = "corrupt_artefact"


class BundleRefused(WaysideError):
    """A bundle for devices that must not be used. What was installed before it stays in use."""

    code = "bundle_refused"


class BundleUnreadable(BundleRefused):
    """What should be a bundle's manifest is none that this program can read."""

    code = "bundle_unreadable"


class BundleUnsigned(BundleRefused):
    """A manifest without a signature."""

    code = "bundle_unsigned"


class UnknownSigner(BundleRefused):
    """No signature is by a key that this device trusts."""

    code = "bundle_unknown_key"


class RevokedSigner(BundleRefused):
    """The signature is by a key that was trusted once, and has been revoked."""

    code = "bundle_revoked_key"


class BundleTampered(BundleRefused):
    """The bytes of the manifest or of an artefact are not those that were signed."""

    code = "bundle_tampered"


class BundleTruncated(BundleRefused):
    """An artefact ends before its end."""

    code = "bundle_truncated"


class BundleDowngraded(BundleRefused):
    """The bundle's counter is not above that of one which was installed here before."""

    code = "bundle_downgraded"


class BundleExpired(BundleRefused):
    """The time until which the bundle may be installed has passed."""

    code = "bundle_expired"


class BundleMisdirected(BundleRefused):
    """A bundle for another company, or with another name, than the one that was asked for."""

    code = "bundle_misdirected"


class WrongBase(BundleRefused):
    """An adapter for a base model that is neither in the bundle nor on the device."""

    code = "bundle_wrong_base"


class DownloadFailed(WaysideError):
    """A download that broke. What has arrived is kept, and the next try goes on from there."""

    code = "download_failed"


class ArtefactChanged(DownloadFailed):
    """The artefact that is offered now is not the one that the manifest names: fetch the manifest again."""

    code = "artefact_changed"


class ApiError(WaysideError):
    """A gateway's API refused a client of ours; the message is the gateway's own."""

    code = "api_error"


class GatewayUnreachable(WaysideError):
    """A device did not reach the gateway, or got no whole answer: what it asked for may have happened."""

    code = "gateway_unreachable"


class ConversionFailed(WaysideError):
    """A trained model could not be brought into the format of where it runs; the message has the converter's words."""

    code = "conversion_failed"
