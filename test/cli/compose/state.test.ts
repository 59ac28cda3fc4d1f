import { expect, test } from 'vitest'
import { type Embedded, readiness } from '../../../cli/compose/state.ts'
import { TidemarkError } from '../../../schemas/errors.ts'

const OK = { state: 'ok', reason: null }
/** Answers about views, some of which nothing has published. */
const serving = (unpublished: readonly string[] = [], status: object = OK) => ({
  status: () => status,
  views: () => ['service_minute', 'host_minute'].map((name) => ({ view: { name } })),
  basis(name: string) {
    if (unpublished.includes(name)) throw new TidemarkError('E_UNPUBLISHED', `view ${name}`)
  },
})
const layer = (status: object) => ({ status: () => status })

/** What readiness asks, all well but for `parts`. */
function layers(parts: object = {}): Embedded {
  return {
    journal: { state: () => OK },
    collector: layer(OK),
    writer: layer(OK),
    speed: layer(OK),
    answers: serving(),
    announced: layer(OK),
    batch: layer({ last: [{ result: 'published', error: null }] }),
    ...parts,
  } as unknown as Embedded
}

test('it is ready when every layer works, and else says which does not', async () => {
  const said = async (parts: object) => readiness(layers(parts), (text) => text.replaceAll('/home/ann', '…'))
  expect(await said({})).toEqual({ ready: true, reasons: [] })
  const failing = layer({ state: 'failing', reason: '/home/ann/x: it fails' })
  expect(await said({ speed: failing, announced: failing })).toEqual({
    ready: false,
    reasons: ['speed: …/x: it fails', 'files: …/x: it fails'],
  })
  // One view of several.
  const last = [
    { result: 'published', error: null },
    { result: 'failed', error: 'no memory' },
  ]
  expect(await said({ batch: layer({ last }) })).toEqual({ ready: false, reasons: ['batch: no memory'] })
})

test('while the log fails, the collector that waits for it is not named as well', async () => {
  const parts = {
    journal: { state: () => ({ state: 'disk_full', reason: 'no space left' }) },
    collector: layer({ state: 'waiting', reason: null }),
  }
  expect(await readiness(layers(parts), (text) => text)).toEqual({
    ready: false,
    reasons: ['log: no space left'],
  })
})

test('a view that nothing has published yet is named: it answers nothing', async () => {
  expect(await readiness(layers({ answers: serving(['host_minute']) }), (text) => text)).toEqual({
    ready: false,
    reasons: ['serving: host_minute answers once a run has published it'],
  })
})
