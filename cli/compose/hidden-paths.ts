import type { Settings } from '../settings/settings.ts'

/** Folders and files by their whole path, but neither a URL nor a path of the API. */
const ABSOLUTE = /(?<![\w.:/])\/(?!v1\/)(?:[^\s'"`:,;()/]+\/)+([^\s'"`:,;()/]+)/g

/**
 * Takes the machine's paths out of a text for anybody: what lies in the data directory is named from there (`DATA/journal/…`),
 * likewise `LAKE/…`, and of any other file only its name is left.
 */
export function hiddenPaths(settings: Pick<Settings, 'dataDir' | 'lakeDir'>): (text: string) => string {
  // A lake within the data directory has the longer path: it comes first.
  const folders = [
    [settings.lakeDir(), 'LAKE'],
    [settings.dataDir(), 'DATA'],
  ] as const
  return (text) => {
    let hidden = text
    for (const [folder, name] of folders) hidden = hidden.replaceAll(folder, name)
    return hidden.replace(ABSOLUTE, '…/$1')
  }
}
