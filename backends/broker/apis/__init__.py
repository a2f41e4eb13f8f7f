"""The APIs: one module for each group of them, a handler for each API, all of them in APIS."""

from .api import Api
from .cluster import describe_cluster, describe_log_dirs
from .configs import alter_configs, describe_configs, incremental_alter_configs
from .fetch import FETCH
from .groups import (
    delete_groups,
    describe_groups,
    find_coordinator,
    heartbeat,
    join_group,
    leave_group,
    list_groups,
    sync_group,
)
from .list_offsets import list_offsets, offset_for_leader_epoch
from .metadata import describe_topic_partitions, metadata
from .offsets import offset_commit, offset_delete, offset_fetch
from .produce import PRODUCE
from .producer_ids import init_producer_id
from .records import delete_records
from .sasl import sasl_authenticate, sasl_handshake
from .scram_users import alter_user_scram_credentials, describe_user_scram_credentials
from .topics import create_partitions, create_topics, delete_topics
from .transactions import (
    add_offsets_to_txn,
    add_partitions_to_txn,
    describe_transactions,
    end_txn,
    list_transactions,
    txn_offset_commit,
)
from .versions import API_VERSIONS, api_versions

# Produce says 0 although 0 to 2 are refused: librdkafka would not compress otherwise (KAFKA-18659).
APIS: tuple[Api, ...] = (
    Api(PRODUCE, "Produce", 0, 11, None),
    Api(FETCH, "Fetch", 4, 16, None),
    Api(2, "ListOffsets", 1, 8, list_offsets),
    Api(3, "Metadata", 0, 12, metadata),
    Api(8, "OffsetCommit", 2, 9, offset_commit),
    Api(9, "OffsetFetch", 1, 9, offset_fetch),
    Api(10, "FindCoordinator", 0, 4, find_coordinator),
    Api(11, "JoinGroup", 0, 9, join_group),
    Api(12, "Heartbeat", 0, 4, heartbeat),
    Api(13, "LeaveGroup", 0, 5, leave_group),
    Api(14, "SyncGroup", 0, 5, sync_group),
    Api(15, "DescribeGroups", 0, 5, describe_groups),
    Api(16, "ListGroups", 0, 5, list_groups),
    Api(17, "SaslHandshake", 0, 1, sasl_handshake, is_open=True),
    Api(API_VERSIONS, "ApiVersions", 0, 4, api_versions, is_open=True),
    Api(19, "CreateTopics", 2, 7, create_topics),
    Api(20, "DeleteTopics", 1, 6, delete_topics),
    Api(21, "DeleteRecords", 0, 2, delete_records),
    Api(22, "InitProducerId", 0, 4, init_producer_id),
    Api(23, "OffsetForLeaderEpoch", 2, 4, offset_for_leader_epoch),
    Api(24, "AddPartitionsToTxn", 0, 3, add_partitions_to_txn),
    Api(25, "AddOffsetsToTxn", 0, 3, add_offsets_to_txn),
    Api(26, "EndTxn", 0, 3, end_txn),
    Api(28, "TxnOffsetCommit", 0, 3, txn_offset_commit),
    Api(32, "DescribeConfigs", 1, 4, describe_configs),
    Api(33, "AlterConfigs", 0, 2, alter_configs),
    Api(35, "DescribeLogDirs", 1, 4, describe_log_dirs),
    Api(36, "SaslAuthenticate", 0, 2, sasl_authenticate, is_open=True),
    Api(37, "CreatePartitions", 0, 3, create_partitions),
    Api(42, "DeleteGroups", 0, 2, delete_groups),
    Api(44, "IncrementalAlterConfigs", 0, 1, incremental_alter_configs),
    Api(47, "OffsetDelete", 0, 0, offset_delete),
    Api(50, "DescribeUserScramCredentials", 0, 0, describe_user_scram_credentials),
    Api(51, "AlterUserScramCredentials", 0, 0, alter_user_scram_credentials),
    Api(60, "DescribeCluster", 0, 1, describe_cluster),
    Api(65, "DescribeTransactions", 0, 0, describe_transactions),
    Api(66, "ListTransactions", 0, 0, list_transactions),
    Api(75, "DescribeTopicPartitions", 0, 0, describe_topic_partitions),
)
