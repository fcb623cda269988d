"""What can go wrong, in words the caller can act on.

    TamgaError
    ├── InvalidInput            422  the request is well formed but says something we cannot take
    │   ├── EmptyText           422
    │   ├── NulCharacter        422
    │   └── DuplicateId         422
    ├── InvalidEncoding         400  bytes that are not UTF-8
    ├── MalformedJSON           400
    ├── InvalidCompression      400  a body that says gzip and is not
    ├── RequestTimeout          408  the body took too long to arrive
    ├── IdempotencyKeyReused    422  the same Idempotency-Key with another request
    ├── UnsupportedMediaType    415
    ├── TooLarge                413  more bytes or items than the service takes
    │   └── TextTooLong         413
    ├── Unauthenticated         401  no key, or one that is not valid
    ├── Forbidden               403  a valid key that may not do this
    ├── NotFound                404
    ├── Conflict                409  another request or an earlier state is in the way
    ├── PreconditionFailed      412  the resource has changed since the caller read it
    ├── ClientLeft              499  nobody waits for the answer any more
    ├── QuotaExceeded           429  this caller sends more than it may
    ├── Overloaded              503  everybody together sends more than can be done
    ├── NotReady                503  models are still loading, or failed to load
    ├── VectorStoreDown         503  the server that holds the vectors does not answer
    └── ConfigurationError      500  settings that contradict each other (CLI: exit 2)

Each carries its HTTP status and a `type` URI that stays stable, so that the API (`service.api.problems`) and
the command line print the same error for the same cause.
"""

# Names say what happened, as in most HTTP libraries (NotFound, TooLarge).
# ruff: noqa: N818

from __future__ import annotations

import math
from typing import ClassVar, Final

PROBLEM_PREFIX: Final = "urn:tamga:problem:"


class TamgaError(Exception):
    """Base of every error whose text is meant for the caller.

    `detail` says what is wrong with this input; `pointer` is the JSON pointer (RFC 6901, as a URI fragment
    such as "#/text") of the part at fault, when one part is.
    """

    status: ClassVar[int] = 500
    slug: ClassVar[str] = "internal-error"
    title: ClassVar[str] = "Something went wrong on our side"

    def __init__(self, detail: str, *, pointer: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.pointer = pointer

    @property
    def type(self) -> str:
        """The stable problem type URI of RFC 9457."""
        return PROBLEM_PREFIX + self.slug

    @property
    def headers(self) -> dict[str, str]:
        """Headers that belong to the answer, such as when to try again."""
        return {}

    def as_error(self) -> dict[str, str]:
        """The `error` object of an output line of the command line tools."""
        return {"type": self.type, "title": self.title, "detail": self.detail}


class InvalidInput(TamgaError):
    status = 422
    slug = "invalid-input"
    title = "The input does not have the expected form"


class EmptyText(InvalidInput):
    slug = "empty-text"
    title = "There is no text to analyse"


class NulCharacter(InvalidInput):
    slug = "nul-character"
    title = "The text contains a NUL character"


class DuplicateId(InvalidInput):
    slug = "duplicate-id"
    title = "This id occurred before in the same input"


class InvalidEncoding(TamgaError):
    status = 400
    slug = "invalid-encoding"
    title = "The input is not valid UTF-8"


class MalformedJSON(TamgaError):
    status = 400
    slug = "invalid-json"
    title = "The input is not valid JSON"


class InvalidCompression(TamgaError):
    status = 400
    slug = "invalid-compression"
    title = "The body cannot be unpacked"


class RequestTimeout(TamgaError):
    status = 408
    slug = "request-timeout"
    title = "The request took too long to arrive"


class IdempotencyKeyReused(TamgaError):
    status = 422
    slug = "idempotency-key-reused"
    title = "This Idempotency-Key belongs to another request"


class UnsupportedMediaType(TamgaError):
    status = 415
    slug = "unsupported-media-type"
    title = "The body is of a type that is not taken"


class TooLarge(TamgaError):
    status = 413
    slug = "too-large"
    title = "The request is larger than this service takes"


class TextTooLong(TooLarge):
    slug = "text-too-long"
    title = "The text is longer than this service analyses"


class Unauthenticated(TamgaError):
    status = 401
    slug = "unauthenticated"
    title = "A valid access key is needed"

    @property
    def headers(self) -> dict[str, str]:
        return {"WWW-Authenticate": 'Bearer realm="tamga"'}


class Forbidden(TamgaError):
    status = 403
    slug = "forbidden"
    title = "You may not do that"


class NotFound(TamgaError):
    status = 404
    slug = "not-found"
    title = "There is nothing here"


class Conflict(TamgaError):
    status = 409
    slug = "conflict"
    title = "Something else is in the way"


class PreconditionFailed(TamgaError):
    status = 412
    slug = "precondition-failed"
    title = "It has changed since it was read"


class ClientLeft(TamgaError):
    status = 499
    slug = "client-left"
    title = "The caller left before the answer"


class _TryLater(TamgaError):
    """Refused for now; `retry_after` is in how many seconds it makes sense to try again."""

    def __init__(self, detail: str, *, retry_after: float) -> None:
        super().__init__(detail)
        self.retry_after = retry_after

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(math.ceil(self.retry_after))}


class QuotaExceeded(_TryLater):
    status = 429
    slug = "quota-exceeded"
    title = "You send more than you may"


class Overloaded(_TryLater):
    status = 503
    slug = "overloaded"
    title = "The service has more to do than it can"


class NotReady(TamgaError):
    status = 503
    slug = "not-ready"
    title = "The service is not ready yet"

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": "5"}


class VectorStoreDown(TamgaError):
    status = 503
    slug = "vector-store"
    title = "The vector store cannot be used"

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": "5"}


class ConfigurationError(TamgaError):
    slug = "configuration"
    title = "The settings do not fit together"
