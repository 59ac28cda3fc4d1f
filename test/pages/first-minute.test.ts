import { expect, test } from 'vitest'
import { collectorAt, waysTo } from '../../pages/home/ways.ts'

const commands = (listen: string | undefined, host: string) =>
  waysTo(collectorAt(listen, host)).map(([, command]) => command)

test('commands to copy name the collector that listens, as the page is reached', () => {
  const [agent, line, , fleet] = commands('0.0.0.0:7171', 'metrics.example.org')
  expect(agent).toContain(' --collector metrics.example.org:7171 ')
  expect(line).toContain('connect(7171, "metrics.example.org")')
  expect(fleet).toContain(' --collector metrics.example.org:7171 ')
})

test('an address of version 6 stands in brackets where a port follows alone', () => {
  const [agent, line] = commands('[::1]:7171', '[::1]')
  expect(agent).toContain(' --collector [::1]:7171 ')
  expect(line).toContain('connect(7171, "::1")')
})

test('a collector of another process is for the reader to name', () => {
  expect(commands(undefined, 'localhost')[0]).toContain(' --collector HOST:7070 ')
})
