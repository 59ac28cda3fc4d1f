import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { makeToken } from '../../../schemas/token.ts'
import type { LoadSender } from '../load.ts'
import { needs } from '../needs.ts'
import { sparkPackages } from '../spark-cluster.ts'
import { lastingPort, until } from '../watch.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const PYTHON = join(ROOT, '.cache/python/bin/python')
const COMPOSE = ['-m', 'podman_compose']
const CONNECT_MS = 10_000
const COMMAND_MS_MAX = 240_000

/** The container images of this project, by what docker-compose.yml calls them. */
export const IMAGES = { server: 'localhost/tidemark:0.1.0', agent: 'localhost/tidemark-agent:0.1.0' } as const

const SPARK_IMAGE = 'localhost/tidemark-spark:0.1.0'

const environment = { ...process.env, CONTAINERS_CONF: join(ROOT, '.ci/containers.conf') }

async function run(command: string, args: readonly string[]): Promise<string> {
  const options = { cwd: ROOT, env: environment, timeout: COMMAND_MS_MAX, maxBuffer: 16 << 20 }
  const { stdout, stderr } = await promisify(execFile)(command, [...args], options)
  return args[0] === 'logs' ? stdout + stderr : stdout
}

export const podman = (...args: string[]) => run('podman', args)

export async function imagesFound(): Promise<boolean> {
  const there = async () => {
    if (!existsSync(PYTHON)) return false
    await run(PYTHON, [...COMPOSE, '--version'])
    for (const image of Object.values(IMAGES)) await podman('image', 'exists', image)
    return true
  }
  return needs('podman with the images (.ci/images builds them)', await there().catch(() => false))
}

/** Whether the image for runs on Spark is there, with the jars that docker-compose.yml mounts. */
export async function sparkImageFound(): Promise<boolean> {
  const there = podman('image', 'exists', SPARK_IMAGE).then(
    () => sparkPackages() !== null,
    () => false,
  )
  return needs(`${SPARK_IMAGE} (.ci/run builds it) with .ci/spark-packages`, await there)
}

