import * as zlib from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { crc32, crc32ByTable } from '../../agent/spool/crc32.ts'

test('the table gives what zlib gives, also over pieces', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (bytes, cut) => {
      const whole = zlib.crc32(bytes)
      expect(crc32ByTable(bytes)).toBe(whole)
      expect(crc32ByTable(bytes.subarray(cut), crc32ByTable(bytes.subarray(0, cut)))).toBe(whole)
      expect(crc32(bytes)).toBe(whole)
    }),
  )
})

test('the check value of the standard', () => {
  expect(crc32ByTable(new TextEncoder().encode('123456789'))).toBe(0xcbf43926)
})
