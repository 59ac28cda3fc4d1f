import { Compile } from 'typebox/compile'
import { expect, test } from 'vitest'
import { apiRig } from './rig.ts'

/** A client that knows nothing but the document: what can be asked, with which parameters, and what is answered. */
interface Document {
  readonly paths: { readonly [path: string]: { readonly [method: string]: Operation } }
}

interface Operation {
  readonly parameters?: readonly Parameter[]
  readonly responses: { readonly [status: string]: { readonly content?: Contents } }
}

interface Parameter {
  readonly name: string
  readonly in: 'query' | 'path' | 'header'
  readonly required?: boolean
  readonly schema: { readonly enum?: readonly string[] }
}

type Contents = { readonly [type: string]: { readonly schema: object } }

/** What the client may be told for a parameter, by its name. */
const VALUES: { readonly [name: string]: string } = {
  service: 'checkout',
  host: 'web-1',
  from: '2026-11-22',
  to: '2026-11-23',
  q: 'e',
  limit: '1',
  step: '1h',
  tz: 'Europe/Berlin',
  fields: 'cpu.mean,messages',
}
/** These have no end, have no rows to read, or need an id that an answer gives. */
const LEFT_OUT = ['/v1/live']

function urlOf(path: string, parameters: readonly Parameter[], wanted: (one: Parameter) => boolean): string {
  const query = new URLSearchParams()
  let url = path
  for (const one of parameters) {
    const value = VALUES[one.name] ?? one.schema.enum?.[0]
    if (one.in === 'path') url = url.replace(`{${one.name}}`, encodeURIComponent(value ?? 'unknown'))
    else if (one.in === 'query' && value !== undefined && wanted(one)) query.set(one.name, value)
  }
  return `${url}?${query}`
}

test('every answer of every path is what the document says, whichever of its parameters are given', async () => {
  await using rig = await apiRig()
  const document = (await rig.app.inject({ url: '/openapi.json' })).json() as Document
  let checked = 0
  for (const [path, { get: operation }] of Object.entries(document.paths)) {
    if (operation === undefined || LEFT_OUT.includes(path)) continue
    const { parameters = [], responses } = operation
    const isRange = ({ name }: Parameter) => ['from', 'to'].includes(name)
    const choices = [
      (one: Parameter) => one.required === true,
      ...parameters.map(({ name }) => (one: Parameter) => {
        return one.required === true || isRange(one) || one.name === name
      }),
      ...parameters.flatMap(({ name, schema }) =>
        name === 'format' || name === 'by' ? (schema.enum ?? []).map(() => () => true) : [],
      ),
    ]
    for (const wanted of choices) {
      const url = urlOf(path, parameters, wanted)
      const answer = await rig.app.inject({ url })
      const status = String(answer.statusCode)
      const contents = (responses[status] ?? responses[`${status[0]}XX`])?.content
      const type = String(answer.headers['content-type']).split(';')[0]!
      expect([url, Object.keys(contents ?? {})]).toEqual([url, expect.arrayContaining([type])])
      if (type.endsWith('json')) {
        const body = answer.json()
        const errors = Compile(contents![type]!.schema as never).Errors(body)
        expect([url, errors.slice(0, 2)]).toEqual([url, []])
        checked += 1
      }
    }
  }
  expect(checked).toBeGreaterThan(80)
})

test('a client follows what answers name: the next page, a started run', async () => {
  await using rig = await apiRig()
  const get = async (url: string) => (await rig.app.inject({ url })).json()
  const names: string[] = []
  for (let after = ''; ; ) {
    const page = await get(`/v1/services?limit=1${after}`)
    names.push(...page.services.map(({ service }: { service: string }) => service))
    if (page.next === undefined) break
    after = `&after=${page.next}`
  }
  expect(names).toEqual(['checkout', 'search'])
  const started = await rig.app.inject({ method: 'POST', url: '/v1/runs' })
  expect((await get(String(started.headers.location))).run).toBe(started.json().run)
})
