import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, globSync } from 'node:fs'
import { createServer } from 'node:net'
import { ROOT } from '../code/sources.ts'

/** Folder of the Spark that `pip` installed; null where there is none. */
export function sparkHome(): string | null {
  const [home] = globSync(`${ROOT}/.cache/spark/lib/python3*/site-packages/pyspark`)
  return home !== undefined && existsSync(`${home}/bin/spark-submit`) ? home : null
}

interface ClusterState {
  readonly aliveworkers: number
  readonly activeapps: readonly unknown[]
}

/** What lets that Spark read and write S3 and read Kafka, as `--jars` takes it; null where it is not installed. */
export function sparkPackages(): string | null {
  const folder = `${ROOT}/.cache/spark-packages`
  const wanted = ['hadoop-aws-3.5.0', 'spark-sql-kafka-0-10_2.13-4.2.0']
  return wanted.every((name) => existsSync(`${folder}/${name}.jar`)) ? `${folder}/*.jar` : null
}

/** A standalone cluster on loopback: a master and two workers with a core each. */
export async function startCluster(home: string, dir: string) {
  const children: ChildProcess[] = []
  const env = {
    ...process.env,
    SPARK_HOME: home,
    SPARK_LOCAL_IP: '127.0.0.1',
    SPARK_DAEMON_MEMORY: '192m',
    SPARK_WORKER_DIR: dir,
  }
  const [port, masterPage] = [await freePort(), await freePort()]
  const master = `spark://127.0.0.1:${port}`
  const start = (name: string, args: readonly string[]) => {
    const program = `org.apache.spark.deploy.${name.toLowerCase()}.${name}`
    const child = spawn(`${home}/bin/spark-class`, [program, '--host', '127.0.0.1', ...args], {
      cwd: dir,
      env,
      stdio: 'ignore',
    })
    children.push(child)
    return child
  }
  start('Master', ['--port', `${port}`, '--webui-port', `${masterPage}`])
  const worker = () => start('Worker', ['--cores', '1', '--memory', '1g', '--webui-port', '0', master])
  const workers = [worker(), worker()]
  const state = async () => {
    const answer = await fetch(`http://127.0.0.1:${masterPage}/json/`).catch(() => null)
    if (!answer?.ok) return null
    // While it starts, a page of another kind stands there.
    return (await answer.json().catch(() => null)) as ClusterState | null
  }
  async function until(is: (state: ClusterState) => boolean) {
    for (let tries = 0; tries < 600; tries++) {
      const now = await state()
      if (now !== null && is(now)) return
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
    throw new Error('the cluster did not come so far in 120 s')
  }
  const cluster = {
    master,
    workers,
    until,
    async [Symbol.asyncDispose]() {
      await Promise.all(
        children.map(async (child) => {
          if (child.exitCode !== null || child.signalCode !== null) return
          const ended = new Promise((resolve) => child.once('exit', resolve))
          child.kill('SIGKILL')
          await ended
        }),
      )
    },
  }
  try {
    await until(({ aliveworkers }) => aliveworkers === 2)
  } catch (error) {
    await cluster[Symbol.asyncDispose]()
    throw error
  }
  return cluster
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
