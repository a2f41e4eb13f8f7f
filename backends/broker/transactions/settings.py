"""The bounds of transactions, with Kafka's names for them and Kafka's defaults."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TransactionSettings:
    """What a producer may ask for, and how long an id that nobody uses is remembered."""

    timeout_max_ms: int = 900_000  # transaction.max.timeout.ms
    id_expiration_ms: int = 7 * 24 * 3_600_000  # transactional.id.expiration.ms
    id_expiration_check_ms: int = 3_600_000  # transaction.remove.expired.transaction.cleanup.interval.ms
    retry_ms: int = 1_000
