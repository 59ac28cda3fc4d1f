import { zooms } from '../shell/address.ts'
import type { Shown } from '../shell/context.ts'
import { useKeys } from '../shell/keyboard.ts'
import { RangePicker } from '../shell/range-picker.tsx'
import { cellZone, wholeCells } from '../time/cells.ts'
import { KeyAnalysis } from './one.tsx'
import { Overview } from './overview.tsx'

/** The analysis of a range: of all keys of a view, or of the one that the address names. */
export function AnalysisPage({ shown }: { shown: Shown }) {
  const { address, view, zone, range, nowMs } = shown
  useKeys((key) => {
    if (key === 'Escape' && zooms() > 0) history.back()
    if (['[', ']', '+', '-'].includes(key))
      document.querySelector<HTMLElement>(`[data-key="${key}"]`)?.click()
  }, [])
  const key = view.key.map((column) => address.params.get(column))
  const isOne = key.every((value) => value !== null)
  const { bucket_ms: cellMs } = view
  const whole = {
    ...shown,
    range: wholeCells(range, cellMs, zone),
    zone: cellZone(zone, cellMs, range),
  }
  return (
    <>
      <RangePicker address={address} zone={zone} range={range} nowMs={nowMs} />
      {isOne ? (
        <KeyAnalysis key={`${view.name}${key}`} shown={whole} of={key as string[]} />
      ) : (
        <Overview shown={whole} />
      )}
    </>
  )
}
