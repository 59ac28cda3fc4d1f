import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { needs } from '../needs.ts'

/** Jars of Kafka. */
export const LIB = fileURLToPath(new URL('../../../.cache/kafka/lib', import.meta.url))

/** Whether brokers can be started here. */
export const kafkaFound = () =>
  needs(
    'Kafka (.ci/kafka installs it)',
    existsSync(join(LIB, 'kafka_2.13-4.4.0.jar')) && spawnSync('java', ['-version']).status === 0,
  )

/** Who is let in, and the broker's key and certificate in one PEM file. */
export interface Login {
  readonly keystore: string
  readonly user: string
  readonly password: string
}

export interface Brokers extends AsyncDisposable {
  /** Those that clients begin with, a proxied one where it was asked for. */
  readonly addresses: readonly string[]
  /** Of the first node, where it was asked for: a listener that wants a password, and one that wants it over TLS. */
  readonly secured: { readonly sasl: string; readonly tls: string } | null
  /** Their processes. */
  pids(): readonly number[]
  /** SIGKILL, and start again on the same data. Nodes count from 1. */
  kill(node: number): Promise<void>
  start(node: number): Promise<void>
}

/**
 * `count` nodes, each broker and controller, on free ports. With `advertised`, clients are told that port instead of the
 * broker's own, so that a proxy can stand between; `listening` is told which port the proxy is to reach.
 */
export async function startBrokers(
  count: number,
  proxied: { advertised: number; listening(port: number): void } | null = null,
  login: Login | null = null,
): Promise<Brokers> {
  const dir = mkdtempSync(join(tmpdir(), 'tidemark-kafka-'))
  const ports = await freePorts(3 * count + 2)
  const secured = login && { ...login, sasl: ports[3 * count]!, tls: ports[3 * count + 1]! }
  const nodes = Array.from({ length: count }, (_, i) => ({
    dir: join(dir, `n${i + 1}`),
    own: ports[i]!,
    controller: ports[count + i]!,
    inner: ports[2 * count + i]!,
  }))
  const voters = nodes.map(({ controller }, i) => `${i + 1}@127.0.0.1:${controller}`).join(',')
  const children = new Map<number, ChildProcess>()
  const start = async (node: number) => {
    const { dir: home, own, controller, inner } = nodes[node - 1]!
    if (!existsSync(home)) {
      mkdirSync(home)
      writeFileSync(
        join(home, 'server.properties'),
        properties({
          home,
          node,
          count,
          voters,
          own,
          controller,
          inner,
          advertised: proxied?.advertised ?? own,
          secured,
        }),
      )
      writeFileSync(join(home, 'log4j2.yaml'), LOG4J)
      const format = ['-t', '5L6g3nShT-eMCtK--X86sw', '-c', join(home, 'server.properties')]
      for (const mechanism of login === null ? [] : ['SCRAM-SHA-256', 'SCRAM-SHA-512'])
        format.push('--add-scram', `${mechanism}=[name=${login!.user},password=${login!.password}]`)
      const { status, stderr } = spawnSync('java', [
        '-Xmx64m',
        '-XX:+UseSerialGC',
        '-XX:TieredStopAtLevel=1',
        '-cp',
        `${LIB}/*`,
        'kafka.tools.StorageTool',
        'format',
        ...format,
      ])
      if (status !== 0) throw new Error(`Kafka cannot be set up: ${stderr}`)
    }
    children.set(node, await run(home))
  }
  const kill = async (node: number) => {
    const child = children.get(node)
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await ended
  }
  await Promise.all(nodes.map((_, i) => start(i + 1)))
  proxied?.listening(nodes[0]!.own)
  const addresses = nodes.map(({ own }) => `127.0.0.1:${proxied?.advertised ?? own}`)
  return {
    addresses,
    pids: () => [...children.values()].map(({ pid }) => pid!),
    secured: secured && { sasl: `127.0.0.1:${secured.sasl}`, tls: `127.0.0.1:${secured.tls}` },
    kill,
    start,
    async [Symbol.asyncDispose]() {
      await Promise.all(nodes.map((_, i) => kill(i + 1)))
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

async function run(home: string): Promise<ChildProcess> {
  const child = spawn('java', [
    '-Xms192m',
    '-Xmx192m',
    '-XX:+UseSerialGC',
    `-Dlog4j2.configurationFile=${join(home, 'log4j2.yaml')}`,
    '-cp',
    `${LIB}/*`,
    'kafka.Kafka',
    join(home, 'server.properties'),
  ])
  let said = ''
  await new Promise<void>((resolve, reject) => {
    child.once('exit', () => reject(new Error(`Kafka ended: ${said.slice(-1_000)}`)))
    child.stdout.on('data', (chunk: Buffer) => {
      said = (said + chunk).slice(-10_000)
      if (said.includes('Kafka Server started')) resolve()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      said = (said + chunk).slice(-10_000)
    })
  })
  return child
}

function properties(node: {
  home: string
  node: number
  count: number
  voters: string
  own: number
  controller: number
  inner: number
  advertised: number
  secured: (Login & { sasl: number; tls: number }) | null
}): string {
  const more = node.secured && [
    `,SASL://127.0.0.1:${node.secured.sasl},TLS://127.0.0.1:${node.secured.tls}`,
    ',SASL:SASL_PLAINTEXT,TLS:SASL_SSL',
  ]
  const copies = Math.min(3, node.count)
  return `process.roles=broker,controller
node.id=${node.node}
controller.quorum.voters=${node.voters}
listeners=OUTER://127.0.0.1:${node.own},INNER://127.0.0.1:${node.inner},CONTROLLER://127.0.0.1:${node.controller}${more?.[0] ?? ''}
advertised.listeners=OUTER://127.0.0.1:${node.advertised},INNER://127.0.0.1:${node.inner}${more?.[0] ?? ''}
controller.listener.names=CONTROLLER
inter.broker.listener.name=INNER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,OUTER:PLAINTEXT,INNER:PLAINTEXT${more?.[1] ?? ''}
${node.secured === null ? '' : loginOf(node.secured)}log.dirs=${node.home}/data
offsets.topic.num.partitions=1
offsets.topic.replication.factor=${copies}
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=${copies}
transaction.state.log.min.isr=${Math.min(2, copies)}
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
log.cleaner.dedupe.buffer.size=4194304
num.network.threads=2
num.io.threads=4
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
`
}

function loginOf({ keystore, user, password }: Login): string {
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule required;'
  const plain = `org.apache.kafka.common.security.plain.PlainLoginModule required user_${user}="${password}";`
  const listeners = ['sasl', 'tls'].flatMap((name) => [
    `listener.name.${name}.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512`,
    `listener.name.${name}.plain.sasl.jaas.config=${plain}`,
    `listener.name.${name}.scram-sha-256.sasl.jaas.config=${scram}`,
    `listener.name.${name}.scram-sha-512.sasl.jaas.config=${scram}`,
  ])
  const ssl = ['ssl.keystore.type=PEM', `ssl.keystore.location=${keystore}`]
  return [...listeners, ...ssl, ''].join('\n')
}

const LOG4J = `Configuration:
  Appenders:
    Console:
      name: STDOUT
      PatternLayout:
        pattern: "%p %m (%c)%n"
  Loggers:
    Root:
      level: INFO
      AppenderRef:
        - ref: STDOUT
`

/** Ports that nobody listens on. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve) => {
          const server = createServer()
          server.listen(0, '127.0.0.1', () => resolve(server))
        }),
    ),
  )
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}
