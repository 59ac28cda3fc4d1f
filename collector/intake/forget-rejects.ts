import type { Disk } from '../../schemas/ports/disk.ts'

/** A letter, a digit or what joins them in names: beside it a word goes on. */
const JOINS = /[\p{L}\p{N}_-]/u

/**
 * Takes the lines that mention all of `words` out of the files of refused lines in `dir`; how many. Each file is replaced as a
 * whole. A line that was refused may be anything, so words count wherever they stand in it.
 */
export async function forgetRejects(disk: Disk, dir: string, words: readonly string[]): Promise<number> {
  let forgotten = 0
  for (const name of await disk.list(dir)) {
    if (!/\.(ndjson|csv)$/.test(name)) continue
    const path = `${dir}/${name}`
    const text = Buffer.from((await disk.readFile(path)) ?? []).toString('utf8')
    const lines = text.split(/(?<=\n)/)
    const kept = lines.filter((line) => !words.every((word) => mentions(line, word)))
    if (kept.length === lines.length) continue
    forgotten += lines.length - kept.length
    await replace(disk, dir, path, kept.join(''))
  }
  return forgotten
}

async function replace(disk: Disk, dir: string, path: string, text: string): Promise<void> {
  const fresh = `${path}.new`
  await disk.remove(fresh)
  const file = await disk.open(fresh, { create: true })
  try {
    await file.write(0, Buffer.from(text))
    await file.sync()
  } finally {
    await file.close()
  }
  await disk.rename(fresh, path)
  await disk.syncDir(dir)
}

/** As it stands, in what a kept line escapes or encodes, and in what its sender had escaped. */
function mentions(line: string, word: string): boolean {
  const texts = [line]
  try {
    const { raw, raw_base64: encoded, ...rest } = JSON.parse(line) as { [name: string]: unknown }
    const inner = typeof encoded === 'string' ? Buffer.from(encoded, 'base64').toString() : String(raw ?? '')
    texts.push(inner, unescaped(inner), ...Object.values(rest).map(String))
  } catch {
    // A line of a CSV file, or one that was cut off.
    texts.push(unescaped(line), line.replaceAll('""', '"'))
  }
  return texts.some((text) => hasWord(text, word))
}

function unescaped(text: string): string {
  return text.replace(/\\(?:u([0-9a-fA-F]{4})|(["\\/]))/g, (_, hex: string | undefined, plain: string) =>
    hex === undefined ? plain : String.fromCharCode(Number.parseInt(hex, 16)),
  )
}

function hasWord(text: string, word: string): boolean {
  if (word === '') return false
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    const [before = '', after = ''] = [text[at - 1], text[at + word.length]]
    if (!JOINS.test(before) && !JOINS.test(after)) return true
  }
  return false
}
