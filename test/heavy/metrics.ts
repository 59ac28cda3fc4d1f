import { spawnSync } from 'node:child_process'

/** Whether Prometheus' own checker is there. */
export const promtool = spawnSync('promtool', ['--version']).status === 0

/** What it finds wrong with metrics; empty when nothing. */
export function lintMetrics(text: string): string {
  const { status, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' })
  return status === 0 ? '' : stderr
}
