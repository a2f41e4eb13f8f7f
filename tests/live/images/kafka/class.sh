#!/bin/bash
# The commands of /opt/kafka/bin: each is a name for a class, since Maven
# Central has Kafka's jars without its shell scripts. KAFKA_HOME is where libs/ is.
set -eu
libs=${KAFKA_HOME:-/opt/kafka}/libs
heap=-Xmx256M
case $(basename "$0" .sh) in
  kafka-server-start) class=kafka.Kafka heap='-Xmx1G -Xms1G' ;;
  kafka-storage) class=kafka.tools.StorageTool ;;
  kafka-topics) class=org.apache.kafka.tools.TopicCommand ;;
  kafka-configs) class='org.apache.kafka.tools.ConfigCommand kafka.admin.ConfigCommand' ;;
  kafka-acls) class='org.apache.kafka.tools.AclCommand kafka.admin.AclCommand' ;;
  kafka-groups) class=org.apache.kafka.tools.GroupsCommand ;;
  kafka-consumer-groups) class=org.apache.kafka.tools.consumer.group.ConsumerGroupCommand ;;
  kafka-console-producer) class=org.apache.kafka.tools.ConsoleProducer ;;
  kafka-console-consumer) class=org.apache.kafka.tools.consumer.ConsoleConsumer ;;
  kafka-broker-api-versions)
    class='org.apache.kafka.tools.BrokerApiVersionsCommand kafka.admin.BrokerApiVersionsCommand'
    ;;
  kafka-cluster) class=org.apache.kafka.tools.ClusterTool ;;
  kafka-metadata-quorum) class=org.apache.kafka.tools.MetadataQuorumCommand ;;
  kafka-features) class=org.apache.kafka.tools.FeatureCommand ;;
  kafka-get-offsets) class=org.apache.kafka.tools.GetOffsetShell ;;
  kafka-leader-election) class='org.apache.kafka.tools.LeaderElectionCommand' ;;
  kafka-producer-perf-test) class=org.apache.kafka.tools.ProducerPerformance ;;
  kafka-consumer-perf-test) class=org.apache.kafka.tools.ConsumerPerformance ;;
  kafka-dump-log) class='org.apache.kafka.tools.DumpLogSegments kafka.tools.DumpLogSegments' ;;
  kafka-delete-records) class='org.apache.kafka.tools.DeleteRecordsCommand kafka.admin.DeleteRecordsCommand' ;;
  kafka-transactions) class=org.apache.kafka.tools.TransactionsCommand ;;
  kafka-verifiable-producer) class=org.apache.kafka.tools.VerifiableProducer ;;
  kafka-verifiable-consumer) class=org.apache.kafka.tools.VerifiableConsumer ;;
  *) class=$1; shift ;;
esac
# Some commands moved from one jar to the other; the first that is there counts.
for candidate in $class; do
  for jar in "$libs"/kafka-tools-[0-9]*.jar "$libs"/kafka_*.jar; do
    if grep -q "${candidate//.//}.class" "$jar"; then class=$candidate; break 2; fi
  done
done
class=${class##* }
export KAFKA_LOG4J_ROOT_LOGLEVEL=${KAFKA_LOG4J_ROOT_LOGLEVEL:-INFO}
case $(basename "$0") in
  kafka-server-start.sh) settings=/etc/kafka/docker/log4j2.xml ;;
  *) settings=/etc/kafka/docker/log4j2.xml KAFKA_LOG4J_ROOT_LOGLEVEL=WARN ;;
esac
# shellcheck disable=SC2086 # options, several in one variable each
exec java ${KAFKA_HEAP_OPTS:-$heap} ${KAFKA_JVM_PERFORMANCE_OPTS:-} \
  ${KAFKA_LOG4J_OPTS:--Dlog4j2.configurationFile=$settings} ${KAFKA_JMX_OPTS:-} ${KAFKA_OPTS:-} \
  -cp "$libs/*" "$class" "$@"
