#!/bin/sh
# Kafka and what it needs from Maven Central: prepare.sh OUT VERSION
set -eu
command -v mvn >/dev/null || { echo 'kafka: mvn is missing' >&2; exit 1; }
project=$(mktemp -d)
trap 'rm -rf "$project"' EXIT
cat >"$project/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>live</groupId><artifactId>kafka</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$2</version></dependency>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>$2</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-core</artifactId><version>2.24.3</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.24.3</version></dependency>
  </dependencies>
</project>
POM
mvn -q -B -Dstyle.color=never -f "$project/pom.xml" dependency:copy-dependencies \
  -DincludeScope=runtime -DoutputDirectory="$1/libs"
