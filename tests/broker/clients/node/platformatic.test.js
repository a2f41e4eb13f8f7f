// @platformatic/kafka, unmodified against the broker at BROKER: it has no code for the older versions of APIs.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  Admin, Consumer, ListOffsetTimestamps, MessagesStreamModes, Producer, stringDeserializers, stringSerializers
} from '@platformatic/kafka'

const base = { clientId: 'smoke', bootstrapBrokers: [process.env.BROKER], retries: 5, retryDelay: 100 }
const transactions = process.env.TRANSACTIONS === '1' ? false : 'the broker does not offer transactions'
let names = 0
const fresh = what => `${what}-pt-${process.pid}-${names++}`

async function using(client, work) {
  try {
    return await work(client)
  } finally {
    await client.close()
  }
}

const withAdmin = work => using(new Admin(base), work)
const withProducer = (options, work) => using(new Producer({ ...base, serializers: stringSerializers, ...options }), work)

async function newTopic(partitions = 1) {
  const topic = fresh('topic')
  await withAdmin(admin => admin.createTopics({ topics: [topic], partitions, replicas: 1 }))
  return topic
}

async function eventually(check) {
  const deadline = Date.now() + 30_000
  while (!(await check())) {
    assert.ok(Date.now() < deadline, `not in time: ${check}`)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

// A member of a group that collects what it gets.
async function member(groupId, topic, options = {}) {
  const consumer = new Consumer({
    ...base, groupId, deserializers: stringDeserializers, sessionTimeout: 6000, heartbeatInterval: 300, ...options
  })
  const state = { consumer, messages: [] }
  const stream = await consumer.consume({
    topics: [topic], mode: MessagesStreamModes.COMMITTED, fallbackMode: 'earliest', autocommit: 100, maxWaitTime: 200
  })
  stream.on('data', message => state.messages.push(message))
  state.held = () => consumer.assignments?.find(assigned => assigned.topic === topic)?.partitions ?? []
  state.close = async () => {
    await stream.close()
    await consumer.close(true)
  }
  return state
}

for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
  test(`what is produced is consumed: ${compression}`, async () => {
    const topic = await newTopic()
    const messages = Array.from({ length: 1000 }, (_, number) => ({
      topic, key: 'key', value: `${number} ${'x'.repeat(200)}`, headers: new Map([['trace', 'abc']]),
      timestamp: 1_700_000_000_000n
    }))
    const { offsets } = await withProducer({ compression }, producer => producer.send({ messages, acks: -1 }))
    assert.equal(offsets[0].offset, 0n)
    const reader = await member(fresh('group'), topic)
    await eventually(() => reader.messages.length >= 1000)
    await reader.close()
    assert.deepEqual(reader.messages.map(message => message.value), messages.map(message => message.value))
    const first = reader.messages[0]
    assert.deepEqual([first.key, first.headers.get('trace'), first.timestamp], ['key', 'abc', 1_700_000_000_000n])
  })
}

test('an idempotent producer', async () => {
  const topic = await newTopic()
  await withProducer({ idempotent: true }, async producer => {
    for (let number = 0; number < 50; number++) await producer.send({ messages: [{ topic, value: `${number}` }] })
  })
  const reader = await member(fresh('group'), topic)
  await eventually(() => reader.messages.length >= 50)
  await reader.close()
  assert.deepEqual(reader.messages.map(message => Number(message.value)), [...Array(50).keys()])
})

test('a group shares partitions again as members come and go', async () => {
  const topic = await newTopic(4)
  const group = fresh('group')
  const first = await member(group, topic)
  await eventually(() => first.held().length === 4)
  const second = await member(group, topic)
  await eventually(() => first.held().length === 2 && second.held().length === 2)
  assert.deepEqual([...first.held(), ...second.held()].sort(), [0, 1, 2, 3])
  await second.close()
  await eventually(() => first.held().length === 4)
  await withProducer({}, producer => producer.send({
    messages: [...Array(40).keys()].map(number => ({ topic, value: `${number}`, partition: number % 4 }))
  }))
  await eventually(() => first.messages.length >= 40)
  await first.close()
})

test('admin of topics and groups', async () => {
  const topic = fresh('topic')
  const group = fresh('group')
  await withAdmin(async admin => {
    const configs = [{ name: 'retention.ms', value: '1000000' }]
    const [created] = await admin.createTopics({ topics: [topic], partitions: 2, replicas: 1, configs })
    assert.deepEqual([created.name, created.partitions, created.replicas], [topic, 2, 1])
    await admin.createPartitions({ topics: [{ name: topic, count: 3, assignments: null }] })
    await eventually(async () => {
      const metadata = await admin.metadata({ topics: [topic], forceUpdate: true })
      return metadata.topics.get(topic).partitionsCount === 3
    })
    const reader = await member(group, topic)
    await eventually(() => reader.held().length === 3)
    const described = (await admin.describeGroups({ groups: [group] })).get(group)
    assert.equal(described.state, 'Stable')
    assert.equal(described.members.size, 1)
    await reader.close()
    await eventually(async () => (await admin.listGroups()).get(group)?.state === 'Empty')
    await admin.deleteGroups({ groups: [group] })
    assert.ok(!(await admin.listGroups()).has(group))
    await admin.deleteTopics({ topics: [topic] })
    await eventually(async () => !(await admin.listTopics()).includes(topic))
  })
})

test('offsets at both ends and by time', async () => {
  const topic = await newTopic()
  await withProducer({}, producer => producer.send({
    messages: Array.from({ length: 10 }, (_, number) => ({
      topic, value: 'x', timestamp: BigInt(1_700_000_000_000 + number * 1000)
    }))
  }))
  const consumer = new Consumer({ ...base, groupId: fresh('group') })
  await using(consumer, async () => {
    const at = async timestamp => (await consumer.listOffsets({ topics: [topic], timestamp })).get(topic)[0]
    assert.equal(await at(ListOffsetTimestamps.EARLIEST), 0n)
    assert.equal(await at(ListOffsetTimestamps.LATEST), 10n)
    assert.equal(await at(1_700_000_004_500n), 5n)
  })
})

test('a transaction is seen whole or not at all', { skip: transactions }, async () => {
  const topic = await newTopic()
  await withProducer({ idempotent: true, transactionalId: fresh('transactional') }, async producer => {
    for (const [value, end] of [['dropped', 'abort'], ['kept', 'commit']]) {
      const transaction = await producer.beginTransaction()
      await transaction.send({ messages: [{ topic, value }] })
      await transaction[end]()
    }
  })
  const reader = await member(fresh('group'), topic)
  await eventually(() => reader.messages.length >= 1)
  await reader.close()
  assert.deepEqual(reader.messages.map(message => message.value), ['kept'])
})