/** What docker-compose.yml says under a profile, its variables filled in. */
export async function composeConfig(
  profile: string,
  env: { readonly [name: string]: string } = {},
): Promise<{ services: { readonly [name: string]: { readonly image: string; readonly scale?: string } } }> {
  const dir = mkdtempSync(join(tmpdir(), 'tidemark-compose-'))
  try {
    const secrets = { S3_ACCESS_KEY: 'x', S3_SECRET_KEY: 'x', AGENT_TOKEN: 'x', ADMIN_TOKEN: 'x' }
    writeFileSync(join(dir, 'env'), linesOf({ ...secrets, ...env }))
    const config = [...COMPOSE, '--profile', profile, '--env-file', join(dir, 'env'), 'config']
    const script = 'import json, sys, yaml; print(json.dumps(yaml.safe_load(sys.argv[1])))'
    return JSON.parse(await run(PYTHON, ['-c', script, await run(PYTHON, config)]))
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

const tokenOf = () => makeToken({ float: Math.random, hex: (n) => randomHex(n) }).token

function linesOf(env: { readonly [name: string]: string | number }): string {
  return Object.entries(env)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')
}

export interface StackOptions {
  /** A profile beside those services that are in none. */
  readonly profile?: string
  /** The services to start, with what they need; absent: all. */
  readonly services?: readonly string[]
  /** Beside what is put into `.env` for every stack. */
  readonly env?: { readonly [name: string]: string }
}

/** docker-compose.yml as a project of its own that goes with its volumes. */
export class Stack implements AsyncDisposable {
  readonly project = `tidemark-test-${process.pid}-${randomHex(2)}`
  readonly token = tokenOf()
  readonly #agentToken = tokenOf()
  readonly ports: { readonly web: number; readonly collectors: readonly [number, number] }
  readonly #dir = mkdtempSync(join(tmpdir(), 'tidemark-stack-'))
  readonly #profile: readonly string[]

  private constructor(ports: Stack['ports'], profile: string | undefined) {
    this.ports = ports
    this.#profile = profile === undefined ? [] : ['--profile', profile]
  }

  static async start({ profile, services = [], env = {} }: StackOptions = {}): Promise<Stack> {
    const free = () => lastingPort(Math.random)
    const stack = new Stack({ web: await free(), collectors: [await free(), await free()] }, profile)
    const { web, collectors } = stack.ports
    writeFileSync(
      stack.#envFile,
      linesOf({
        S3_ACCESS_KEY: 'tidemark',
        S3_SECRET_KEY: randomHex(24),
        AGENT_TOKEN: stack.#agentToken,
        ADMIN_TOKEN: stack.token,
        WEB_PORT: web,
        COLLECTOR_PORT_1: collectors[0],
        COLLECTOR_PORT_2: collectors[1],
        SPEED_TICK: '1s',
        LOG_PARTITIONS: 2,
        ...env,
      }),
    )
    try {
      await stack.#compose('up', '-d', '--no-build', ...services)
    } catch (error) {
      await stack[Symbol.asyncDispose]()
      throw error
    }
    return stack
  }

  get #envFile(): string {
    return join(this.#dir, 'env')
  }

  #compose(...args: string[]): Promise<string> {
    const own = ['-p', this.project, '--env-file', this.#envFile, '--podman-run-args=--pull=never']
    return run(PYTHON, [...COMPOSE, ...this.#profile, ...own, ...args])
  }

  /** Connects the senders to a collector, again and again until all are welcome. */
  async connect(senders: readonly LoadSender[], collector: 0 | 1): Promise<void> {
    const before = new Map(senders.map((sender) => [sender, sender.welcomes]))
    const waiting = () => senders.filter((sender) => sender.welcomes === before.get(sender))
    let triedMs = Number.NEGATIVE_INFINITY
    await until(
      'all are welcome',
      () => {
        // A further connection of a sender would close the one before.
        if (Date.now() - triedMs > CONNECT_MS) {
          triedMs = Date.now()
          for (const sender of waiting()) sender.connect(this.ports.collectors[collector], this.#agentToken)
        }
        return waiting().length === 0
      },
      120_000,
    )
  }

  /** The name of the container of a service. */
  of(service: string): string {
    return `${this.project}_${service}_1`
  }

  async kill(service: string): Promise<void> {
    await podman('kill', '--signal', 'KILL', this.of(service))
  }

  async start(service: string): Promise<void> {
    await podman('start', this.of(service))
  }

  /** Cuts a service off from all others. */
  async cut(service: string): Promise<void> {
    await podman('network', 'disconnect', '--force', `${this.project}_default`, this.of(service))
  }

  async join(service: string): Promise<void> {
    await podman('network', 'connect', '--alias', service, `${this.project}_default`, this.of(service))
  }

  /** Runs a command of `tidemark` in the container of a service. */
  tidemark(service: string, ...args: string[]): Promise<string> {
    return podman('exec', this.of(service), '/usr/local/bin/node', '/app/cli/entry.js', ...args)
  }

  /** The last that each container said. */
  async logs(): Promise<string> {
    const names = (await podman('ps', '-a', '--filter', `name=${this.project}_`, '--format', '{{.Names}}'))
      .trim()
      .split('\n')
    const each = await Promise.all(
      names.map(async (name) => `== ${name}\n${await podman('logs', '--tail', '8', name).catch(String)}`),
    )
    return each.join('\n')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#compose('down', '-v', '-t', '1').catch(() => '')
    rmSync(this.#dir, { recursive: true, force: true })
  }
}

function randomHex(bytes: number): string {
  return Array.from({ length: bytes }, () =>
    Math.floor(Math.random() * 256)
      .toString(16)
      .padStart(2, '0'),
  ).join('')
}
