"""Whether a batch that a client sent may be appended. It stays closed: nothing is decompressed."""

from ..protocol.batches import (
    CHECKED_AT,
    COMPRESSION_MASK,
    CONTROL,
    DELETE_HORIZON,
    HEADER,
    HEADER_BYTES,
    LENGTH_MIN,
    LOG_APPEND_TIME,
    MAGIC,
    OVERHEAD_BYTES,
    Header,
    checksum,
    parse_header,
)
from ..protocol.errors import ErrorCode
from ..protocol.records import BadRecordsError, records_of
from .errors import AppendError

# What a batch may grow to in order to look for its keys, while requests wait.
KEYS_BYTES_MAX = 67_108_864

_CODEC_MAX = 4
_FORBIDDEN = LOG_APPEND_TIME | CONTROL | DELETE_HORIZON

Fields = tuple[int, int, int, int, int, int, int, int, int, int, int, int, int]


def check(batches: memoryview, position: int, size_max: int, latest_ms: int | None) -> Fields:
    """The header's fields (batches.Header, as a plain tuple) of the batch at a position.

    `latest_ms` is the latest time that its records may have. Raises AppendError with the code that Kafka has
    for what is wrong.
    """
    left = len(batches) - position
    if left < HEADER_BYTES:
        raise AppendError(ErrorCode.CORRUPT_MESSAGE, f"a batch has at least {HEADER_BYTES} bytes, not {left}")
    fields: Fields = HEADER.unpack_from(batches, position)
    _, length, _, magic, crc, attributes, delta, _, max_timestamp, _, _, _, count = fields
    size = length + OVERHEAD_BYTES
    if (
        length < LENGTH_MIN
        or size > left
        or size > size_max
        or magic != MAGIC
        or attributes & _FORBIDDEN
        or attributes & COMPRESSION_MASK > _CODEC_MAX
        or count < 1
        or delta != count - 1
        or (latest_ms is not None and max_timestamp > latest_ms)
        or crc != checksum(batches[position + CHECKED_AT : position + size])
    ):
        raise _problem(Header._make(fields), left, size_max, latest_ms)
    return fields


def require_keys(batches: memoryview) -> None:
    """Refuse records without a key, which compaction could not tell apart. Raises AppendError.

    These batches are opened; one that cannot be is let through, as anywhere else.
    """
    while batches:
        size = parse_header(batches).size
        try:
            records = enumerate(records_of(batches[:size], KEYS_BYTES_MAX))
            faulty = tuple(index for index, record in records if record.key is None)
        except BadRecordsError:
            faulty = ()
        if faulty:
            message = "a compacted topic takes no record without a key"
            raise AppendError(ErrorCode.INVALID_RECORD, message, faulty)
        batches = batches[size:]


def _problem(header: Header, left: int, size_max: int, latest_ms: int | None) -> AppendError:
    """What the first thing wrong is; the checksum, if nothing else."""
    if header.magic < MAGIC:
        return AppendError(ErrorCode.INVALID_RECORD, "message formats before version 2 are not accepted")
    if header.magic > MAGIC or header.length < LENGTH_MIN or header.size > left:
        return AppendError(ErrorCode.CORRUPT_MESSAGE, "the length or version of a batch makes no sense")
    if header.size > size_max:
        message = f"a batch of {header.size} bytes is over max.message.bytes, {size_max}"
        return AppendError(ErrorCode.MESSAGE_TOO_LARGE, message)
    if header.is_control:
        return AppendError(ErrorCode.INVALID_RECORD, "only the broker writes control batches")
    if header.attributes & LOG_APPEND_TIME:
        return AppendError(ErrorCode.INVALID_TIMESTAMP, "only the broker sets the time of appending")
    if header.attributes & DELETE_HORIZON:
        return AppendError(ErrorCode.INVALID_RECORD, "only the broker sets a delete horizon")
    if header.attributes & COMPRESSION_MASK > _CODEC_MAX:
        return AppendError(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE, "a compression that Kafka does not know")
    if header.record_count < 1 or header.last_offset_delta != header.record_count - 1:
        return AppendError(ErrorCode.INVALID_RECORD, "the number of records does not fit their offsets")
    if latest_ms is not None and header.max_timestamp > latest_ms:
        message = f"the time {header.max_timestamp} is too far ahead of the broker's clock"
        return AppendError(ErrorCode.INVALID_TIMESTAMP, message)
    return AppendError(ErrorCode.CORRUPT_MESSAGE, "the checksum of a batch is wrong")
