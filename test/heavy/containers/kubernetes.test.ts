import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { needs } from '../needs.ts'
import { python } from '../outside.ts'

const DIR = join(import.meta.dirname, '../../../deploy/kubernetes')

function validate(path: string): string {
  return execFileSync(python!, ['-m', 'kubernetes_validate', '--strict', path], { stdio: 'pipe' }).toString()
}

function hasSchemas(): boolean {
  if (python === null) return false
  try {
    execFileSync(python, ['-c', 'import kubernetes_validate'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

test.runIf(needs('the schemas of Kubernetes (kubernetes-validate of pip)', hasSchemas()))(
  'every manifest is what its schema says, strictly',
  () => {
    const manifests = readdirSync(DIR).filter((name) => name !== 'kustomization.yaml')
    expect(manifests.length).toBeGreaterThan(6)
    for (const name of manifests) validate(join(DIR, name))
  },
)
