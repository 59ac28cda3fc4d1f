import { FAULTS } from './faults.ts'

/** Every fault, and no task: a bug that a task finds names it. */
export const ALL_FAULTS = Object.keys(FAULTS).join()

/** A bug as a change of one source file. */
export interface PlantedBug {
  readonly file: string
  /** Stands in the file once. */
  readonly find: string
  readonly plant: string
  /** Faults and tasks that lead to it: `ALL_FAULTS` where absent. */
  readonly faults?: string
  /** A seed that finds it; when the simulator has changed, others are tried. */
  readonly seed: number
}

/**
 * Bugs that the simulator must find: each breaks a promise in a way that ordinary use would not show for long. Those at the
 * end were no inventions: they were in the sources until the simulator found them.
 */
export const PLANTED = {
  'ack before sync': {
    file: 'log/journal/journal.ts',
    find: 'await segment.file.write(start, bytes)\n    await segment.file.sync()',
    plant: 'await segment.file.write(start, bytes)',
    seed: 8,
  },
  'offset used twice': {
    file: 'log/journal/recovery.ts',
    find: 'if (lastOffset(opened) < lostTo) await',
    plant: 'if (lastOffset(opened) < opened.lostTo) await',
    faults: 'flip=3,crash=3',
    seed: 125,
  },
  'repeat state lost': {
    file: 'log/journal/open-segments.ts',
    find: 'const agents = recovery.agentsOf(before.agents)',
    plant: 'const agents = recovery.agentsOf(new Map())',
    faults: 'crash=3,power=3,cut=3,agents',
    seed: 5,
  },
  'welcome too high': {
    file: 'collector/intake/sessions.ts',
    find: 'return { seq: Math.max(session.durable,',
    plant: 'return { seq: Math.max(session.appended,',
    seed: 2,
  },
  'trim too early': {
    file: 'lake/writer/writer.ts',
    find: 'log.trim(needed)',
    plant:
      'log.trim(Object.fromEntries(log.partitions().map((partition) => [partition, log.end(partition)])))',
    seed: 54,
  },
  'two writers append one range': {
    file: 'lake/delta/commit.ts',
    find: 'if (setAt > base.version) return',
    plant: 'if (setAt < -1) return',
    seed: 5,
  },
  'checkpoint lacks a file': {
    file: 'lake/delta/checkpoint-file.ts',
    find: 'for (const file of state.files.values()) rows',
    plant: 'for (const file of [...state.files.values()].slice(1)) rows',
    seed: 120,
  },
  'files removed too early': {
    file: 'lake/delta/cleanup.ts',
    find: 'modifiedMs <= unnamedMs',
    plant: 'modifiedMs <= unnamedMs + 86_400_000',
    faults: 'twins=3,store-slow=3,layer-slow',
    seed: 16,
  },
  'gap not sealed': {
    file: 'lake/writer/sealing.ts',
    find: 'mergeGaps(sealed.gaps, this.#refused',
    plant: 'mergeGaps([], this.#refused',
    seed: 3,
  },
  'late message dropped': {
    file: 'speed/chain.ts',
    find: 'this.#open.cells.addAll(messages)',
    plant: 'this.#open.cells.addAll(messages, (i) => messages.timeMs[i]! > first.logTimeMs - 86_400_000)',
    seed: 3,
  },
  'tick on both sides of the tidemark': {
    file: 'serving/index/load.ts',
    find: 'chainFrom(ticks, hash, partition, offsetIn(tidemark, partition))',
    plant: 'ticks.filter((t) => t.hash === hash && t.partition === partition)',
    seed: 1,
  },
  'publish in two steps': {
    file: 'batch/publish.ts',
    find: 'const next = await table.commit(base, {',
    plant:
      "const { add, remove } = made\n    const half = await table.commit(base, { operation: 'PUBLISH', add, remove, dataChange: true })\n    made = { ...made, add: [], remove: [] }\n    const next = await table.commit(half, {",
    seed: 1,
  },
  'carried hours lost': {
    file: 'batch/execute.ts',
    find: 'return date.base\n',
    plant: 'return null\n',
    seed: 6,
  },
  'deleted journal without a gap': {
    file: 'lake/writer/lost-partitions.ts',
    find: 'mergeGaps(facts.gaps, gaps)',
    plant: 'mergeGaps(facts.gaps, gaps.slice(1))',
    seed: 9,
  },
  'numbers of two datasets out of order': {
    file: 'collector/intake/blocks.ts',
    find: 'this.#flushBlock(before)',
    plant: 'void before',
    faults: 'agents=3,crash=3,power=3,disk-slow',
    seed: 1,
  },
  'index grows before it is switched': {
    file: 'serving/index/load.ts',
    find: 'await fillMissing(view, files, deps)',
    plant:
      'const grown = before.ticks.become(view, ticks.cells)\n  before.ticks.become = () => grown\n  await fillMissing(view, files, deps)',
    seed: 5,
  },
  'cells of another dataset': {
    file: 'speed/chain.ts',
    find: 'if (messages.form.dataset === this.view.dataset)',
    plant: '',
    seed: 1,
  },
  'sealed again by the dataset ahead': {
    file: 'lake/writer/seal-files.ts',
    find: 'block.offset > found.after',
    plant: 'block.offset > -1',
    faults: 'layer-slow=3,store-error=3,crash=3',
    seed: 21,
  },
  'milliseconds dropped': {
    file: 'collector/ndjson/decode/time-reader.ts',
    find: 'second * 1_000 + ms',
    plant: 'second * 1_000 + 0 * ms',
    seed: 1,
  },
  'numbers with leading zeros': {
    file: 'collector/ndjson/decode/number-reader.ts',
    find: '(whole > 1 && bytes[from] === ZERO)',
    plant: '(whole > 9 && bytes[from] === ZERO)',
    faults: 'garbage=3',
    seed: 31,
  },
  'long numbers cut': {
    file: 'collector/ndjson/decode/number-reader.ts',
    find: 'lowDigits > LOW_DIGITS ? Number.NaN : fromDecimal(high, low, lowDigits, exponent)',
    plant: 'fromDecimal(high, 0 * low * LOW_DIGITS, 0, exponent + lowDigits)',
    faults: 'none',
    seed: 1,
  },
  'times as numbers rounded': {
    file: 'collector/ndjson/decode/decoder.ts',
    find: 'Math.trunc(value)',
    plant: 'Math.round(value)',
    faults: 'none',
    seed: 15,
  },
  'west taken for east': {
    file: 'collector/ndjson/iso-time.ts',
    find: "(match[8] === '-' ? -1 : 1) *",
    plant: "(match[8] === '-' ? 1 : 1) *",
    faults: 'none',
    seed: 2,
  },
  'answers for who reads none': {
    file: 'collector/ndjson/connection.ts',
    find: 'this.#socket.pendingBytes() > UNREAD_BYTES_MAX',
    plant: 'this.#socket.pendingBytes() > 100 * UNREAD_BYTES_MAX',
    faults: 'flood=3',
    seed: 5,
  },
  'unsettled lines without end': {
    file: 'collector/ndjson/connection.ts',
    find: 'this.#answers.waiting >= UNSETTLED_LINES_MAX',
    plant: 'this.#answers.waiting >= 100 * UNSETTLED_LINES_MAX',
    faults: 'flood=3',
    seed: 8,
  },
  'refused lines without end': {
    file: 'collector/ndjson/connection.ts',
    find: 'this.#conversation.refusals >= UNSETTLED_REFUSALS_MAX',
    plant: 'this.#conversation.refusals >= 100 * UNSETTLED_REFUSALS_MAX',
    faults: 'flood=3',
    seed: 5,
  },
  'congestion never relieved': {
    file: 'collector/intake/back-pressure.ts',
    find: '    this.#congested = false\n    // Those',
    plant: '    // Those',
    faults: 'flood=3',
    seed: 29,
  },
  'refusal told before it is kept': {
    file: 'collector/ndjson/conversation.ts',
    find: 'void kept.then(() => {',
    plant: 'void Promise.race([kept, null]).then(() => {',
    faults: 'flood,garbage=3,disk-slow',
    seed: 3,
  },
  'refused lines fill the disk': {
    file: 'collector/intake/rejects.ts',
    find: 'used + 1 + bytes.length > REJECTS_BYTES_MAX',
    plant: 'used > REJECTS_BYTES_MAX',
    faults: 'flood=3',
    seed: 5,
  },
  'everyone is let in': {
    file: 'collector/ndjson/listener.ts',
    find: 'if (above >= REFUSED_CONNECTIONS_MAX)',
    plant: 'if (above >= 10 * REFUSED_CONNECTIONS_MAX)',
    faults: 'flood=3',
    seed: 1,
  },
  'silence is never taken for leaving': {
    file: 'collector/ndjson/timeouts.ts',
    find: 'const idle = nowMs - this.#lastMs >= this.#idleMs',
    plant: 'const idle = nowMs - this.#lastMs >= 10 * this.#idleMs',
    faults: 'flood=3',
    seed: 1,
  },
  'spool not synced': {
    file: 'agent/spool/writer.ts',
    find: 'await file.write(end, all)\n      await file.sync()',
    plant: 'await file.write(end, all)',
    faults: 'agents=3,cut=3,crash=3',
    seed: 2,
  },
  'spool under a new id each start': {
    file: 'agent/spool/spool.ts',
    find: 'files.at(-1)?.head ?? { agent: random.hex(AGENT_ID_BYTES), base: 0 }',
    plant: '{ agent: random.hex(AGENT_ID_BYTES), base: files.at(-1)?.head.base ?? 0 }',
    faults: 'agents=3,cut=3,crash=3',
    seed: 1,
  },
  'no room for another file, and the newest is removed': {
    file: 'agent/spool/writer.ts',
    find: 'const kept = this.#active === undefined ? 2 : 1',
    plant: 'const kept = 1',
    faults: 'agents=3,cut=3,crash=3,spool=3',
    seed: 810072,
  },
  'lost for want of room and not counted': {
    file: 'agent/spool/state.ts',
    find: 'this.lost += this.#waitingIn(oldest)',
    plant: 'this.lost += 0 * this.#waitingIn(oldest)',
    faults: 'spool=3,crash=3',
    seed: 15,
  },
  'newest lost instead of the oldest': {
    file: 'agent/spool/state.ts',
    find: 'const oldest = this.files.shift()!',
    plant: 'const oldest = this.files.splice(-2, 1)[0]!',
    faults: 'spool=3,crash=3',
    seed: 36,
  },
  'block lost between threads': {
    file: 'log/remote/serve.ts',
    find: 'new Transferred({ ...slice, packed }',
    plant: 'new Transferred({ ...slice, to: slice.to + Math.min(1, blocks.length), packed }',
    faults: 'none',
    seed: 1,
  },
  'gap lost between threads': {
    file: 'log/remote/reader.ts',
    find: 'return { ...slice, blocks',
    plant: 'return { ...slice, gaps: slice.gaps.slice(slice.gaps.length), blocks',
    faults: 'flip=3,crash=3',
    seed: 20,
  },
  'sealing never relieves': {
    file: 'log/remote/serve.ts',
    find: "calls.on('log covered', (position: Position) => log.covered(position))",
    plant:
      "calls.on('log covered', (position: Position) => log.covered({ ...position, ...log.partitions().map(() => -1) }))",
    seed: 1,
  },
  'agents forgotten with the journal': {
    file: 'log/journal/recovery.ts',
    find: 'recovery.agentsOf(highest >= 0 ? await recovery.agentsInLake() : new Map())',
    plant: 'recovery.agentsOf(new Map())',
    faults: 'journal=3,cut,crash',
    seed: 9,
  },
  'gap of a damaged file too short': {
    file: 'batch/execute.ts',
    find: 'const toMs = Math.max(...starts) + HOUR_MS',
    plant: 'const toMs = Math.min(...starts)',
    faults: 'flip=3,late',
    seed: 51,
  },
  'damaged view never made again': {
    file: 'batch/execute.ts',
    find: "if (!plan.full || !isError(error, 'E_FILE_DAMAGED')) throw error",
    plant: "if (isError(error, 'E_FILE_DAMAGED') || deps !== null) throw error",
    faults: 'flip=3,late',
    seed: 51,
  },
  'removals not durable one by one': {
    file: 'log/journal/journal.ts',
    find: 'await this.#deps.disk.syncDir(this.#config.dir)\n      // Another',
    plant: '// Another',
    faults: 'power=3,crash,disk-error=3',
    seed: 28,
  },
  'found names not made durable': {
    file: 'lake/store/local.ts',
    find: '  await disk.syncDir(dir)\n}',
    plant: '}',
    faults: 'power=3,crash=3',
    seed: 263,
  },
  'found rejects not made durable': {
    file: 'collector/intake/rejects.ts',
    find: 'if (this.#named !== path)',
    plant: 'if (size === 0)',
    seed: 500_047,
  },
  'failed writes of rejects not counted': {
    file: 'collector/intake/rejects.ts',
    find: 'this.#bytes = null\n    const path',
    plant: 'const path',
    seed: 501_058,
  },
  'silence as long as the clock stepped back': {
    file: 'collector/ndjson/timeouts.ts',
    find: '    this.#steppedBack(nowMs)\n',
    plant: '',
    faults: 'flood=3,clock=3',
    seed: 27,
  },
  'numbers left out wait': {
    file: 'agent/spool/state.ts',
    find: 'this.files.reduce((sum, file) => sum + this.#waitingIn(file), 0)',
    plant: 'this.newest.last - this.gone',
    faults: 'spool=3,crash=3,power=3,agents',
    seed: 45,
  },
  'rows lost in a merge': {
    file: 'lake/writer/merge.ts',
    find: 'Promise.all(inputs.map(',
    plant: 'Promise.all(inputs.slice(1).map(',
    faults: 'upkeep=3',
    seed: 5,
  },
  'the vacuum takes what older versions need': {
    file: 'lake/delta/cleanup.ts',
    find: 'olderMs: timeMs - retentionMs',
    plant: 'olderMs: timeMs - 0 * retentionMs',
    faults: 'upkeep=3',
    seed: 5,
  },
  'answers keep what was erased': {
    file: 'batch/view-run.ts',
    find: 'removedDates: (changes?.removed ?? [])',
    plant: 'removedDates: (changes?.removed ?? []).slice(Number.MAX_SAFE_INTEGER)',
    faults: 'erase=3,late=3',
    seed: 3,
  },
  'not erased to the end of what was accepted': {
    file: 'lake/erase/condition.ts',
    find: 'offset[i]! <= offsetIn(',
    plant: 'offset[i]! < offsetIn(',
    faults: 'erase=3',
    seed: 3,
  },
  'a file imported again counts twice': {
    file: 'lake/import/importer.ts',
    find: 'if (isImported(base, this.#file.sha256)) return false',
    plant: "if (isImported(base, 'another')) return false",
    faults: 'import=3',
    seed: 6,
  },
  'corrections that no run sees': {
    file: 'lake/correct.ts',
    find: 'dataChange: true',
    plant: 'dataChange: false',
    faults: 'correct=3',
    seed: 16,
  },
  'corrected by a number that another has': {
    file: 'lake/correct.ts',
    find: 'agent === null ? [byName] : [byName, agentKey(agent, columns.seq[i]!)]',
    plant: 'agent === null ? [byName] : [byName, agentKey(agent, columns.seq[i]! + 1)]',
    faults: 'correct=3',
    seed: 16,
  },
  'the journal is not read again for a backup': {
    file: 'lake/backup/backup.ts',
    find: 'await journal.again()',
    plant: 'void journal.again',
    faults: 'backup=3',
    seed: 6,
  },
  'two runs publish over each other': {
    file: 'batch/publish.ts',
    find: "if (isError(error, 'E_CONFLICT')) return null",
    plant:
      "if (isError(error, 'E_CONFLICT')) {\n      const now = (await table.snapshot()) as Snapshot\n      return publish(plan, { ...made, remove: made.remove.filter((path) => now.files.has(path)) }, run, { table, base: now, clock })\n    }",
    faults: 'twins=3,layer-slow=3,late',
    seed: 3,
  },
} as const satisfies { readonly [name: string]: PlantedBug }
