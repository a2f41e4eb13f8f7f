// kafkajs, unmodified against the broker at BROKER.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import kafkajs from 'kafkajs'

const { AssignerProtocol, CompressionTypes, ConfigResourceTypes, Kafka, logLevel } = kafkajs
const kafka = new Kafka({ brokers: [process.env.BROKER], logLevel: logLevel.NOTHING })
const transactions = process.env.TRANSACTIONS === '1' ? false : 'the broker does not offer transactions'
let names = 0
const fresh = what => `${what}-js-${process.pid}-${names++}`

async function using(client, work) {
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.disconnect()
  }
}

const withAdmin = work => using(kafka.admin(), work)

async function newTopic(numPartitions = 1) {
  const topic = fresh('topic')
  await withAdmin(admin => admin.createTopics({ topics: [{ topic, numPartitions }], waitForLeaders: true }))
  return topic
}

async function send(topic, messages, options = {}, more = {}) {
  return using(kafka.producer(options), producer => producer.send({ topic, messages, ...more }))
}

async function eventually(check) {
  const deadline = Date.now() + 30_000
  while (!(await check())) {
    assert.ok(Date.now() < deadline, `not in time: ${check}`)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

// A member of a group that collects what it gets, and the partitions it holds.
async function member(groupId, topic) {
  const consumer = kafka.consumer({ groupId, heartbeatInterval: 300, sessionTimeout: 6000, maxWaitTimeInMs: 200 })
  const state = { consumer, messages: [], held: new Set() }
  consumer.on(consumer.events.GROUP_JOIN, event => {
    state.held = new Set(event.payload.memberAssignment[topic] ?? [])
  })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({
    autoCommitInterval: 100,
    eachMessage: async ({ partition, message }) => state.messages.push({ partition, ...message })
  })
  return state
}

for (const compression of ['None', 'GZIP']) {
  test(`what is produced is consumed: ${compression}`, async () => {
    const topic = await newTopic()
    const messages = Array.from({ length: 1000 }, (_, number) => ({
      key: 'key', value: `${number} ${'x'.repeat(200)}`, headers: { trace: 'abc' }, timestamp: '1700000000000'
    }))
    const [sent] = await send(topic, messages, {}, { compression: CompressionTypes[compression] })
    assert.equal(sent.errorCode, 0)
    assert.equal(sent.baseOffset, '0')
    const reader = await member(fresh('group'), topic)
    await eventually(() => reader.messages.length >= 1000)
    await reader.consumer.disconnect()
    assert.deepEqual(reader.messages.map(message => message.value.toString()), messages.map(message => message.value))
    const first = reader.messages[0]
    assert.equal(first.key.toString(), 'key')
    assert.equal(first.headers.trace.toString(), 'abc')
    assert.equal(first.timestamp, '1700000000000')
  })
}

test('a message of 900 kB', async () => {
  const topic = await newTopic()
  await send(topic, [{ value: Buffer.alloc(900_000, 7) }])
  const reader = await member(fresh('group'), topic)
  await eventually(() => reader.messages.length === 1)
  await reader.consumer.disconnect()
  assert.equal(reader.messages[0].value.length, 900_000)
})

test('an idempotent producer', async () => {
  const topic = await newTopic()
  await using(kafka.producer({ idempotent: true }), async producer => {
    for (let number = 0; number < 50; number++) await producer.send({ topic, messages: [{ value: `${number}` }] })
  })
  const reader = await member(fresh('group'), topic)
  await eventually(() => reader.messages.length >= 50)
  await reader.consumer.disconnect()
  assert.deepEqual(reader.messages.map(message => Number(message.value)), [...Array(50).keys()])
})

test('a group shares partitions again as members come and go, and goes on where it committed', async () => {
  const topic = await newTopic(4)
  const group = fresh('group')
  const numbers = [...Array(40).keys()]
  await send(topic, numbers.map(number => ({ value: `${number}`, partition: number % 4 })))
  const first = await member(group, topic)
  await eventually(() => first.held.size === 4 && first.messages.length >= 40)
  const second = await member(group, topic)
  await eventually(() => first.held.size === 2 && second.held.size === 2)
  assert.deepEqual([...first.held, ...second.held].sort(), [0, 1, 2, 3])
  await second.consumer.disconnect()
  await eventually(() => first.held.size === 4)
  await first.consumer.disconnect()
  await send(topic, [{ value: '40' }])
  const third = await member(group, topic)
  await eventually(() => third.messages.some(message => message.value.toString() === '40'))
  await third.consumer.disconnect()
  assert.equal(third.messages.length, 1)
})

test('admin of topics, settings and offsets', async () => {
  const topic = fresh('topic')
  await withAdmin(async admin => {
    const configEntries = [{ name: 'retention.ms', value: '1000000' }]
    assert.ok(await admin.createTopics({ topics: [{ topic, numPartitions: 2, configEntries }] }))
    assert.equal(await admin.createTopics({ topics: [{ topic }] }), false)
    await admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] })
    await eventually(async () => {
      const metadata = await admin.fetchTopicMetadata({ topics: [topic] })
      return metadata.topics[0].partitions.length === 3
    })
    const resource = { type: ConfigResourceTypes.TOPIC, name: topic }
    const described = await admin.describeConfigs({ includeSynonyms: false, resources: [resource] })
    const entries = described.resources[0].configEntries
    assert.equal(entries.find(entry => entry.configName === 'retention.ms').configValue, '1000000')
    const messages = Array.from({ length: 10 }, (_, number) => ({
      value: 'x', partition: 0, timestamp: `${1_700_000_000_000 + number * 1000}`
    }))
    await send(topic, messages)
    const byTime = await admin.fetchTopicOffsetsByTimestamp(topic, 1_700_000_004_500)
    assert.equal(byTime.find(entry => entry.partition === 0).offset, '5')
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '4' }] })
    const offsets = (await admin.fetchTopicOffsets(topic)).find(entry => entry.partition === 0)
    assert.deepEqual([offsets.low, offsets.high], ['4', '10'])
    await admin.deleteTopics({ topics: [topic] })
    await eventually(async () => !(await admin.listTopics()).includes(topic))
  })
})

