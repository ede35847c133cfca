"""The seam to Ometria: push records, read what it refused afterwards."""

from bridge.ometria.answers import PushError
from bridge.ometria.client import Ometria
from bridge.ometria.pacing import Pacer, Standing
from bridge.ometria.receipt import BATCH_MOST, RECORD_BYTES, Call, Parcel, Receipt, Result
from bridge.ometria.transactional import MailAnswer, TransactionalMail

__all__ = [
    "BATCH_MOST",
    "RECORD_BYTES",
    "Call",
    "MailAnswer",
    "Ometria",
    "Pacer",
    "Parcel",
    "PushError",
    "Receipt",
    "Result",
    "Standing",
    "TransactionalMail",
]
