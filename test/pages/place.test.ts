import { expect, test } from 'vitest'
import { isOtherPlace } from '../../pages/shell/place.ts'

const at = (path: string) => new URL(path, 'http://tidemark')

test.each([
  ['/', '/live', true],
  ['/analysis?last=7d', '/analysis?last=7d&service=web', true],
  ['/analysis?service=web', '/analysis?service=db', true],
  ['/?view=host_minute', '/?view=service_minute', true],
  ['/analysis?service=web&last=7d', '/analysis?from=2026-11-01&to=2026-11-02&service=web', false],
  ['/analysis?service=web', '/analysis?service=web&compare=key:db&axis=fit&tz=UTC', false],
  ['/analysis?view=a&service=web', '/analysis?service=web&view=a&sort=-max&gauge=ram', false],
])('from %s to %s is another place: %s', (from, to, isOther) => {
  expect(isOtherPlace(at(from), at(to))).toBe(isOther)
})
