import { expect, test } from 'vitest'
import { TidemarkError } from '../../schemas/errors.ts'
import { apiRig } from './http/rig.ts'

const RANGE = { fromMs: Date.UTC(2026, 10, 22), toMs: Date.UTC(2026, 10, 23) }

for (const [broken, other, key] of [
  ['service_minute', 'host_minute', 'checkout\u001fweb-1'],
  ['host_minute', 'service_minute', 'checkout'],
] as const)
  test(`what ${broken} cannot read keeps ${other} from nothing`, async () => {
    await using rig = await apiRig()
    const version = (view: string) => rig.answers.basis(view).viewVersion
    expect([version(broken), version(other)]).toEqual([1, 1])
    await rig.batch.run({ full: true })
    rig.store.faults = ({ key: path }) => {
      if (path.startsWith(`${broken}/`) || path.startsWith(`${broken}_ticks/`))
        throw new TidemarkError('E_STORE', 'down')
    }
    await rig.send('checkout', 'web-1', '2026-11-22T10:02:00.000Z', [1, 2, 3])
    await rig.batch.run({ full: true }).catch(() => {})
    await rig.answers.refresh().catch(() => {})
    expect(rig.answers.status()).toMatchObject({ state: 'failing', reason: expect.stringContaining('down') })
    expect(version(other)).toBeGreaterThan(version(broken)!)
    const stats = rig.answers.stats(other, key, RANGE)!
    expect([stats.complete, stats.messages]).toEqual([true, broken === 'service_minute' ? 3 : 4])
    rig.store.faults = null
    await rig.answers.refresh()
    expect(rig.answers.status().state).toBe('ok')
  })