test('admin of groups and of the cluster', async () => {
  const topic = await newTopic()
  const group = fresh('group')
  const reader = await member(group, topic)
  await eventually(() => reader.held.size === 1)
  await withAdmin(async admin => {
    const { brokers } = await admin.describeCluster()
    assert.deepEqual(brokers.map(broker => `${broker.host}:${broker.port}`), [process.env.BROKER])
    const described = (await admin.describeGroups([group])).groups[0]
    assert.equal(described.state, 'Stable')
    const assignment = AssignerProtocol.MemberAssignment.decode(described.members[0].memberAssignment)
    assert.deepEqual(assignment.assignment, { [topic]: [0] })
    await reader.consumer.disconnect()
    await admin.setOffsets({ groupId: group, topic, partitions: [{ partition: 0, offset: '3' }] })
    const [offsets] = await admin.fetchOffsets({ groupId: group, topics: [topic] })
    assert.equal(offsets.partitions[0].offset, '3')
    await admin.deleteGroups([group])
    const { groups } = await admin.listGroups()
    assert.ok(!groups.some(listed => listed.groupId === group))
  })
})

test('a transaction is seen whole or not at all', { skip: transactions }, async () => {
  const topic = await newTopic()
  const options = { transactionalId: fresh('transactional'), maxInFlightRequests: 1, idempotent: true }
  await using(kafka.producer(options), async producer => {
    for (const [value, end] of [['dropped', 'abort'], ['kept', 'commit']]) {
      const transaction = await producer.transaction()
      await transaction.send({ topic, messages: [{ value }] })
      await transaction[end]()
    }
  })
  const reader = await member(fresh('group'), topic)
  await eventually(() => reader.messages.length >= 1)
  await reader.consumer.disconnect()
  assert.deepEqual(reader.messages.map(message => message.value.toString()), ['kept'])
})
