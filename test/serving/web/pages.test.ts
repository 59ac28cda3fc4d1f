import { expect, test } from 'vitest'
import { chooseStep } from '../../../serving/step.ts'
import { dataBlock, html } from '../../../serving/web/html.ts'
import { apiRig } from '../http/rig.ts'

test('whatever a service is called, it is text on the page', async () => {
  await using rig = await apiRig()
  const name = `<script>alert("1")</script>'&`
  await rig.send(name, '</script><b>', '2026-11-22T10:00:00Z', [99, 2, 3])
  for (const url of ['/', '/analysis?from=2026-11-22&to=2026-11-22']) {
    const { body } = await rig.app.inject({ url })
    expect(body).toContain('&lt;script&gt;alert')
    expect(body).not.toContain('<script>alert')
    expect(body).not.toContain('<b>')
  }
})

const NAMES = [
  ['ab\u202ecd', 'ab\\u202ecd'],
  ['web\u200b', 'web\\u200b'],
  ['a\u00a0b', 'a\\u00a0b'],
  ['x\u200d', 'x\\u200d'],
  ['שלום', 'שלום'],
  ['👩\u200d💻 ❤\ufe0f', '👩\u200d💻 ❤\ufe0f'],
  ['می\u200cخواهم', 'می\u200cخواهم'],
] as const

test('what cannot be seen in a name is escaped, and a name turns nothing around it', async () => {
  await using rig = await apiRig()
  // Older releases took names that are refused now.
  for (const [name] of NAMES) await rig.send(name, name, '2026-11-22T10:00:00Z', [99, 2, 3])
  for (const url of ['/', '/analysis?from=2026-11-22&to=2026-11-22']) {
    const { body } = await rig.app.inject({ url })
    expect(body).not.toMatch(/[\u202a-\u202e\u2066\u2067\u200b]/)
    for (const [, text] of NAMES) expect(body).toContain(`<bdi>${text}</bdi>`)
    const outside = body.replaceAll(
      /<bdi>.*?<\/bdi>|<script[\s\S]*?<\/script>|data-\w+="[^"]*"|href="[^"]*"|id="[^"]*"/g,
      '',
    )
    expect(outside.replaceAll(/\u2068[^\u2069]*\u2069/g, '')).not.toMatch(/שלום|می|ab\\u/)
  }
})

test('on pages the end date is included', async () => {
  await using rig = await apiRig()
  const { body } = await rig.app.inject({ url: '/analysis?from=2026-11-22&to=2026-11-22' })
  expect(body).toContain('<h1>22 Nov 2026</h1>')
  expect(body).toMatch(/data-messages="checkout">3</)
})

test('a date is one of the zone that was chosen', async () => {
  await using rig = await apiRig()
  const { body } = await rig.app.inject({
    url: '/analysis?from=2026-11-22&to=2026-11-22&tz=Pacific/Honolulu',
  })
  expect(body).toMatch(/data-messages="checkout">/)
  expect(body).toContain('22 Nov 2026, 00:01:00')
})

test('a wrong range is said on the page, with the form to mend it', async () => {
  await using rig = await apiRig()
  const response = await rig.app.inject({ url: '/analysis?from=2026-11-23&to=2026-11-20&tz=UTC' })
  expect(response.statusCode).toBe(400)
  expect(response.body).toContain('to must not be before from')
  expect(response.body).toContain('value="2026-11-23"')
})

test('an empty range says so', async () => {
  await using rig = await apiRig()
  const { body } = await rig.app.inject({ url: '/analysis?from=2020-01-01&to=2020-01-02' })
  expect(body).toContain('No messages in this range')
})

test('pages load nothing from elsewhere and run no script that stands in them', async () => {
  await using rig = await apiRig()
  const { headers, body } = await rig.app.inject({ url: '/analysis?from=2026-11-22&to=2026-11-22' })
  expect(headers['content-security-policy']).toContain("default-src 'none'; script-src 'self'")
  expect(body).not.toMatch(/(src|href)="(https?:)?\/\//)
  for (const [, path] of body.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)) {
    expect((await rig.app.inject({ url: path! })).statusCode, path).toBe(200)
  }
  expect((await rig.app.inject({ url: '/assets/../../package.json' })).statusCode).toBe(404)
})

test('values are escaped, lists joined, and nothing is nothing', () => {
  expect(html`<p title="${'"<'}">${[1, html`<b>${'&'}</b>`, null, false]}</p>`.text).toBe(
    '<p title="&quot;&lt;">1<b>&amp;</b></p>',
  )
  expect(dataBlock('d', { x: '</script>' }).text).not.toContain('</script>{')
  expect(JSON.parse(/>(.*)<\/script>$/.exec(dataBlock('d', { x: '</script>' }).text)![1]!)).toEqual({
    x: '</script>',
  })
})

test('a chart has as many points as fit', () => {
  const points = (days: number) =>
    (days * 86_400_000) / chooseStep({ fromMs: 0, toMs: days * 86_400_000 }, 600, 60_000)
  for (const days of [1, 3, 30, 365, 3_650, 100_000]) {
    expect(points(days)).toBeLessThanOrEqual(600)
    expect(points(days)).toBeGreaterThan(100)
  }
})
