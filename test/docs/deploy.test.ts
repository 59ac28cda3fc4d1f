import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { TOKEN_VARIABLE } from '../../cli/access/token-variable.ts'
import { SETTINGS } from '../../schemas/config.ts'
import { ROOT } from '../code/sources.ts'

const KUBERNETES = join(ROOT, 'deploy/kubernetes')
const manifests = readdirSync(KUBERNETES)
const files = ['docker-compose.yml', ...manifests.map((name) => `deploy/kubernetes/${name}`)]
const text = (path: string) => readFileSync(join(ROOT, path), 'utf8')

test('every variable in the compose file and the manifests is a setting', () => {
  const known = new Set([
    TOKEN_VARIABLE,
    ...SETTINGS.map(({ name }) => `TIDEMARK_${name.replaceAll('.', '_').toUpperCase()}`),
  ])
  const used = files.flatMap((path) =>
    [...text(path).matchAll(/\bTIDEMARK_[A-Z0-9_]+/g)].map(([name]) => `${path}: ${name}`),
  )
  expect(used.length).toBeGreaterThan(20)
  expect(used.filter((one) => !known.has(one.split(': ')[1]!))).toEqual([])
})

test('every manifest is part of the whole, and every secret that the compose file wants is in the example', () => {
  const listed = [...text('deploy/kubernetes/kustomization.yaml').matchAll(/^ {2}- (\S+\.yaml)$/gm)].map(
    ([, name]) => name,
  )
  expect(listed.sort()).toEqual(manifests.filter((name) => name !== 'kustomization.yaml').sort())
  const wanted = new Set(
    [...text('docker-compose.yml').matchAll(/\$\{([A-Z0-9_]+):\?/g)].map(([, name]) => name!),
  )
  const example = text('.env.example')
  expect(wanted.size).toBe(4)
  for (const name of wanted) expect(example).toContain(`${name}=`)
  // What has a value there would be a default password.
  for (const name of wanted) expect(example).toMatch(new RegExp(`^${name}= +#`, 'm'))
})
