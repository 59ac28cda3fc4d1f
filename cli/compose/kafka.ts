import type { DeployedLog } from '../../lake/deployment-log.ts'
import type { KafkaClient, KafkaConnection } from '../../log/kafka/client.ts'
import { type KafkaLog, openKafkaLog } from '../../log/kafka/kafka-log.ts'
import { TidemarkError } from '../../schemas/errors.ts'
import type { Disk } from '../../schemas/ports/disk.ts'
import type { Settings } from '../settings/settings.ts'
import type { Host } from './host.ts'

/** A client of the kind that `log.kafka_client` names. Each is loaded where it is wanted alone. */
async function kafkaClient(
  settings: Settings,
  place: Pick<KafkaConnection, 'brokers' | 'topic'>,
  { disk, clock }: Pick<Host, 'disk' | 'clock'>,
): Promise<KafkaClient> {
  const { brokers, topic } = place
  const connection = { brokers, topic, ...(await security(settings, disk)) }
  if (settings.text('log.kafka_client') === 'kafkajs') hideTimeoutWarning()
  return settings.text('log.kafka_client') === 'platformatic'
    ? (await import('../../log/kafka/platformatic.ts')).platformaticClient(connection)
    : (await import('../../log/kafka/kafkajs.ts')).kafkajsClient(connection, clock)
}

async function security(settings: Settings, disk: Disk): Promise<Pick<KafkaConnection, 'tls' | 'sasl'>> {
  const file = settings.file('log.ca')
  const ca = file === null ? null : await disk.readFile(file)
  if (file !== null && ca === null)
    throw new TidemarkError('E_CONFIG', `log.ca: there is no file ${file}`, { field: 'log.ca' })
  const username = settings.text('log.sasl_username')
  const sasl = {
    mechanism: settings.text('log.sasl_mechanism') as 'plain' | 'scram-sha-256' | 'scram-sha-512',
    username,
    password: settings.text('log.sasl_password'),
  }
  return {
    ...(ca !== null && { tls: { ca: Buffer.from(ca).toString('utf8') } }),
    ...(ca === null && settings.boolean('log.tls') && { tls: {} }),
    ...(username !== '' && { sasl }),
  }
}

/**
 * Opens the topic, made where there is none, and refuses one that has other partitions than the lake says. Throws `E_LOG`,
 * `E_CONFIG`.
 */
export async function openLogOnKafka(
  settings: Settings,
  place: Pick<KafkaConnection, 'brokers' | 'topic'>,
  { partitions }: DeployedLog,
  host: Host,
): Promise<KafkaLog> {
  const { clock, random, logLine } = host
  const client = await kafkaClient(settings, place, host)
  const replication = settings.integer('log.replication')
  const minInsync = Math.min(replication, settings.integer('log.min_insync'))
  const spec = { partitions, replication, minInsync, flush: replication === 1 }
  const log = await openKafkaLog(spec, { client, clock, random, logLine })
  const found = log.partitions().length
  if (found === partitions) return log
  await log.close()
  const message = `topic ${place.topic} has ${found} partitions, and the lake was made with ${partitions}`
  throw new TidemarkError('E_CONFIG', message, { field: 'log.url' })
}

/** kafkajs 2.2.4 arms timers for times that have passed, of which Node warns at each start; nothing comes of it. */
function hideTimeoutWarning(): void {
  const emit = process.emitWarning.bind(process) as (...args: unknown[]) => void
  process.emitWarning = (...args: unknown[]) => {
    const [warning, about] = args
    const name = typeof about === 'string' ? about : (warning as { name?: string }).name
    if (name !== 'TimeoutNegativeWarning') emit(...args)
  }
}
